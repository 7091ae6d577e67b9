import numpy as np
import pytest

from relight_assets.stages.masks.matting.mixtures import likely_alpha

HAIR, WALL = (40.0, 136.0, 138.0), (200.0, 116.0, 124.0)


def likely(*colors: tuple[float, ...], person: tuple[float, ...] = HAIR, back: tuple[float, ...] = WALL) -> list[float]:
    lab = np.array(colors, np.float32)
    sides = (np.broadcast_to(np.array(side, np.float32), lab.shape) for side in (person, back))
    return [float(value) for value in likely_alpha(lab, *sides)]


def mixture(share: float, person: tuple[float, ...] = HAIR, back: tuple[float, ...] = WALL) -> tuple[float, ...]:
    return tuple(one + share * (other - one) for one, other in zip(person, back, strict=True))


def test_the_more_background_is_in_a_color_the_less_alpha_is_likely() -> None:
    found = likely(*(mixture(share) for share in (0.0, 0.25, 0.55, 0.9, 1.1)))
    assert found == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-4)


def test_highlights_and_colors_of_their_own_are_no_mixtures() -> None:
    light, a, b = mixture(0.55)
    assert likely((light, 136, 138)) == [1.0]  # as light as a mixture, in the hair's chroma
    assert likely((light, a + 14, b + 14)) == [1.0]


def test_shade_is_no_mixture_with_something_dark() -> None:
    skin, dark = (150.0, 145.0, 150.0), (40.0, 132.0, 134.0)
    assert likely(mixture(0.55, skin, dark), person=skin, back=dark) == [1.0]
    blue = (40.0, 132.0, 100.0)
    assert likely(mixture(0.55, skin, blue), person=skin, back=blue) == pytest.approx([0.5], abs=1e-4)


def test_sides_of_one_color_tell_nothing() -> None:
    near = (60.0, 130.0, 130.0)
    assert likely(mixture(0.55, back=near), back=near) == [1.0]
    gray = (200.0, 128.0, 128.0)
    assert likely(mixture(0.55, back=gray), back=gray) != [1.0]
    assert likely(mixture(0.55, back=(200.0, 136.0, 138.0)), back=(200.0, 136.0, 138.0)) == [1.0]
