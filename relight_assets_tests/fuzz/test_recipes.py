"""Recipes, platform files and variables: one sentence for each mistake, or a recipe; and little memory."""

import json
import subprocess
import sys
from pathlib import Path

from relight_assets_tests.fuzz.conftest import rounds, seed, tried

MAX_PEAK_MIB = 1200


def test_a_recipe_is_refused_in_a_sentence_or_can_be_used(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "relight_assets_tests.fuzz.recipes", str(seed()), str(rounds(150)), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert not answer["found"], "\n\n".join(answer["found"][:20])
    assert sum(answer["outcomes"].values()) == rounds(150)
    assert answer["peak_mib"] < MAX_PEAK_MIB
    for told, count in answer["outcomes"].items():
        kind, _, outcome = told.rpartition(": ")
        tried[kind, outcome] += count
    tried["recipes, peak", f"{answer['peak_mib']} MiB"] += 1
