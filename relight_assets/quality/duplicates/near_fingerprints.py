"""The nearest of many fingerprints, found exactly and without a comparison of all with all.

The 256 bits are cut into 16 bands of 16 bits.  Of two fingerprints that differ in at most ``r`` bits, spread any
``r + 1`` units over the bands: in at least one band they differ in fewer bits than the band has units (the pigeonhole
principle).  So it is enough to look up, per band, what differs in fewer bits than its units.  Each fingerprint spreads
its units where the fewest others are alike (Qin et al. 2018, "GPH: Similarity Search in Hamming Space"): a background
that all photos share gets none.  Where even that leaves too many, all are compared, in blocks, by the 64 bits that
tell most: these are a band too, which gets the units that cost too much in the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BITS = 256
_BAND_BITS = 16
_BANDS = BITS // _BAND_BITS
_WORDS = BITS // 64
_VALUES = 1 << _BAND_BITS
_MOST_UNITS = 4
"""Of one band, which then looks up the 697 values that differ in at most three bits."""
_RADII = (4, 10, 16, 24, BITS)
"""The search goes on to the next radius with those fingerprints that have no neighbour yet; small ones cost little."""
_LOOK_UP, _CANDIDATE, _COMPARISON = 5.0, 60.0, 1.5
"""Nanoseconds for a value that is looked up, for what is found under it, and for one in a block; only ratios count."""
_CHEAP = 0.05
"""As many for each in a block may a unit of another band cost: each leaves fewer to be compared pair by pair."""
_QUERIES = 50_000
"""Fingerprints that are looked for at a time, which bounds the memory to some 50 MiB."""
_PAIRS = 1 << 16
"""Pairs that are compared at a time."""
_ROWS, _COLUMNS = 32, 4096
"""Of a block, which fits into a processor's cache.  With shorter rows NumPy takes four times as long."""
_FEW = 0.01
"""Share of a block that is compared pair by pair."""
_TABLES_FROM = 4096
"""With fewer fingerprints all are compared, because the tables of an index cost more."""
_PLACE_BITS = 40
"""A distance and a place are one number, of which the smallest is the nearest, and of equally near ones the first."""

Fingerprints = NDArray[np.uint8]
"""(N, 32) uint8: the 256 bits of each."""
_Bits64 = NDArray[np.uint64]
_Integers = NDArray[np.int64]


