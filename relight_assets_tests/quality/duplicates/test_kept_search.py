"""A search that goes on from the last one finds what a search from nothing finds, whatever came, changed or went."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.quality.duplicates import kept_search
from relight_assets.quality.duplicates.kept_search import IDENTITY_BYTES, Compared, Found, search
from relight_assets.quality.duplicates.near_fingerprints import BITS, Fingerprints

Integers = NDArray[np.int64]
SAME_BITS = 6


def compared(photos: Mapping[int, bytes]) -> Compared:
    """Photos by number, in the order of these."""
    numbers = sorted(photos)
    identities = (
        hashlib.blake2b(b"%d %s" % (number, photos[number]), digest_size=IDENTITY_BYTES) for number in numbers
    )
    fingerprints = np.frombuffer(b"".join(photos[number] for number in numbers), np.uint8).reshape(-1, BITS // 8)
    return Compared(b"".join(each.digest() for each in identities), fingerprints)


def radius(fingerprints: Fingerprints) -> Integers:
    """So many bits may differ, which is a matter of the fingerprint alone."""
    return np.minimum(SAME_BITS, np.bitwise_count(fingerprints).sum(axis=1) // 20).astype(np.int64)


class Photos:
    """Some that are alike, some that are equal and some that are neither; and what happens to them."""

    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)
        self.motifs = self.generator.integers(0, 256, (6, BITS // 8), np.uint8)
        self.by_number: dict[int, bytes] = {}
        self.change(add=40)

    def one(self) -> bytes:
        bits = np.unpackbits(self.generator.choice(self.motifs))
        bits[self.generator.integers(0, BITS, self.generator.integers(0, 9))] ^= 1
        return np.packbits(bits).tobytes()

    def change(self, *, add: int = 0, change: int = 0, remove: int = 0) -> None:
        for number in self.generator.permutation(sorted(self.by_number))[: change + remove].tolist():
            del self.by_number[number]
            if change:
                self.by_number[number], change = self.one(), change - 1
        # New numbers stand between the others too, and may be those of photos that went.
        free = [number for number in range(400) if number not in self.by_number]
        for number in self.generator.permutation(free)[:add].tolist():
            self.by_number[number] = self.one()

    def anything(self) -> None:
        add, change, remove = self.generator.integers(0, 8, 3).tolist()
        self.change(add=add, change=change, remove=remove)


def found_anew(own: Compared, others: Compared | None) -> Found:
    return search(own, others, radius(own.fingerprints), None)


@pytest.mark.parametrize("seed", range(6))
def test_within_a_split_everything_may_happen(seed: int) -> None:
    photos, kept, near = Photos(seed), None, 0
    for _ in range(12):
        own = compared(photos.by_number)
        kept = search(own, None, radius(own.fingerprints), Found.decoded(kept.encoded()) if kept is not None else None)
        assert kept == found_anew(own, None)
        near += int(np.count_nonzero(kept.places_and_bits()[0] >= 0))
        photos.anything()
    assert near > 100


@pytest.mark.parametrize("seed", range(6))
def test_between_splits_everything_may_happen_to_both(seed: int) -> None:
    photos, others, kept, near = Photos(seed), Photos(seed + 100), None, 0
    others.motifs = photos.motifs
    others.change(change=40)
    for _ in range(12):
        own, there = compared(photos.by_number), compared(others.by_number)
        kept = search(own, there, radius(own.fingerprints), kept)
        assert kept == found_anew(own, there)
        near += int(np.count_nonzero(kept.places_and_bits()[0] >= 0))
        photos.anything()
        others.anything()
    assert near > 100


def test_all_may_go_and_come_back() -> None:
    photos, kept = compared(Photos(1).by_number), None
    nothing = compared({})
    for own, others in ((photos, None), (nothing, None), (photos, None)):
        kept = search(own, others, radius(own.fingerprints), kept)
        assert kept == found_anew(own, others)
    for own, others in ((photos, nothing), (photos, photos), (nothing, photos), (photos, nothing), (photos, photos)):
        kept = search(own, others, radius(own.fingerprints), kept)
        assert kept == found_anew(own, others)


def test_what_a_search_of_another_kind_found_does_not_count() -> None:
    own, others = compared(Photos(1).by_number), compared(Photos(2).by_number)
    for one, other in ((None, others), (others, None)):
        assert search(own, one, radius(own.fingerprints), found_anew(own, other)) == found_anew(own, one)


def test_what_is_known_is_not_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    real = kept_search.nearest

    def nearest(own: Fingerprints, others: Fingerprints | None, radius: Integers) -> tuple[Integers, Integers]:
        if size := len(own) * len(own if others is None else others):
            sizes.append((len(own), size // len(own)))
        return real(own, others, radius)

    monkeypatch.setattr(kept_search, "nearest", nearest)
    alone = {number: np.random.default_rng(number).bytes(BITS // 8) for number in range(20)}
    own = compared(alone)
    kept = search(own, None, radius(own.fingerprints), None)
    assert sizes == [(20, 20)]
    sizes.clear()
    assert search(own, None, radius(own.fingerprints), kept) == kept
    assert sizes == []
    more = compared(alone | {30: alone[4]})
    found = search(more, None, radius(more.fingerprints), kept)
    assert sizes == [(20, 1), (1, 20), (1, 1)]
    assert found.places_and_bits()[0][[4, 20]].tolist() == [20, 4]
    sizes.clear()
    search(own, None, radius(own.fingerprints), found)
    assert sizes == [(1, 19), (1, 1)], "its nearest is gone"


@pytest.mark.parametrize("data", [None, b"", b"\xc1", b"\x93\xc4\x00\xc0\xc4\x01x", b"\x07"])
def test_what_is_no_finding_counts_as_none(data: bytes | None) -> None:
    assert Found.decoded(data) is None
    found = found_anew(compared(Photos(3).by_number), None)
    assert Found.decoded(found.encoded()) == found
