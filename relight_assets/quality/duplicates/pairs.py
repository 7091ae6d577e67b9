"""Photos that are the same or nearly the same: in two splits (leakage), and in one (duplicates)."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.metrics import is_drawn, value_of
from relight_assets.dataset.record_types import PhotoEntry, Record, RecordStamps
from relight_assets.dataset.records import read_record
from relight_assets.engine.state.record_cache import open_records
from relight_assets.engine.state.recorded import RecordedImage, recorded_photos
from relight_assets.quality.duplicates.kept_search import IDENTITY_BYTES, Compared, Found, search
from relight_assets.quality.duplicates.near_fingerprints import BITS
from relight_assets.stages.masks.perceptual_hash import SAME_BITS
from relight_assets.stages.registry import stage_spec

TELLING_BITS = 64
"""From so many set bits on, of 256, a fingerprint says as much as it can."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that a split has a record of."""

    split: str
    image_path: str
    sha256: str
    fingerprint: str | None
    """64 hexadecimal digits; None in records of a version that took none."""
    index: int
    """Its number in its split."""

    @classmethod
    def of(cls, split: str, record: Record) -> "Photo":
        """The photo of a record."""
        masks = record.stages.get("masks")
        found = value_of("masks", masks.numbers, "fingerprint") if masks is not None else None
        return cls(split, record.image_path, record.source.sha256, found, record.index)

    @classmethod
    def of_stamps(cls, split: str, layout: SplitLayout, stamps: RecordStamps) -> "Photo":
        """The photo of what was read of a record.

        Raises:
            OSError: all of it must be read, and cannot be.
        """
        masks = stamps.stages.get("masks")
        found = None
        if isinstance(masks, PhotoEntry) and masks.numbers is not None:
            found = value_of("masks", {"fingerprint": masks.numbers.fingerprint}, "fingerprint")
        if found is None and masks is not None:
            # An older record, or one of which a metric does not fit.
            record = read_record(layout.record(stamps.index), layout.storage)
            if record is not None:
                return cls.of(split, record)
        return cls(split, stamps.image_path, stamps.source.sha256, found, stamps.index)

    @property
    def identity(self) -> bytes:
        """16 bytes for its split, number and fingerprint, none of which they tell.

        And for what decides which photos are nearly the same, so that nothing is believed that was found otherwise.
        """
        text = f"{SAME_BITS} {TELLING_BITS} {self.split}/{self.index}/{self.fingerprint}"
        return hashlib.blake2b(text.encode(), digest_size=IDENTITY_BYTES).digest()


@dataclass(frozen=True)
class Pair:
    """Two photos that are alike; ``bits`` of their fingerprints differ, None where the bytes are the same."""

    own: Photo
    other: Photo
    bits: int | None


def duplicates_across(
    own: Sequence[Photo],
    layout: SplitLayout,
    rows: Mapping[str, Collection[str | None]],
    unread: list[str] | None = None,
) -> list[Pair]:
    """Each photo of a split that another split beside it has too, with the one that is most alike.

    Args:
        own: the photos of the split, by number.
        layout: of the split, whose lock the caller holds: what is found is kept there, and the next search goes on
            from it.
        rows: the lasting names of the images of each split that has a CSV; what such a split has beside them is of
            rows that are gone, and does not count.  Of other folders everything does.
        unread: is given a sentence for each folder of another split that cannot be read.
    """
    others = list(_of_other_splits(layout, rows, [] if unread is None else unread))
    same = {photo.sha256: photo for photo in others}
    pairs = {photo: Pair(photo, same[photo.sha256], None) for photo in own if photo.sha256 in same}
    return [*pairs.values(), *_nearly([photo for photo in own if photo not in pairs], others, layout)]


def duplicates_within(photos: Sequence[Photo], layout: SplitLayout | None = None) -> list[Pair]:
    """Photos that a split has twice, with the first of each; then those that are nearly another, with the nearest.

    Args:
        photos: in the order of their numbers.
        layout: of the split, whose lock the caller holds: what is found is kept there, and the next search goes on
            from it.  None: all are compared.
    """
    first: dict[str, Photo] = {}
    again = [photo for photo in photos if first.setdefault(photo.sha256, photo) != photo]
    return [*(Pair(photo, first[photo.sha256], None) for photo in again), *_nearly_within(list(first.values()), layout)]


def same_outputs(images: Iterable[RecordedImage]) -> list[tuple[int, str, int, str]]:
    """Images of different photos, or lights of one photo, that have the same bytes, which chance cannot do.

    Each as number and name, with those of the first of ``images`` that has the bytes.  Of the same photo the same
    image is made under every number; that is for :func:`duplicates_within` to tell.
    """
    first: dict[str, tuple[int, str, str]] = {}
    found = []
    for record in (image.record for image in images):
        entry = record.stages.get("composites")
        of_lights = _made_of_lights(record)
        for name, stamp in sorted(entry.files.items()) if entry is not None else ():
            if name in of_lights:
                continue
            index, there, source = first.setdefault(stamp.sha256, (record.index, name, record.source.sha256))
            if (index, there) != (record.index, name) and (source, there) != (record.source.sha256, name):
                found.append((record.index, name, index, there))
    return found


