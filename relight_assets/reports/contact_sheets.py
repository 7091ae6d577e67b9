"""Sheets of images: a few portraits from input to output, the worst by each metric, two recipes side by side."""

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import planes_of
from relight_assets.dataset.layout import SplitLayout
from relight_assets.imaging.png import decode_png
from relight_assets.quality.measured import Verdict

COLUMNS = ("input", "foreground", "albedo", "degraded_fg", "output")
ROWS = 5
SHOWN_WIDTH = 440
"""Pixels that fit beside the names of the metadata in a window of 1,280 pixels."""
INLINE_CELL = 84
"""Pixels: five columns fit into :data:`SHOWN_WIDTH`."""
FILE_CELL = 240
WORST = 8
METRIC_CELL = 132
"""Pixels, of the sheet that `relight verify` draws."""
WORST_CELL = 106
"""Pixels: four columns."""
_GAP = 4
_DARK = 24
_CAPTION = 22
_FILE_QUALITY = 90
_MAX_BYTES = 200_000
"""Of the JPEG; a third more as base64."""
_KEPT = 64
"""Images that are kept at the size of the largest cell, 170 KiB each."""

Pixels = NDArray[np.uint8]


def contact_sheet(layout: SplitLayout, indices: Sequence[int], cell: int = INLINE_CELL) -> bytes | None:
    """A JPEG with a row for each of at most ``ROWS`` images and the columns ``COLUMNS``, squares of ``cell`` pixels.

    None where there is nothing to show.
    """
    rows = [_row(layout, [layout.shown(index, name) for name in COLUMNS], cell) for index in _spread(indices)]
    return _stacked([_captions(COLUMNS, cell), *rows]) if rows else None


def lights_sheet(layout: SplitLayout, named: Sequence[tuple[str, int]], lights: int, cell: int = FILE_CELL) -> bytes:
    """A JPEG with a row for each of at least one photo: the photo, its cut-out, its albedo, and each light of it.

    Args:
        layout: of the split.
        named: what stands over a row, and the image's number.
        lights: of each photo.
        cell: side of a picture, pixels.
    """
    shown = ("input", "foreground", "albedo", *("output" for _ in range(lights)))
    titles = ("photo", "cut-out", "albedo", *(f"light {number + 1}" for number in range(lights)))
    parts: list[Pixels] = [_captions(titles, cell)]
    for name, index in named:
        paths = [layout.shown(index, artifact, max(0, place - 3)) for place, artifact in enumerate(shown)]
        title = name.encode("ascii", "replace").decode("ascii")
        parts += [_captions([f"{index:05d}   {title}", *[""] * (len(shown) - 1)], cell), _row(layout, paths, cell)]
    sheet = cv2.cvtColor(np.concatenate(parts, axis=0), cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _FILE_QUALITY])
    return jpeg.tobytes()


def stage_sheet(layout: SplitLayout, columns: Sequence[str], named: Sequence[tuple[int, str]]) -> bytes | None:
    """A JPEG with a row for each of at most ``ROWS`` images, under its number and name; columns of :data:`SHOWN_WIDTH`.

    Args:
        layout: of the split.
        columns: the artifacts that are shown.
        named: number and file name of each image.
    """
    cell = SHOWN_WIDTH // len(columns) - _GAP
    names = dict(named)
    parts = [_captions(columns, cell)]
    for index in _spread([*names]):
        parts.append(_captions([f"{index:05d}  {names[index]}", *[""] * (len(columns) - 1)], cell))
        parts.append(_row(layout, [layout.shown(index, name) for name in columns], cell))
    return _stacked(parts) if names else None


def photo_sheet(photos: Sequence[tuple[str, Pixels | None]]) -> bytes | None:
    """A JPEG of photos, four in a row, each under its caption; None is a photo that cannot be shown."""
    parts: list[Pixels] = []
    for start in range(0, len(photos), 4):
        four = [*photos[start : start + 4], *[("", None)] * 3][:4]
        dark = np.full((WORST_CELL, WORST_CELL, 3), _DARK, np.uint8)
        parts.append(_captions([caption for caption, _ in four], WORST_CELL))
        parts.append(_in_a_row([dark if photo is None else _cell(photo, WORST_CELL) for _, photo in four]))
    return _stacked(parts) if parts else None


def comparison_sheet(
    own: SplitLayout, experiment: SplitLayout, pairs: Sequence[tuple[int, int]], cell: int = INLINE_CELL
) -> bytes | None:
    """A JPEG with a row for each of at most ``ROWS`` images: the photo, both degraded persons, both outputs.

    ``pairs``: an image's number in the split's own folder and in the experiment's.
    """
    names = ("input", "degraded: split", "experiment", "output: split", "experiment")
    rows = []
    for here, there in (pairs[number] for number in _spread(range(len(pairs)))):
        cells = [_cell_of(experiment, experiment.png(there, "input"), cell)]
        for name in ("degraded_fg", "output"):
            cells += [
                _cell_of(each, each.shown(index, name), cell) for each, index in ((own, here), (experiment, there))
            ]
        rows.append(_in_a_row(cells))
    return _stacked([_captions(names, cell), *rows]) if rows else None


