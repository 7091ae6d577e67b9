"""The best pairs are spread over families, directions and skins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight_assets.exports.rows.best import Candidate, best_of, quality_of
from relight_assets.exports.rows.labels import columns


def candidate(who: int, family: str, quality: float, skin: float | None = 50.0, direction: str = "left") -> Candidate:
    return Candidate(who, family, direction, skin, quality)


def test_each_group_in_turn() -> None:
    found = [
        candidate(0, "soft", 0.9),
        candidate(1, "soft", 0.8),
        candidate(2, "soft", 0.7),
        candidate(3, "hard", 0.2),
        candidate(4, "hard", 0.1),
    ]
    assert best_of(found, 1) == {0}
    assert best_of(found, 2) == {0, 3}
    assert best_of(found, 3) == {0, 3, 1}
    assert best_of(found, 9) == {0, 1, 2, 3, 4}


def test_directions_and_skins_are_groups_too() -> None:
    assert best_of([candidate(0, "soft", 0.9), candidate(1, "soft", 0.8, direction="right")], 2) == {0, 1}
    skins = [candidate(number, "soft", 0.9 - number / 100, skin=30.0 + 5 * number) for number in range(9)]
    assert best_of(skins, 3) == {0, 3, 6}
    assert best_of([candidate(0, "soft", 0.5, skin=None), candidate(1, "soft", 0.4)], 2) == {0, 1}


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 1)), max_size=30), st.integers(1, 40))
def test_so_many_and_always_the_same(rows: list[tuple[str, float]], count: int) -> None:
    found = [candidate(number, family, quality) for number, (family, quality) in enumerate(rows)]
    chosen = best_of(found, count)
    assert len(chosen) == min(count, len(found))
    assert best_of(iter(found), count) == chosen
    taken = {family for family, _ in (rows[number] for number in chosen)}  # type: ignore[index]
    assert taken == {family for family, _ in rows} or count == 1 or not rows


def test_quality_is_half_at_the_bounds_and_falls_with_faults() -> None:
    nothing = dict.fromkeys(columns())
    assert quality_of(nothing) is None
    at_bounds = {**nothing, "albedo_dark_lift": 0.1, "albedo_mid_contrast": 0.75}
    assert quality_of(at_bounds) == pytest.approx(0.5)
    better = quality_of({**at_bounds, "albedo_dark_lift": 0.0})
    worse = quality_of({**at_bounds, "albedo_dark_lift": -0.4})
    assert better is not None
    assert worse is not None
    assert better > 0.5 > worse
    painted = quality_of({**at_bounds, "albedo_mid_contrast": 0.0})
    assert painted is not None
    assert painted < 0.5
