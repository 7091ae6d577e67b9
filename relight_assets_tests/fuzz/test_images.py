"""Images damaged in every way: an image or one sentence, in bounded memory; measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from relight_assets_tests.fuzz.conftest import rounds, seed, tried

PEAK_MIB = 1200
"""64 megapixels take about 800 MiB while they are decoded; a length field may say 4 GiB."""
TIMES = 6
"""Of the rounds of the others: 3,000 where those are 500."""


def test_damaged_images_are_images_or_one_sentence(tmp_path: Path) -> None:
    count = TIMES * rounds(50)
    command = [sys.executable, "-m", "relight_assets_tests.fuzz.decode_damaged", str(seed()), str(count), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = (tmp_path / "last").read_text() if (tmp_path / "last").exists() else "nothing was tried"
    assert done.returncode == 0, f"ended with {done.returncode} at {last}: {done.stderr[-2000:]}"
    result = json.loads(done.stdout.splitlines()[-1])
    tried.update({("images", outcome): number for outcome, number in result["found"].items()})
    assert not result["faults"], "\n".join(result["faults"])
    assert result["peak_mib"] < PEAK_MIB
    assert sum(result["found"].values()) == count
    assert {"an image", "image_corrupt", "image_format", "geometry_file"} <= result["found"].keys()