def worst_sheet(layout: SplitLayout, image: str, worst: Sequence[tuple[int, float]]) -> bytes | None:
    """A JPEG of at most ``WORST`` images, four in a row, each under its number and value; the worst come first."""
    parts: list[Pixels] = []
    shown = worst[:WORST]
    for start in range(0, len(shown), 4):
        four = shown[start : start + 4]
        row = _row(layout, [layout.shown(index, image) for index, _ in four], WORST_CELL)
        strip = _captions([f"{index:05d}   {value:.4g}" for index, value in four], WORST_CELL)
        for part in (strip, row):
            missing = 4 * (WORST_CELL + _GAP) - part.shape[1] if start else 0
            parts.append(np.pad(part, ((0, 0), (0, missing), (0, 0)), constant_values=_DARK))
    return _stacked(parts) if parts else None


def metric_sheet(
    layout: SplitLayout,
    found: Sequence[Verdict],
    images: Sequence[str] = (),
    cell: int = METRIC_CELL,
    count: int = WORST,
) -> Pixels | None:
    """The worst ``count`` images of each metric that tells them, those first, each under its number and figure.

    Args:
        layout: of the split.
        found: the metrics.
        images: one below the other for each image; none: the one that shows the metric.
        cell: side of an image, pixels.
        count: images of each metric at most.

    Returns:
        (H, W, 3) uint8; None where no metric has images.
    """
    cells = partial(_cell_of, layout, side=cell)
    parts: list[Pixels] = []
    for verdict in found:
        lights = verdict.worst_variants or (0,) * len(verdict.worst)
        worst = list(zip(verdict.worst, verdict.worst_values, lights, strict=True))[:count]
        if not worst:
            continue
        empty = [""] * (count - len(worst))
        parts.append(_captions([f"{verdict.metric}: {verdict.bound}", *[""] * (count - 1)], cell))
        parts.append(_captions([*(f"{index:05d}   {value:.3g}" for index, value, _ in worst), *empty], cell))
        for name in images or (verdict.image,):
            row = [cells(layout.shown(index, name, light)) for index, _, light in worst]
            parts.append(_in_a_row([*row, *[np.full((cell, cell, 3), _DARK, np.uint8)] * len(empty)]))
    return np.concatenate(parts, axis=0) if parts else None


def _spread(indices: Sequence[int]) -> list[int]:
    """At most ``ROWS`` indices, evenly over all."""
    ordered = sorted(indices)
    if len(ordered) <= ROWS:
        return ordered
    return [ordered[round(step * (len(ordered) - 1) / (ROWS - 1))] for step in range(ROWS)]


def small_jpeg(sheet: Pixels) -> bytes:
    """A JPEG of (H, W, 3) uint8, as good as it can be in a size that the UI is given."""
    for quality in (88, 80, 70, 55, 35):
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if jpeg.nbytes <= _MAX_BYTES:
            break
    return jpeg.tobytes()


def _stacked(parts: Sequence[Pixels]) -> bytes:
    return small_jpeg(np.concatenate(parts, axis=0))


def _row(layout: SplitLayout, paths: Sequence[Path], side: int) -> Pixels:
    return _in_a_row([_cell_of(layout, path, side) for path in paths])


def _in_a_row(cells: Sequence[Pixels]) -> Pixels:
    edge = ((0, _GAP), (0, _GAP), (0, 0))
    return np.concatenate([np.pad(cell, edge, constant_values=_DARK) for cell in cells], axis=1)


def _cell_of(layout: SplitLayout, path: Path, side: int) -> Pixels:
    try:
        return _cell(_shrunk(layout, path, layout.storage.state(path)), side)
    except Exception:  # noqa: BLE001  (missing, damaged or no such image: the others are shown)
        return np.full((side, side, 3), 32, np.uint8)


@lru_cache(_KEPT)
def _shrunk(layout: SplitLayout, path: Path, _: tuple[int, str]) -> Pixels:
    # Kept by the file's size and time, because most images are on several sheets of a run.
    return _fitting(decode_png(layout.storage.read(path) or b""), FILE_CELL)


def _cell(pixels: Pixels, side: int) -> Pixels:
    small = _fitting(pixels, side)
    cell = np.full((side, side, 3), _DARK, np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell


def _fitting(pixels: Pixels, side: int) -> Pixels:
    """The pixels at the size that fits into a square, (h, w, 3)."""
    step = max(1, max(pixels.shape[:2]) // (4 * side))  # what is much larger takes seconds, and shows no more
    pixels = np.ascontiguousarray(pixels[::step, ::step])
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(_on_checkerboard(pixels), size, interpolation=cv2.INTER_AREA)


def _on_checkerboard(pixels: Pixels) -> Pixels:
    if pixels.shape[2] == 3:
        return pixels
    height, width = pixels.shape[:2]
    square = max(4, max(height, width) // 32)
    rows, columns = np.arange(height) // square % 2, np.arange(width) // square % 2
    board = np.where(rows[:, None] ^ columns[None, :], np.uint8(205), np.uint8(160))
    *colors, alpha = planes_of(pixels)
    behind = cv2.multiply(board, cv2.bitwise_not(alpha), scale=1 / 255)
    return cv2.merge([cv2.add(cv2.multiply(color, alpha, scale=1 / 255), behind) for color in colors])


def _captions(texts: Sequence[str], side: int) -> Pixels:
    strip = np.full((_CAPTION, len(texts) * (side + _GAP), 3), _DARK, np.uint8)
    for column, text in enumerate(texts):
        place = (column * (side + _GAP) + 6, _CAPTION - 7)
        cv2.putText(strip, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
    return strip
