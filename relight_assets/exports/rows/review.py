"""A person's review of a split: photos that are to be kept or dropped, in ``<split>_review.csv`` beside the CSV."""

from pathlib import Path

from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.dataset.paths import index_key
from relight_assets.errors import CsvError

DECISIONS = ("keep", "drop")


def review_path(csv_path: Path, split: str) -> Path:
    """Where the review of a split is looked for."""
    return csv_path.with_name(f"{split}_review.csv")


def dropped_photos(csv: SplitCsv, image_root: AnyRoot) -> frozenset[str]:
    """The keys and sha256 of the photos that a review drops; none where there is no review.

    Raises:
        CsvError: the review cannot be read, or a row of it is not one.
    """
    path = review_path(csv.path, csv.split)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise CsvError(f"{path} cannot be read: {error}") from error
    rows = list(csv_reader(text))
    header = rows[0] if rows else []
    named = next((name for name in ("sha256", "image_path") if name in header), None)
    if named is None or "decision" not in header:
        raise CsvError(f"{path} needs a column `decision` (keep or drop) and a column `image_path` or `sha256`")
    root = ImageRoot.of(image_root)
    folders = csv.path.parent, root.folder if root is not None else None
    known = {index_key(cell, *folders) for cell in csv.table["image_path"]}
    dropped = set()
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        cells = dict(zip(header, row, strict=False))
        decision, photo = cells.get("decision", "").strip().lower(), cells.get(named, "").strip()
        if decision not in DECISIONS or not photo:
            raise CsvError(f"{path}, line {line}: `decision` must be keep or drop, and `{named}` must name a photo")
        if decision == "drop":
            key = index_key(photo, *folders)
            if named == "image_path" and key not in known:
                raise CsvError(f"{path}, line {line}: {csv.path.name} has no row with the photo {photo!r}")
            dropped.add(photo.lower() if named == "sha256" else key)
    return frozenset(dropped)
