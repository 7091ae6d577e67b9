"""The depth or the normals of a photo, in a PNG that somebody else made."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.networks import Geometry
from relight_assets.core.regular_files import AnyRoot
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.paths import possible_places, resolve_image_path
from relight_assets.dataset.spelling import Folders
from relight_assets.errors import CsvError, GeometryFileError, GeometryMissingError, ImageError, SourceMissingError
from relight_assets.imaging import png
from relight_assets.storage.files import FileStamp, read_source, same_token

Kind = Literal["depth", "normals"]
_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""What the decoder is given: it makes room for whatever length a chunk says it has."""
_LAYOUTS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
"""Channels by the colour type in IHDR."""
MAX_SIDE = 1 << 16
"""Pixels; OpenCV takes 16 times as many and raises what is none of ours above that."""
_SPARE_BYTES = 1 << 20
_BRACE = "{{}"
"""Stands for a brace of a row's path, which begins no placeholder; no recipe may hold it."""
ASPECT = 0.02
"""How far the aspect of a map may be from its photo's."""


def files_of_rows(geometry: Geometry, split: SplitCsv, image_root: Path | None) -> list[str] | None:
    """Where the file of each row's photo is, if a column of the CSV names it; None: where ``geometry.files`` says.

    A blank cell gives ``""``.

    Raises:
        CsvError: there is no such column.
    """
    if geometry.column is None:
        return None
    if geometry.column not in split.columns:
        raise CsvError(
            f"{split.path} has no column {geometry.column!r}, which geometry.files of the recipe names: add it, or "
            f"set geometry.files to the file's place, such as {{folder}}/{{stem}}_depth.png"
        )
    return [_place(cell, split.path.parent, image_root) for cell in split.columns[geometry.column]]


def _place(cell: str, csv_folder: Path, image_root: Path | None) -> str:
    places = possible_places(cell, csv_folder.absolute(), image_root) if cell.strip() else [""]
    # Nothing in a cell is expanded: a brace stands for itself.
    return next(filter(os.path.lexists, places), places[-1]).replace("{", _BRACE)


def geometry_path(files: str, photo: Path, image_root: AnyRoot) -> Path:
    """The file that belongs to a photo, with every symbolic link resolved.  Nothing is opened.

    Args:
        files: ``geometry.files`` of the recipe, or of the photo's row (:func:`files_of_rows`).
        photo: the photo's file, as :func:`~relight_assets.dataset.paths.resolve_image_path` gave it.
        image_root: if set, the file must lie in it, like the photo.

    Raises:
        GeometryMissingError: there is none.
        GeometryFileError: it is nothing that may be opened.
    """
    if not files:
        raise GeometryMissingError("The photo's row names no geometry file: its cell is empty.")
    known = {"{folder}": str(photo.parent), "{stem}": photo.stem, _BRACE: "{"}
    text = re.sub("|".join(map(re.escape, known)), lambda match: known[match[0]], files)
    try:
        # Most photos of a folder may have none, and nobody reads a message for each of them.
        return resolve_image_path(str(photo.parent / text), photo.parent, image_root, known=Folders(max_names=0))
    except ImageError as error:
        raise _reworded(error) from error


def remembered_sha256(path: Path, remembered: Iterable[FileStamp]) -> str | None:
    """The sha256 of a file whose size and token are those of a stamp; None: it must be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    same = (stamp for stamp in remembered if stamp.size == status.st_size and same_token(stamp.token, status))
    return next((stamp.sha256 for stamp in same), None)


def read_geometry(path: Path, max_pixels: int, image_root: AnyRoot = None) -> tuple[bytes, FileStamp]:
    """The bytes of a file, read once, and their stamp.

    Raises:
        GeometryMissingError, GeometryFileError: as :func:`geometry_path`, by what was opened; or it is larger than any
            such map.
    """
    try:
        return read_source(path, max_bytes=8 * max_pixels + _SPARE_BYTES, image_root=image_root)
    except ImageError as error:
        raise _reworded(error) from error


def decode_geometry(
    data: bytes, kind: Kind, *, photo_size: tuple[int, int], max_pixels: int, name: str
) -> NDArray[np.float32]:
    """Decode a map.

    Args:
        data: a PNG, gray for depth and RGB for normals, of 8 or 16 bits; alpha is left out.
        kind: which.
        photo_size: height and width of the photo; the map may be of another size, not of another aspect.
        max_pixels: larger ones are refused.
        name: for messages.

    Returns:
        depth (h, w) float32 in 0..1; normals (h, w, 3) float32 in -1..1, in the file's order and axes.

    Raises:
        GeometryFileError: it is damaged, or another image than that.
    """
    if not data.startswith(png.SIGNATURE):
        raise GeometryFileError(f"{name!r} is no PNG.")
    width, height = _checked_size(data, kind, max_pixels, name)
    photo = photo_size[1] / photo_size[0]
    if abs(width / height / photo - 1) > ASPECT:
        raise GeometryFileError(
            f"{name!r} has {width}x{height} pixels and its photo {photo_size[1]}x{photo_size[0]}, upright: they must "
            f"be of one aspect."
        )
    image = _decoded(data, name)
    values = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    if kind == "depth":
        return values if values.ndim == 2 else values[..., 0]
    return np.ascontiguousarray(values[..., 2::-1]) * 2 - 1  # OpenCV's order is B, G, R


def _checked_size(data: bytes, kind: Kind, max_pixels: int, name: str) -> tuple[int, int]:
    """Width and height by the header, once that is known to be one of such a map."""
    try:
        first, header = next(png.chunks(data))
    except ImageError as error:
        raise GeometryFileError(f"{name!r} cannot be decoded: it is damaged or cut off.") from error
    if first != b"IHDR" or len(header) != 13:
        raise GeometryFileError(f"{name!r} cannot be decoded: it is damaged or cut off.")
    width, height = png.size_of(data)
    if not 0 < width * height <= max_pixels or max(width, height) > MAX_SIDE:
        raise GeometryFileError(f"{name!r} has {width}x{height} pixels; at most {max_pixels:,} are taken.")
    channels = _LAYOUTS.get(header[9], 0)
    if channels not in ({1, 2} if kind == "depth" else {3, 4}):
        wanted = "gray" if kind == "depth" else "RGB"
        raise GeometryFileError(f"{name!r} has {channels} channels; {kind} must be {wanted}.")
    return width, height


def _decoded(data: bytes, name: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    try:
        image = cv2.imdecode(np.frombuffer(png.only(data, _CHUNKS), np.uint8), cv2.IMREAD_UNCHANGED)
    except (ImageError, cv2.error) as error:
        raise GeometryFileError(f"{name!r} cannot be decoded: it is damaged or cut off.") from error
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise GeometryFileError(f"{name!r} cannot be decoded: it is damaged or cut off.")
    return image


def _reworded(error: ImageError) -> ImageError:
    text = re.sub(r"^(The image_path|There is no file)", _words, str(error))
    if isinstance(error, SourceMissingError):
        return GeometryMissingError(text)
    return error if error.retryable else GeometryFileError(text)


def _words(match: re.Match[str]) -> str:
    return "The geometry file" if match[0] == "The image_path" else "There is no geometry file"
