"""What a trainer has read of an export, and whether that is what the export promises."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.exports.base import Role
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout

Image = NDArray[np.uint8]
RESAMPLED = 4.0
"""How far a picture may be off after a trainer has resampled it: the mean of absolute differences, in levels of 255.
Two portraits of the test split are at least ten times as far apart."""


@dataclass(frozen=True)
class Row:
    """A pair as a trainer has it before its models do: pictures as (H, W, 3) RGB, masks as (H, W), uint8."""

    target: Image
    condition: Image
    caption: str
    mask: Image | None = None


def rgb(values: Any, low: float, high: float) -> Image:
    """A tensor of (3, H, W), of values from ``low`` to ``high``, as levels of (H, W, 3)."""
    return gray(np.moveaxis(np.asarray(values, dtype=np.float64), 0, -1), low, high)


def gray(values: Any, low: float, high: float) -> Image:
    """Values from ``low`` to ``high`` as levels."""
    levels = (np.asarray(values, dtype=np.float64) - low) / (high - low) * 255
    return np.rint(levels).clip(0, 255).astype(np.uint8)


def promised(folder: Path) -> list[Row]:
    """The pairs of an export, by the layout's own rule of which file is what."""
    files = layout(json.loads((folder / "manifest.json").read_bytes())["layout"]).files

    def image(role: Role, stem: str) -> Image:
        found = cv2.imread(str(folder / files[role].format(stem=stem)), cv2.IMREAD_UNCHANGED)
        assert found is not None
        return found if found.ndim == 2 else cv2.cvtColor(found, cv2.COLOR_BGR2RGB)

    stems = [line.split(",")[0] for line in (folder / "samples.csv").read_text(encoding="utf-8").splitlines()[1:]]
    return [
        Row(
            image("target", stem),
            image("condition", stem),
            (folder / files["caption"].format(stem=stem)).read_text(encoding="utf-8").strip(),
            image("mask", stem),
        )
        for stem in stems
    ]


def assert_promised(
    found: Iterable[Row], folder: Path, *, exact: bool = True, masks: bool = False, softened: bool = False
) -> None:
    """Each pair was read once, its target with its own condition, caption and mask, as RGB of one size.

    Args:
        found: in any order.
        folder: the snapshot that was read.
        exact: pixels were read as they are; else they may be resampled and cut at the middle.
        masks: the trainer takes the masks.
        softened: it blurs them.
    """
    rows, pairs = list(found), promised(folder)
    assert len(rows) == len(pairs) == json.loads((folder / "manifest.json").read_bytes())["pairs"]
    left = list(pairs)
    for row in rows:
        pair = min(left, key=lambda each: _distance(row.target, each.target))
        left = [each for each in left if each is not pair]
        assert row.target.shape == row.condition.shape
        assert row.target.shape[2] == 3
        if exact:
            assert np.array_equal(row.target, pair.target)
            assert np.array_equal(row.condition, pair.condition)
        assert _distance(row.target, pair.target) < RESAMPLED
        assert _distance(row.condition, pair.condition) < RESAMPLED
        assert " ".join(row.caption.split()) == pair.caption
        assert (row.mask is not None) == masks
        if row.mask is not None and pair.mask is not None:
            assert row.mask.shape == row.target.shape[:2]
            assert _distance(row.mask, pair.mask) < (RESAMPLED if softened or not exact else 1e-9)
    _assert_pairs_differ(pairs)
    assert read_back(folder).faults == [], "what the trainer has left there is no part of the export"


def _assert_pairs_differ(pairs: list[Row]) -> None:
    """Otherwise nothing was shown: no target passes for another, nor for its own condition."""
    for number, pair in enumerate(pairs):
        assert _distance(pair.target, pair.condition) > 2 * RESAMPLED
        assert all(_distance(pair.target, other.target) > 2 * RESAMPLED for other in pairs[:number])


def _distance(found: Image, promised: Image) -> float:
    """The mean of absolute differences, the picture that was promised scaled and cut to the size of the other."""
    height, width = found.shape[:2]
    scale = max(height / promised.shape[0], width / promised.shape[1])
    size = max(width, round(promised.shape[1] * scale)), max(height, round(promised.shape[0] * scale))
    if size != (promised.shape[1], promised.shape[0]):
        promised = cv2.resize(promised, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    part = promised[top : top + height, left : left + width]
    return float(np.abs(found.astype(np.int16) - part).mean())
