"""A search for the nearest fingerprints that goes on from what the one before it found.

Of two fingerprints that were compared, and are still what they were, the distance is known.  So what is new is compared
with everything, and what is not new with what is new; only whose nearest is gone is compared with everything again.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from relight_assets.quality.duplicates.near_fingerprints import Fingerprints, nearest

IDENTITY_BYTES = 16
_PLACE_BITS = 40
_NONE = np.iinfo(np.int64).max
_Identities = NDArray[np.bytes_]
_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """Fingerprints that are compared, in the order in which the first of equally near ones is named."""

    identities: bytes
    """N times 16 bytes: of what has a fingerprint, with that; no two are equal.

    Equal ones of two searches must stand in the same order in both.
    """
    fingerprints: Fingerprints
    """(N, 32) uint8."""

    def __len__(self) -> int:
        return len(self.fingerprints)


class Found(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a search found, to be kept; arrays as their bytes."""

    own: bytes
    """Identities of the N that were searched for."""
    others: bytes | None
    """Identities of the M among which the nearest were; None: ``own``."""
    best: bytes
    """(N,) int64: the bits that differ and the place of the nearest as one number; the largest where there is none."""

    @classmethod
    def decoded(cls, data: bytes | None) -> "Found | None":
        """What was encoded; None where it is none."""
        try:
            found = msgspec.msgpack.decode(data, type=cls) if data is not None else None
        except msgspec.DecodeError:
            return None
        return found if found is not None and len(found.best) * 2 == len(found.own) else None

    def encoded(self) -> bytes:
        """As it is kept."""
        return msgspec.msgpack.encode(self)

    def places_and_bits(self) -> tuple[_Integers, _Integers]:
        """(N,) int64 places of the nearest, -1 where none is within the radius; (N,) int64 bits that differ."""
        best = np.frombuffer(self.best, np.int64)
        is_near = best != _NONE
        return np.where(is_near, best & ((1 << _PLACE_BITS) - 1), -1), np.where(is_near, best >> _PLACE_BITS, -1)


def search(own: Compared, others: Compared | None, radius: NDArray[np.integer], kept: Found | None) -> Found:
    """The nearest other of each, as :func:`nearest` finds it.

    Args:
        own: of which the nearest are searched.
        others: among which; None: among ``own``, of which no one is its own neighbour.
        radius: (N,) for each of ``own``, how many bits may differ; a matter of the fingerprint alone.
        kept: what a search of this kind found before, with the same radius for the same fingerprint; None: nothing.
    """
    theirs = own if others is None else others
    best = np.full(len(own), _NONE)
    is_known, is_new = np.zeros(len(own), bool), np.ones(len(theirs), bool)
    if kept is not None and (kept.others is None) is (others is None):
        moved = _moved(kept, theirs)
        is_new[moved[moved >= 0]] = False
        was, now = _in_both(kept.own, own.identities)
        found = _moved_best(np.frombuffer(kept.best, np.int64)[was], moved)
        best[now], is_known[now] = found, found >= 0
        best[~is_known] = _NONE

    def compare(queries: _Integers, among: _Integers | None) -> None:
        """Take the nearest into account that ``queries`` have ``among`` others; None: among themselves."""
        there = None if among is None else theirs.fingerprints[among]
        places, bits = nearest(own.fingerprints[queries], there, radius[queries])
        hits = np.flatnonzero(places >= 0)
        among = queries if among is None else among
        best[queries[hits]] = np.minimum(best[queries[hits]], bits[hits] << _PLACE_BITS | among[places[hits]])

    known, open_ = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    compare(known, np.flatnonzero(is_new))
    if others is None:
        compare(open_, known)
        compare(open_, None)
    else:
        compare(open_, np.arange(len(theirs)))
    return Found(own.identities, None if others is None else others.identities, best.tobytes())


def _moved(kept: Found, theirs: Compared) -> _Integers:
    """(M,) for each of those among which the last search was, its place now, -1 where it is gone."""
    before = kept.own if kept.others is None else kept.others
    moved = np.full(len(before) // IDENTITY_BYTES, -1)
    was, now = _in_both(before, theirs.identities)
    moved[was] = now
    return moved


def _moved_best(best: _Integers, moved: _Integers) -> _Integers:
    """What was found with places as they are now; -1 where the nearest is gone."""
    is_near = best != _NONE
    places = moved[best[is_near] & ((1 << _PLACE_BITS) - 1)]
    found = np.full(len(best), _NONE)
    found[is_near] = np.where(places < 0, -1, best[is_near] >> _PLACE_BITS << _PLACE_BITS | places)
    return found


def _in_both(one: bytes, other: bytes) -> tuple[_Integers, _Integers]:
    """The places of what is in both, in the one and in the other."""
    if one == other:
        places = np.arange(len(one) // IDENTITY_BYTES)
        return places, places
    first, second = (np.frombuffer(each, f"S{IDENTITY_BYTES}") for each in (one, other))
    _, was, now = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return was, now
