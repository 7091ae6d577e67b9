"""The records of a split, one at a time: read, used, dropped, because all of them together do not fit into memory."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from relight_assets.dataset.layout import RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.record_types import Record, RecordStamps
from relight_assets.dataset.records import read_record
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.record_cache import open_records
from relight_assets.stages.base import Stage


@dataclass(frozen=True, slots=True)
class RecordedImage:
    """An image and what its record says now."""

    record: Record
    current: tuple[Stage, ...]
    """Its stages that are current, all of which the record has."""


def recorded_images(layout: SplitLayout, images: Iterable[ImageState]) -> Iterator[RecordedImage]:
    """The images that have a record, in their order.

    A record that has gone, or cannot be read any more, since the images were scanned is left out.
    """
    for image in images:
        if image.recorded and image.index is not None and (record := _record(layout, image.index)) is not None:
            yield RecordedImage(record, tuple(stage for stage in image.current if stage in record.stages))


def recorded_stamps(
    layout: SplitLayout, images: Iterable[ImageState]
) -> Iterator[tuple[RecordStamps, tuple[Stage, ...]]]:
    """What the records of these images say of files, and the stages that are current; as :func:`recorded_images`.

    They come from the cache of the records as far as that knows them, so in the order of their numbers most quickly.
    """
    with open_records(layout, "") as records:
        for image in images:
            if image.recorded and image.index is not None:
                with suppress(OSError):
                    if (known := records.read(image.index)) is not None:
                        stages = known.stamps.stages
                        yield known.stamps, tuple(stage for stage in image.current if stage in stages)


def recorded_photos(layout: SplitLayout, numbers: Iterable[int]) -> Iterator[RecordStamps]:
    """What the records of these numbers say of their photos, as :func:`recorded_stamps`; the numbers ascend."""
    with open_records(layout, "") as records:
        for number in numbers:
            with suppress(OSError):
                if (known := records.read(number)) is not None:
                    yield known.stamps


def _record(layout: SplitLayout, index: int) -> Record | None:
    try:
        return read_record(f"{layout.folder}/{index:05d}_{RECORD_SUFFIX}", layout.storage)
    except OSError:
        return None