def _made_of_lights(record: Record) -> set[str]:
    """The composites that are no drawn light's: what is made of a light may well be what it was."""
    degraded = record.stages.get("degraded")
    lights = degraded.lights if degraded is not None else []
    names = stage_spec("composites").files(len(lights))
    return {name for name, light in zip(names, lights, strict=True) if not is_drawn(light)}


def photos_of(split: str, images: Iterable[RecordedImage]) -> list[Photo]:
    """The photos of images, by their numbers."""
    return sorted((Photo.of(split, image.record) for image in images), key=lambda photo: photo.index)


def photos_at(split: str, layout: SplitLayout, numbers: Iterable[int]) -> Iterator[Photo]:
    """The photos under ascending numbers; one whose record is not there, or cannot be read, is left out."""
    for stamps in recorded_photos(layout, numbers):
        with suppress(OSError):
            yield Photo.of_stamps(split, layout, stamps)


def _of_other_splits(
    layout: SplitLayout, rows: Mapping[str, Collection[str | None]], unread: list[str]
) -> Iterator[Photo]:
    root, names = layout.folder.parent, []
    with suppress(PermissionError):
        names = sorted(layout.storage.names(root))
    for name in names:
        folder, split = root / name, name.removeprefix("data-")
        other = SplitLayout(folder, layout.storage)
        if name == split or folder == layout.folder or not other.is_there:
            continue
        try:
            numbers = sorted(other.numbers("metadata.json"))
        except OSError as error:
            unread.append(f"{folder} cannot be read: {error.strerror}")
            continue
        for photo in photos_at(split, other, numbers):
            if split not in rows or photo.image_path in rows[split]:
                yield photo


def _nearly(own: Sequence[Photo], others: Sequence[Photo], layout: SplitLayout) -> Iterator[Pair]:
    here, there = ([photo for photo in photos if photo.fingerprint] for photos in (own, others))
    for place, other, bits in _nearest_places(here, there, layout):
        if bits <= _same_bits(here[place], there[other]):
            yield Pair(here[place], there[other], bits)


def _nearly_within(own: Sequence[Photo], layout: SplitLayout | None) -> Iterator[Pair]:
    photos = [photo for photo in own if photo.fingerprint]
    reported = set()
    for place, other, bits in _nearest_places(photos, None, layout):
        later, earlier = max(place, other), min(place, other)
        if bits <= _same_bits(photos[later], photos[earlier]) and (later, earlier) not in reported:
            reported.add((later, earlier))
            yield Pair(photos[later], photos[earlier], bits)


def _nearest_places(
    own: Sequence[Photo], others: Sequence[Photo] | None, layout: SplitLayout | None
) -> Iterator[tuple[int, int, int]]:
    """The places of each photo and of the other that is most alike, and the bits that differ: few enough for the one.

    ``others``: None: the photo itself is left out.  ``layout``: where what is found is kept; None: nowhere.
    """
    here, there = _compared(own), None if others is None else _compared(others)
    most_bits = SAME_BITS * np.minimum(1.0, np.bitwise_count(here.fingerprints).sum(axis=1) / TELLING_BITS)
    radius = np.floor(most_bits).astype(np.int64)
    found = search(here, there, radius, None) if layout is None else _searched(here, there, radius, layout)
    places, bits = found.places_and_bits()
    return ((int(one), int(places[one]), int(bits[one])) for one in np.flatnonzero(places >= 0))


def _searched(own: Compared, others: Compared | None, radius: NDArray[np.int64], layout: SplitLayout) -> Found:
    """What a search finds that goes on from the one before it, and is kept for the next one."""
    name = "duplicates" if others is None else "leakage"
    with open_records(layout, "") as records:
        kept = Found.decoded(records.finding(name))
    found = search(own, others, radius, kept)
    if found != kept:
        with open_records(layout, "", to_write=True) as records:
            records.keep_finding(name, found.encoded())
    return found


def _same_bits(one: Photo, other: Photo) -> float:
    """How many bits may differ: fewer where few are set, because what is flat, a white wall, is alike in all photos."""
    least = min(int(photo.fingerprint or "0", 16).bit_count() for photo in (one, other))
    return SAME_BITS * min(1.0, least / TELLING_BITS)


def _compared(photos: Sequence[Photo]) -> Compared:
    joined = bytes.fromhex("".join(photo.fingerprint or "" for photo in photos))
    fingerprints = np.frombuffer(joined, np.uint8).reshape(-1, BITS // 8)
    return Compared(b"".join(photo.identity for photo in photos), fingerprints)
