"""The thumbnails of a gallery: those that workers have left, and those that are missing or of an earlier time."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

import numpy as np

from relight_assets.config.settings import Settings
from relight_assets.dataset.derived.thumbnails import of_photo, of_record, read_thumbnail, shown_files, write_thumbnail
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import known_stamps
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ForgottenError, ImageError
from relight_assets.exports.threads import in_threads
from relight_assets.imaging.decode import decode
from relight_assets.imaging.png import decode_png
from relight_assets.imaging.thumbnail import MadeOf, Pixels, encode_thumbnail
from relight_assets.reports.gallery.content import Photo


def thumbnails_of(
    photos: Sequence[Photo], state: SplitState, settings: Settings, tombstones: Tombstones
) -> Iterator[bytes | None]:
    """The thumbnail of each photo, in order; None where there is no picture of it.

    What is missing is made, and kept where the folder can be written.
    """
    return in_threads(partial(_thumbnail, state=state, settings=settings, tombstones=tombstones), photos)


def _thumbnail(photo: Photo, *, state: SplitState, settings: Settings, tombstones: Tombstones) -> bytes | None:
    if photo.number is None or photo.key is None or photo.code == ForgottenError.code or photo.sha256 in tombstones:
        return None
    if photo.status == "done":
        return _of_files(photo.number, state.layout)
    if photo.sha256 and (found := read_thumbnail(state.layout, photo.number, of_photo(photo.sha256))) is not None:
        return found
    file = state.images[photo.key].file
    if file is None:
        return None
    try:
        image = decode(file, max_pixels=settings.max_pixels, image_root=settings.photo_root, forgotten=tombstones)
    except ImageError:
        return None
    return _kept(state.layout, photo.number, [image.rgb], of_photo(image.source.sha256))


def _of_files(number: int, layout: SplitLayout) -> bytes | None:
    """The thumbnail of a finished image."""
    stamps = known_stamps(layout, number)
    if stamps is None or not {"masks", "composites"} <= stamps.stages.keys():
        return None  # it has gone meanwhile
    made_of = of_record(stamps)
    found = read_thumbnail(layout, number, made_of)
    if found is not None:
        return found
    pictures: list[Pixels] = []
    try:
        for name, stamp in shown_files(stamps):
            data = layout.storage.read(layout.png(number, name), max_bytes=stamp.size)
            pictures.append(np.ascontiguousarray(decode_png(data or b"")[..., :3]))
    except (OSError, ImageError):
        return None
    return _kept(layout, number, pictures, made_of)


def _kept(layout: SplitLayout, number: int, pictures: Sequence[Pixels], made_of: MadeOf) -> bytes:
    with suppress(OSError):
        return write_thumbnail(layout, number, pictures, made_of)
    return encode_thumbnail(pictures, made_of)
