"""Photos that a command is given one by one or by folder, and the CSV that a run needs of them."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from relight_assets.cli.files import write_file
from relight_assets.core.hashing import file_sha256
from relight_assets.dataset.csv.folder import read_csv
from relight_assets.dataset.csv.read import IMAGE_COLUMN, SplitCsv
from relight_assets.dataset.tombstones import read_tombstones
from relight_assets.errors import UserError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""Of the files of a folder that are taken for photos."""


def photos_in(given: Iterable[Path]) -> list[Path]:
    """The files that are named, and the photos in the folders that are, each once.

    Raises:
        UserError: one is not there or cannot be read, or a folder has no photo.
    """
    return list(dict.fromkeys(photo.absolute() for path in given for photo in _photos_at(path)))


def _photos_at(path: Path) -> Iterator[Path]:
    try:
        if not path.is_dir():
            if not path.exists():
                raise UserError(f"there is no file or folder {path}")
            yield path
            return
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in ENDINGS and each.is_file())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    if not found:
        raise UserError(f"the folder {path} has no photo: no file in it ends in {', '.join(ENDINGS)}")
    yield from found


def refuse_forgotten(photos: Iterable[Path], output_root: Path) -> None:
    """Refuse photos that a project has forgotten; they are barred wherever the outputs go.

    Raises:
        UserError: one of them is.  OutputFolderError: the list of the photos cannot be read.
    """
    forgotten = read_tombstones(output_root)
    if not forgotten.reasons:
        return
    for photo in photos:
        try:
            if photo.is_file() and file_sha256(photo) in forgotten:
                raise UserError(f"{photo} was forgotten in this project (`relight forget`), and is not processed again")
        except OSError as error:
            raise UserError(f"{photo} cannot be read: {error.strerror or error}") from error


def csv_of(photos: Iterable[Path], path: Path) -> SplitCsv:
    """Write the CSV of a split with these photos, and read it.

    Raises:
        UserError: it cannot be written, or a path is no text.
    """
    listed = list(photos)
    for photo in listed:
        try:
            str(photo).encode("utf-8")
        except UnicodeEncodeError:
            raise UserError(f"the name {str(photo)!a} is no UTF-8 text: rename it") from None
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[IMAGE_COLUMN], *([str(photo)] for photo in listed)])
    write_file(path, text.getvalue().encode("utf-8"))
    return read_csv(path)