def nearest(
    own: Fingerprints, others: Fingerprints | None, radius: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nearest other of each fingerprint, of several that are equally near the first.

    Args:
        own: (N, 32) uint8.
        others: (M, 32) uint8; None: those of ``own``, of which no one is its own neighbour.
        radius: (N,) for each of ``own``, how many bits may differ; the same for equal ones.

    Returns:
        (N,) int64 places in ``others``, -1 where none is within the radius; (N,) int64 bits that differ, there -1.
    """
    if not len(own) or not len(own if others is None else others):
        return np.full(len(own), -1), np.full(len(own), -1)
    # Of equal ones only the first is compared: all that is flat may be one and the same.
    mine = _Distinct.of(own)
    theirs = mine if others is None else _Distinct.of(others)
    has_tables = min(len(mine.first), len(theirs.first)) >= _TABLES_FROM
    index = _Index.of(theirs.fingerprints, has_tables=has_tables)
    search = _Search(index, index.words(mine.fingerprints), radius[mine.first].astype(np.int64), others is None)
    search.run()
    found, distances = search.result()
    places = np.where(found < 0, -1, theirs.first[found])[mine.which]
    distances = distances[mine.which]
    if others is None:
        equal = mine.first_equal_other()
        places, distances = np.where(equal < 0, places, equal), np.where(equal < 0, distances, 0)
    return places, distances


@dataclass(frozen=True)
class _Distinct:
    """Fingerprints without those that are there already, in the order in which they are first there."""

    fingerprints: Fingerprints
    first: _Integers
    """The place of the first that is equal to each."""
    which: _Integers
    """(N,) for all, which of the distinct ones each is."""

    @classmethod
    def of(cls, fingerprints: Fingerprints) -> "_Distinct":
        values = np.ascontiguousarray(fingerprints).view(f"S{BITS // 8}").ravel()
        _, first, which = np.unique(values, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return cls(fingerprints[first[order]], first[order], np.argsort(order)[which])

    def first_equal_other(self) -> _Integers:
        """(N,) for each of all the first other that is equal to it, -1 where there is none."""
        places = np.arange(len(self.which))
        is_first = self.first[self.which] == places
        second = np.full(len(self.first), -1)
        later = places[~is_first][::-1]
        second[self.which[later]] = later  # of several the earliest is written last
        return np.where(is_first, second[self.which], self.first[self.which])


@dataclass(frozen=True)
class _Band:
    """One band of all fingerprints: which have a value, and how many have one that is nearly it."""

    order: _Integers
    """(M,) places, by the value of the band."""
    starts: _Integers
    """(65,537,) where those of a value begin in ``order``."""
    within: NDArray[np.float32]
    """(65,536, 4) how many differ from a value in at most 0, 1, 2 and 3 bits."""

    @classmethod
    def of(cls, values: NDArray[np.uint16]) -> "_Band":
        counts = np.bincount(values, minlength=_VALUES)
        rings = [np.zeros_like(counts), counts]
        for bits in range(1, _MOST_UNITS):
            # One bit further than the last ring lies the next, reached over each of its bits, and the one before.
            rings.append((_of_neighbours(rings[-1]) - (_BAND_BITS - bits + 2) * rings[-2]) // bits)
        within = np.cumsum(rings[1:], axis=0).T.astype(np.float32)
        return cls(np.argsort(values, kind="stable"), np.concatenate([[0], np.cumsum(counts)]), within)


@dataclass(frozen=True)
class _Index:
    """Fingerprints by the values of their bands."""

    bit_order: _Integers
    """(256,) bits, those first that tell most: what all photos have alike gets bands of its own."""
    fingerprints: _Bits64
    """(4, M), each word apart."""
    bands: list[_Band]
    """Empty where the fingerprints, or those that are searched for, are so few that all are compared."""

    @classmethod
    def of(cls, fingerprints: Fingerprints, *, has_tables: bool) -> "_Index":
        share = np.zeros(BITS)
        for start in range(0, len(fingerprints), _QUERIES):
            share += np.unpackbits(fingerprints[start : start + _QUERIES], axis=1).sum(axis=0)
        bit_order = np.argsort(np.abs(share / max(1, len(fingerprints)) - 0.5), kind="stable")
        words = _words(fingerprints, bit_order)
        bands = _band_values(words) if has_tables else ()
        return cls(bit_order, words, [_Band.of(values) for values in bands])

    def words(self, fingerprints: Fingerprints) -> _Bits64:
        return _words(fingerprints, self.bit_order)


@dataclass
class _Search:
    """The nearest neighbours found so far."""

    index: _Index
    words: _Bits64
    """(4, N) of the fingerprints whose neighbours are looked for."""
    radius: _Integers
    to_themselves: bool

    def __post_init__(self) -> None:
        self._found = (self.radius + 1) << _PLACE_BITS
        """(N,) distance and place of the nearest; one more than the radius where there is none yet."""
        self._units = np.zeros(len(self.radius), np.int64)
        """(N,) units of those that are compared with everything, in bands that have been looked up."""
        self._waiting: list[tuple[_Integers, _Integers]] = []
        self._waiting_pairs = 0

    def result(self) -> tuple[_Integers, _Integers]:
        distances, places = self._found >> _PLACE_BITS, self._found & ((1 << _PLACE_BITS) - 1)
        is_near = distances <= self.radius
        return np.where(is_near, places, -1), np.where(is_near, distances, -1)

    def run(self) -> None:
        """Search for all."""
        queries = np.arange(len(self.radius))
        if self.index.bands:
            queries = np.sort(np.concatenate([self._search_bands(piece) for piece in _pieces(queries, _QUERIES)]))
        if len(queries):
            self._compare_all(queries)
            self._compare_waiting()

    def _search_bands(self, queries: _Integers) -> _Integers:
        """Search for all of these, radius by radius; those of them that are to be compared with everything."""
        left = [queries[:0]]
        for before, radius in pairwise((-1, *_RADII)):
            # Of those whose neighbour is as near as has been searched already, no other can be nearer.
            limits = np.minimum(self.radius, self._found >> _PLACE_BITS)[queries]
            is_open = limits > before
            queries = queries[is_open]
            if len(queries):
                is_dense = self._look_up_bands(queries, np.minimum(limits[is_open], radius))
                left.append(queries[is_dense])
                queries = queries[~is_dense]
        return np.concatenate(left)

    def _look_up_bands(self, queries: _Integers, limits: _Integers) -> NDArray[np.bool_]:
        """Look at everything within ``limits`` of each query; which of them are to be compared with everything."""
        values = _band_values(self.words[:, queries])
        units, is_dense = _spread_units(self.index.bands, values, limits + 1)
        self._units[queries[is_dense]] = units[is_dense].sum(axis=1)
        for number, band in enumerate(self.index.bands):
            for count in range(1, _MOST_UNITS + 1):
                chosen = np.flatnonzero(units[:, number] == count)
                self._look_up(band, queries[chosen], values[number][chosen], count)
        return is_dense

    def _look_up(self, band: _Band, queries: _Integers, values: NDArray[np.uint16], units: int) -> None:
        """Compare each query with what has nearly its value of a band."""
        masks = _masks(units)
        per_query = band.within[values, units - 1] + len(masks)
        for part in _parts(per_query, _PAIRS):
            wanted = (values[part, None] ^ masks).astype(np.intp)
            starts = band.starts[wanted]
            counts = band.starts[wanted + 1] - starts
            own = np.repeat(queries[part], counts.sum(axis=1))
            starts, counts = starts.ravel(), counts.ravel()
            ends = np.cumsum(counts)
            self._compare(own, band.order[np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)])

    def _compare_all(self, queries: _Integers) -> None:
        """Compare each query with everything; two queries with one another but once."""
        is_other = np.ones(self.index.fingerprints.shape[1], bool)
        if self.to_themselves:
            is_other[queries] = False
            for columns in _pieces(queries, _COLUMNS):
                self._compare_block(queries[queries >= columns[0]], columns, both=True)
        for columns in _pieces(np.flatnonzero(is_other), _COLUMNS):
            self._compare_block(queries, columns, both=False)

    def _compare_block(self, queries: _Integers, places: _Integers, *, both: bool) -> None:
        """Compare each of the queries with each of the places; ``both``: those are queries too.

        The words that tell most come first, and the others only while too many are near for a comparison pair by pair.
        """
        others, most = self.index.fingerprints[:, places], self._most_bits(places) if both else (0, 0)
        rows_at_once = _ROWS * _COLUMNS // len(places)
        differing = np.empty((min(rows_at_once, len(queries)), len(places)), np.uint64)
        for rows in _pieces(queries, rows_at_once):
            own, bits = self.words[:, rows, None], differing[: len(rows)]
            limit_of_first, limit = map(max, most, self._most_bits(rows))  # one for all takes a third of the time
            distances: NDArray[np.integer] = np.bitwise_count(np.bitwise_xor(own[0], others[0], out=bits))
            is_near = distances <= limit_of_first
            for word in range(1, _WORDS):
                if np.count_nonzero(is_near) < _FEW * is_near.size:
                    break
                counts = np.bitwise_count(np.bitwise_xor(own[word], others[word], out=bits))
                distances = distances + counts if word < _WORDS - 1 else np.add(distances, counts, dtype=np.uint16)
                is_near = distances <= limit
            else:
                is_near = self._nearest_of_block(distances, rows, places, both=both)
            one, other = np.divmod(np.flatnonzero(is_near), len(places))
            self._compare_later(rows[one], places[other])
            if both:
                self._compare_later(places[other], rows[one])

    def _nearest_of_block(
        self, distances: NDArray[np.integer], rows: _Integers, columns: _Integers, *, both: bool
    ) -> NDArray[np.bool_]:
        """Which pairs of a block are the nearest of one of the two, where many are near."""
        if both:
            _, itself, there = np.intersect1d(rows, columns, assume_unique=True, return_indices=True)
            distances[itself, there] = BITS + 1
        is_near: NDArray[np.bool_] = distances <= np.minimum(distances.min(axis=1), self._limits(rows))[:, None]
        if both:
            is_near |= distances <= np.minimum(distances.min(axis=0), self._limits(columns))
        return is_near

    def _most_bits(self, queries: _Integers) -> tuple[int, int]:
        """In how many bits of the first word, and of all, the nearest of one of these may differ at most.

        What differs in more of the first word, and yet is as near, has been found under another band.
        """
        limits = self._found[queries] >> _PLACE_BITS
        return int((limits - self._units[queries]).max()), int(limits.max())

    def _limits(self, queries: _Integers) -> NDArray[np.uint16]:
        return (self._found[queries] >> _PLACE_BITS).astype(np.uint16)

    def _compare_later(self, queries: _Integers, places: _Integers) -> None:
        """Compare pairs with others that come: of few, NumPy's calls cost more than the comparison."""
        self._waiting.append((queries, places))
        self._waiting_pairs += len(queries)
        if self._waiting_pairs >= _PAIRS:
            self._compare_waiting()

    def _compare_waiting(self) -> None:
        if self._waiting:
            queries, places = (np.concatenate(each) for each in zip(*self._waiting, strict=True))
            self._waiting.clear()
            self._waiting_pairs = 0
            self._compare(queries, places)

    def _compare(self, queries: _Integers, places: _Integers) -> None:
        """Compare pairs, and keep the nearest of each query."""
        if not len(queries):
            return
        distances = np.zeros(len(queries), np.int64)
        for own, others in zip(self.words, self.index.fingerprints, strict=True):
            distances += np.bitwise_count(own[queries] ^ others[places])
            is_near = distances <= self._found[queries] >> _PLACE_BITS
            queries, places, distances = queries[is_near], places[is_near], distances[is_near]
        if self.to_themselves:
            is_other = queries != places
            queries, places, distances = queries[is_other], places[is_other], distances[is_other]
        np.minimum.at(self._found, queries, distances << _PLACE_BITS | places)


def _spread_units(
    bands: list[_Band], values: NDArray[np.uint16], units: _Integers
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many units each query gives to each band, (N, 16), and whether the first word gets the others, (N,).

    Then the query is to be compared with everything, because to look up costs more.
    """
    look_ups = np.array([len(_masks(count)) for count in range(1, _MOST_UNITS + 1)], np.float32)
    costs = np.empty((len(units), _MOST_UNITS, len(bands)), np.float32)
    for number, band in enumerate(bands):
        costs[:, :, number] = _CANDIDATE * band.within[values[number]] + _LOOK_UP * look_ups
    costs[:, 1:] -= costs[:, :-1].copy()
    # A band's later units cost more than its first ones, so that the cheapest of all are the first ones of some bands.
    costs = np.maximum.accumulate(costs, axis=1) * (1 + 1e-4 * np.arange(_MOST_UNITS, dtype=np.float32)[:, None])
    costs = costs.reshape(len(units), -1)
    order = np.argsort(costs, axis=1)
    is_chosen = np.zeros(costs.shape, bool)
    np.put_along_axis(is_chosen, order, np.arange(costs.shape[1]) < units[:, None], axis=1)
    # With more bits than all units reach, everything is to be compared.
    cost = np.where(units > costs.shape[1], np.float32(np.inf), np.where(is_chosen, costs, 0).sum(axis=1))
    count = len(bands[0].order)
    is_dense = cost > _COMPARISON * count
    is_in_first = np.tile(np.arange(len(bands)) < len(bands) // _WORDS, _MOST_UNITS)
    is_chosen[is_dense] = (costs[is_dense] < _CHEAP * count) & ~is_in_first
    return is_chosen.reshape(len(units), _MOST_UNITS, len(bands)).sum(axis=1), is_dense


def _pieces(places: _Integers, size: int) -> Iterator[_Integers]:
    return (places[start : start + size] for start in range(0, len(places), size))


def _parts(sizes: NDArray[np.float32], limit: int) -> Iterator[slice]:
    """Slices of at least one, whose sizes add up to about ``limit`` at most."""
    number = np.cumsum(sizes, dtype=np.float64) // limit
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1), len(sizes)]
    return (slice(start, end) for start, end in pairwise(edges) if end > start)


def _words(fingerprints: Fingerprints, bit_order: _Integers) -> _Bits64:
    """(4, N) the bits in another order, as four words each."""
    found = np.empty((_WORDS, len(fingerprints)), np.uint64)
    for start in range(0, len(fingerprints), _QUERIES):
        part = slice(start, start + _QUERIES)
        bits = np.ascontiguousarray(np.unpackbits(fingerprints[part], axis=1)[:, bit_order])
        found[:, part] = np.packbits(bits, axis=1).view(np.uint64).T
    return found


def _band_values(words: _Bits64) -> NDArray[np.uint16]:
    """(16, N) the values of the bands of fingerprints of (4, N) words."""
    return np.ascontiguousarray(np.ascontiguousarray(words.T).view(np.uint16).T)


@cache
def _masks(units: int) -> NDArray[np.uint16]:
    """All values of a band with fewer set bits than ``units``."""
    values = np.arange(_VALUES, dtype=np.uint16)
    return values[np.bitwise_count(values) < units]


def _of_neighbours(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each value of a band, the sum of the counts of the values that differ in one bit."""
    values = np.arange(_VALUES)
    return np.sum([counts[values ^ (1 << bit)] for bit in range(_BAND_BITS)], axis=0)
