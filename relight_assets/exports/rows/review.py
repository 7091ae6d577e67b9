"""A person's review of a split: photos to keep, drop or forget, in ``<split>_review.csv`` beside the CSV."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.dataset.paths import index_key
from relight_assets.errors import CsvError

DECISIONS = ("keep", "drop")
YES, NO = ("yes", "forget", "x", "1", "true"), ("", "no", "0", "false")
"""What a cell of the column ``forget`` may say."""


class Reviewed(NamedTuple):
    """A row of a review."""

    photo: str
    """A path as the CSV has it, or a sha256."""
    key: str
    """Its lasting name, or the sha256 in lower case."""
    drop: bool
    forget: bool
    cells: Mapping[str, str]
    """All cells of the row, by column."""


def review_path(csv_path: Path, split: str) -> Path:
    """Where the review of a split is looked for."""
    return csv_path.with_name(f"{split}_review.csv")


def dropped_photos(csv: SplitCsv, image_root: AnyRoot) -> frozenset[str]:
    """The keys and sha256 of the photos that a review drops or wants forgotten; none where there is no review.

    Raises:
        CsvError: the review cannot be read, or a row of it is not one.
    """
    return frozenset(row.key for row in reviewed_photos(csv, image_root) if row.drop or row.forget)


def photos_to_forget(csv: SplitCsv, image_root: AnyRoot) -> list[str]:
    """The photos that a review wants forgotten, as it names them: by path or by sha256.

    Raises:
        CsvError: as :func:`dropped_photos`.
    """
    return [row.photo for row in reviewed_photos(csv, image_root) if row.forget]


def reviewed_photos(csv: SplitCsv, image_root: AnyRoot) -> Iterator[Reviewed]:
    """The rows of a review; none where there is none.

    Raises:
        CsvError: as :func:`dropped_photos`.
    """
    path = review_path(csv.path, csv.split)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise CsvError(f"{path} cannot be read: {error}") from error
    rows = list(csv_reader(text))
    header = rows[0] if rows else []
    named = next((name for name in ("sha256", "image_path") if name in header), None)
    if named is None or not {"decision", "forget"} & set(header):
        raise CsvError(
            f"{path} needs a column `decision` (keep or drop) or `forget` (yes or no), and a column `image_path` or "
            f"`sha256`"
        )
    root = ImageRoot.of(image_root)
    folders = csv.path.parent, root.folder if root is not None else None
    known = {index_key(cell, *folders) for cell in csv.columns["image_path"]}
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        cells = dict(zip(header, row, strict=False))
        found = _reviewed(cells, named, f"{path}, line {line}")
        key = found.photo.lower() if named == "sha256" else index_key(found.photo, *folders)
        if (found.drop or found.forget) and named == "image_path" and key not in known:
            raise CsvError(f"{path}, line {line}: {csv.path.name} has no row with the photo {found.photo!r}")
        yield found._replace(key=key)


def _reviewed(cells: dict[str, str], named: str, where: str) -> Reviewed:
    decision, forget = (cells.get(name, "").strip().lower() for name in ("decision", "forget"))
    photo = cells.get(named, "").strip()
    if forget not in (*YES, *NO):
        raise CsvError(f"{where}: `forget` must be yes or no")
    # Of a photo that is forgotten nothing else need be decided.
    decided = decision in DECISIONS or forget in YES or "decision" not in cells
    if not decided or not photo:
        raise CsvError(f"{where}: `decision` must be keep or drop, and `{named}` must name a photo")
    return Reviewed(photo, "", decision == "drop", forget in YES, cells)
