"""The nearest fingerprint, as a comparison of all with all finds it."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from relight_assets.quality.duplicates import near_fingerprints
from relight_assets.quality.duplicates.near_fingerprints import BITS, Fingerprints, nearest
from relight_assets.stages.masks.perceptual_hash import SAME_BITS

Integers = NDArray[np.int64]


def compared_all(own: Fingerprints, others: Fingerprints | None, radius: Integers) -> list[tuple[int, int]]:
    """Place and bits of the nearest, as OpenCV's brute force finds them."""
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
    matcher.add([own if others is None else others])
    found = []
    # The two that are nearest, because one of them may be the fingerprint itself.
    for place, matches in enumerate(matcher.knnMatch(own, k=2)):
        best = next((match for match in matches if others is not None or match.trainIdx != place), None)
        is_near = best is not None and best.distance <= radius[place]
        found.append((best.trainIdx, int(best.distance)) if best is not None and is_near else (-1, -1))
    return found


def found_by_index(own: Fingerprints, others: Fingerprints | None, radius: Integers) -> list[tuple[int, int]]:
    return list(zip(*(each.tolist() for each in nearest(own, others, radius)), strict=True))


def from_seed(seed: int, count: int, telling: int, noise: float = 0.0) -> Fingerprints:
    """Fingerprints of photos with one background: all but so many bits are the same, up to some noise."""
    shared, own = np.random.default_rng(1), np.random.default_rng(seed)
    background, order = shared.integers(0, 2, BITS), shared.permutation(BITS)
    bits = background ^ (own.random((count, BITS)) < noise)
    bits[:, order[:telling]] = own.integers(0, 2, (count, telling))
    return np.packbits(bits.astype(np.uint8), axis=1)


KINDS: dict[str, Callable[[int, int], Fingerprints]] = {
    "all bits differ": lambda seed, count: from_seed(seed, count, BITS),
    "half is background": lambda seed, count: from_seed(seed, count, BITS // 2),
    "mostly background": lambda seed, count: from_seed(seed, count, 48),
    "mostly a noisy background": lambda seed, count: from_seed(seed, count, 40, 0.02),
    "nothing but a noisy background": lambda seed, count: from_seed(seed, count, 0, 0.04),
    "a few that all have": lambda seed, count: from_seed(seed, count, 5),
    "flat": lambda _, count: np.zeros((count, BITS // 8), np.uint8),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("within", [True, False])
def test_what_all_with_all_finds_is_found(
    kind: Callable[[int, int], Fingerprints], within: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = kind(2, 1500)
    monkeypatch.setattr(near_fingerprints, "_TABLES_FROM", 1000)
    others = None if within else np.concatenate([kind(3, 900), own[100:110], kind(4, 20)])
    radius = np.full(len(own), SAME_BITS)
    assert found_by_index(own, others, radius) == compared_all(own, others, radius)


WAYS = {
    "looked up": (np.inf, 0.0),
    "compared in blocks": (0.0, 0.0),
    "both, few looked up": (0.0, 1.0),
    "both, all looked up": (0.0, np.inf),
    "some looked up, others compared": (30.0, 1.0),
}
"""What a comparison with one in a block costs, and how much a unit of a band may that is looked up all the same."""


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_all_ways_of_search_find_the_same(way: tuple[float, float], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, cost in zip(("_COMPARISON", "_CHEAP"), way, strict=True):
        monkeypatch.setattr(near_fingerprints, name, cost)
    sizes = (("_TABLES_FROM", 2), ("_QUERIES", 170), ("_PAIRS", 500), ("_ROWS", 32), ("_COLUMNS", 64))
    for name, size in sizes:
        monkeypatch.setattr(near_fingerprints, name, size)
    for telling, noise in ((50, 0.0), (50, 0.04), (120, 0.01)):
        own, others = (from_seed(seed, 200, telling, noise) for seed in (5, 6))
        copies = own[:40] ^ np.packbits(np.random.default_rng(7).random((40, BITS)) < 0.06, axis=1)
        own = np.concatenate([own, copies, own[50:53]])
        radius = own[:, 0].astype(int) % 60 if telling == 120 else np.full(len(own), SAME_BITS)
        for there in (None, others):
            assert found_by_index(own, there, radius) == compared_all(own, there, radius)


@given(
    st.lists(st.integers(0, 3), max_size=12),
    st.one_of(st.none(), st.lists(st.integers(0, 3), max_size=12)),
    st.integers(0, BITS),
    st.integers(0, 2**32 - 1),
)
def test_equal_ones_and_any_radius(own: list[int], others: list[int] | None, radius: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, (4, BITS // 8), np.uint8)
    here = values[np.array(own, int)]
    there = None if others is None else values[np.array(others, int)]
    limits = np.full(len(own), radius)
    expected = compared_all(here, there, limits) if len(own) and len(here if there is None else there) else []
    assert found_by_index(here, there, limits) == (expected or [(-1, -1)] * len(own))


def test_the_first_of_several_that_are_equally_near_is_named() -> None:
    one = np.full((1, BITS // 8), 0x5A, np.uint8)
    other = one ^ np.eye(1, BITS // 8, dtype=np.uint8)
    places, bits = nearest(one, np.concatenate([~one, other, other, other ^ 0]), np.array([SAME_BITS]))
    assert (places.tolist(), bits.tolist()) == ([1], [1])
    places, bits = nearest(np.concatenate([one, one, other, one]), None, np.full(4, SAME_BITS))
    assert (places.tolist(), bits.tolist()) == ([1, 0, 0, 0], [0, 0, 1, 0])


def test_the_radius_is_each_one_s_own() -> None:
    one = np.full((1, BITS // 8), 0x5A, np.uint8)
    other = one ^ np.array([[7] + [0] * 31], np.uint8)
    places, bits = nearest(np.concatenate([one, other]), None, np.array([2, 3]))
    assert (places.tolist(), bits.tolist()) == ([-1, 0], [-1, 3])


def test_a_background_that_all_share_is_no_reason_to_compare_all(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    real = near_fingerprints._Search._compare

    def compare(search: object, queries: Integers, places: Integers) -> None:
        nonlocal compared
        compared += len(queries)
        real(search, queries, places)  # type: ignore[arg-type]

    monkeypatch.setattr(near_fingerprints._Search, "_compare", compare)
    monkeypatch.setattr(near_fingerprints._Search, "_compare_all", lambda *_: pytest.fail("all were compared"))
    own = from_seed(7, 20_000, 140)
    own[5000:5100] = own[:100] ^ np.eye(100, BITS // 8, dtype=np.uint8)
    places, _ = nearest(own, None, np.full(len(own), 12))
    assert places[5000:5100].tolist() == list(range(100))
    assert compared < 0.02 * len(own) ** 2
