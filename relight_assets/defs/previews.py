"""The contact sheet: a few portraits, each from input to output, small enough to live in the UI."""

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import dagster as dg
import numpy as np
from numpy.typing import NDArray

from relight_assets.dataset.files import write_atomic
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.png import decode_png
from relight_assets.engine.run import CONTACT_SHEET

COLUMNS = ("input", "foreground", "albedo", "degraded_fg", "output")
ROWS = 5
_CELL = 200
_GAP = 4
_CAPTION = 22
_MAX_BYTES = 200_000
"""Of the JPEG; a third more as base64, which stays under the 300 kB that the UI takes with ease."""

Pixels = NDArray[np.uint8]


def contact_sheet(layout: SplitLayout, indices: Sequence[int]) -> bytes | None:
    """A JPEG with one row per image and the columns ``COLUMNS``; None where there is nothing to show."""
    if not indices:
        return None
    rows = [_row(layout, index) for index in _spread(indices)]
    sheet = np.concatenate([_captions(rows[0].shape[1]), *rows], axis=0)
    for quality in (88, 80, 70, 55, 35):
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if jpeg.nbytes <= _MAX_BYTES:
            break
    return jpeg.tobytes()


def save_sheet(layout: SplitLayout, jpeg: bytes) -> Path:
    """Write the sheet beside the outputs."""
    path = layout.folder / CONTACT_SHEET
    write_atomic(path, jpeg)
    return path


def inline(jpeg: bytes) -> dg.MarkdownMetadataValue:
    """The sheet as metadata that the UI shows as a picture."""
    data = base64.b64encode(jpeg).decode("ascii")
    return dg.MetadataValue.md(f"![{' | '.join(COLUMNS)}](data:image/jpeg;base64,{data})")


def _spread(indices: Sequence[int]) -> list[int]:
    """At most ``ROWS`` indices, evenly over all."""
    ordered = sorted(indices)
    if len(ordered) <= ROWS:
        return ordered
    return [ordered[round(step * (len(ordered) - 1) / (ROWS - 1))] for step in range(ROWS)]


def _row(layout: SplitLayout, index: int) -> Pixels:
    cells: list[Pixels] = []
    for name in COLUMNS:
        try:
            cells.append(_cell(decode_png(layout.png(index, name).read_bytes())))
        except FileNotFoundError:
            cells.append(np.full((_CELL, _CELL, 3), 32, np.uint8))
    return np.concatenate([np.pad(cell, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=24) for cell in cells], axis=1)


def _cell(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = _CELL / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(_on_checkerboard(pixels), size, interpolation=cv2.INTER_AREA)
    cell = np.full((_CELL, _CELL, 3), 24, np.uint8)
    top, left = (_CELL - small.shape[0]) // 2, (_CELL - small.shape[1]) // 2
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell


def _on_checkerboard(pixels: Pixels) -> Pixels:
    if pixels.shape[2] == 3:
        return pixels
    height, width = pixels.shape[:2]
    square = max(4, max(height, width) // 32)
    rows, columns = np.arange(height) // square % 2, np.arange(width) // square % 2
    board = np.where(rows[:, None] ^ columns[None, :], 205, 160).astype(np.float32)[..., None]
    alpha = pixels[..., 3:].astype(np.float32) / 255.0
    mixed: Pixels = np.rint(pixels[..., :3] * alpha + board * (1.0 - alpha)).astype(np.uint8)
    return mixed


def _captions(width: int) -> Pixels:
    strip = np.full((_CAPTION, width, 3), 24, np.uint8)
    for column, name in enumerate(COLUMNS):
        place = (column * (_CELL + _GAP) + 6, _CAPTION - 7)
        cv2.putText(strip, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (230, 230, 230), 1, cv2.LINE_AA)
    return strip
