"""The thumbnails of a split: ``.thumbnails/NNNNN.jpg``, the photo and its outputs side by side, for galleries.

They are derived: no record lists them, and one that is missing, or of an earlier time, is made anew.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from relight_assets.core.hashing import canonical_digest
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import RecordStamps
from relight_assets.imaging.thumbnail import MadeOf, Pixels, encode_thumbnail, thumbnail_made_of
from relight_assets.storage.files import FileStamp

_MAX_BYTES = 16 << 20
"""A larger file is none of ours: the thumbnail of a thousand lights has three."""


def shown_files(record: RecordStamps) -> Iterator[tuple[str, FileStamp]]:
    """Name and stamp of each file that the thumbnail of a finished image shows, in order."""
    yield "input", record.stages["masks"].files["input"]
    yield from record.stages["composites"].files.items()


def of_record(record: RecordStamps) -> MadeOf:
    """What the thumbnail of a finished image is to be of."""
    shas = [stamp.sha256 for _, stamp in shown_files(record)]
    return MadeOf(record.source.sha256, canonical_digest(shas)[:16], len(shas))


def of_photo(source_sha256: str) -> MadeOf:
    """What the thumbnail of an image that could not be made is to be of: its photo alone."""
    return MadeOf(source_sha256, canonical_digest([source_sha256])[:16], 1)


def read_thumbnail(layout: SplitLayout, index: int, made_of: MadeOf) -> bytes | None:
    """The thumbnail of an image; None where there is none of just this."""
    try:
        data = layout.storage.read(layout.thumbnail(index), max_bytes=_MAX_BYTES)
    except OSError:
        return None
    return data if data is not None and thumbnail_made_of(data) == made_of else None


def write_thumbnail(layout: SplitLayout, index: int, pictures: Sequence[Pixels], made_of: MadeOf) -> bytes:
    """Write and return the thumbnail of an image.

    Args:
        layout: of the split.
        index: the image's number.
        pictures: uint8 (H, W, 3) RGB, as ``made_of`` counts them.
        made_of: what they are of.

    Raises:
        OSError: it cannot be written.
    """
    data = encode_thumbnail(pictures, made_of)
    layout.storage.make_folder(layout.thumbnails)
    layout.storage.put(layout.thumbnail(index), data)
    return data


def remove_thumbnail(layout: SplitLayout, index: int) -> None:
    """Remove the thumbnail of an image, if there is one.

    Raises:
        PlaceTakenError: what lies there cannot be removed.
        OSError: as the system gave it.
    """
    with suppress(NotADirectoryError):  # somebody's file is where the folder would be
        layout.storage.remove(layout.thumbnail(index))


def clean_thumbnails(layout: SplitLayout) -> None:
    """Remove what killed writers left among the thumbnails, whose only writer the caller is.

    Raises:
        OSError: their folder cannot be read.
    """
    with suppress(NotADirectoryError):
        layout.storage.clean(layout.thumbnails)
