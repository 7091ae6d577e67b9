"""Photos that are the same or nearly the same as those of other splits: train must not know test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import Record, read_record
from relight_assets.engine.survey import Survey
from relight_assets.stages.fingerprint import SAME_BITS


@dataclass(frozen=True)
class Photo:
    """A photo that a split has a record of."""

    split: str
    image_path: str
    sha256: str
    fingerprint: str | None
    """64 hexadecimal digits; None in records of a version that took none."""

    @classmethod
    def of(cls, split: str, record: Record) -> "Photo":
        """The photo of a record."""
        masks = record.stages.get("masks")
        found = masks.numbers.get("fingerprint") if masks is not None else None
        return cls(split, record.image_path, record.source.sha256, found)


@dataclass(frozen=True)
class Pair:
    """Two photos that are alike; ``bits`` of their fingerprints differ, None where the bytes are the same."""

    own: Photo
    other: Photo
    bits: int | None


def look_alikes(survey: Survey) -> list[Pair]:
    """Each photo of a split that another split beside it has too, with the one that is most alike."""
    own = [Photo.of(survey.split.split, image.record) for image in survey.images.values() if image.record is not None]
    others = list(_of_other_splits(survey.layout))
    same = {photo.sha256: photo for photo in others}
    pairs = {photo: Pair(photo, same[photo.sha256], None) for photo in own if photo.sha256 in same}
    return [*pairs.values(), *_nearly([photo for photo in own if photo not in pairs], others)]


def _of_other_splits(layout: SplitLayout) -> Iterator[Photo]:
    for folder in sorted(layout.folder.parent.glob("data-*")):
        if folder == layout.folder or not folder.is_dir():
            continue
        other = SplitLayout(folder)
        for number in sorted(other.numbers("metadata.json")):
            try:
                record = read_record(other.record(number))
            except OSError:
                continue  # that is for the other split to tell
            if record is not None:
                yield Photo.of(folder.name.removeprefix("data-"), record)


def _nearly(own: Sequence[Photo], others: Sequence[Photo]) -> Iterator[Pair]:
    here, there = ([photo for photo in photos if photo.fingerprint] for photos in (own, others))
    if not here or not there:
        return
    # Every photo against every other: 10,000 against 2,000 take less than a second.
    for match in cv2.BFMatcher(cv2.NORM_HAMMING).match(_bits(here), _bits(there)):
        if match.distance <= SAME_BITS:
            yield Pair(here[match.queryIdx], there[match.trainIdx], int(match.distance))


def _bits(photos: Sequence[Photo]) -> NDArray[np.uint8]:
    return np.array([list(bytes.fromhex(photo.fingerprint or "")) for photo in photos], np.uint8)
