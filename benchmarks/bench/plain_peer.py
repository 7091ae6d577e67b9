"""Run ``benchmarks/bench/plain.py`` on photos that a run has finished, with that run's masks."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench.pipeline_run import FILES_PER_IMAGE
from relight_assets.dataset.layout import SplitLayout
from relight_assets.errors import UserError
from relight_assets.imaging.png import decode_png, encode_png


@dataclass(frozen=True)
class PlainCost:
    """CPU of the plain peer, per image."""

    cpu_s_per_image: float
    stage_cpu_ms: dict[str, float]


def script() -> Path:
    """The plain peer's file."""
    return Path(__file__).with_name("plain.py")


def write_masks(photos: list[Path], layout: SplitLayout, masks: Path) -> None:
    """The alpha of each photo's foreground, as a gray PNG by the photo's stem (``00017``, its number)."""
    masks.mkdir(exist_ok=True)
    for photo in photos:
        foreground = decode_png(layout.png(int(photo.stem), "foreground").read_bytes())
        (masks / f"{photo.stem}.png").write_bytes(encode_png(foreground[..., 3]))


def plain_once(photos: list[Path], masks: Path, out: Path, *, by_plane: bool) -> PlainCost:
    """Run it with one thread, its cheapest in CPU, and otherwise as anybody would."""
    cost = out.with_suffix(".json")
    command = [sys.executable, str(script()), *map(str, photos), "--masks", str(masks), "--out", str(out)]
    subprocess.run(
        [*command, "--json", str(cost), *(["--by-plane"] if by_plane else [])],
        env={**os.environ, "OPENCV_FOR_THREADS_NUM": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    written = len(list(out.iterdir()))
    if written != len(photos) * FILES_PER_IMAGE:
        raise UserError(f"the plain peer wrote {written} files for {len(photos)} photos")
    return PlainCost(**json.loads(cost.read_bytes()))
