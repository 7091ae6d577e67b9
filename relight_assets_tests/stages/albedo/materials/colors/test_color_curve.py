import numpy as np
import pytest

from relight_assets.stages.albedo.materials.colors.color_curve import (
    LIFTED,
    STOPS,
    ColorCurve,
    change_along,
    find_curve,
)
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets_tests.stages.albedo.materials.heads import head, side_light


def curve_of(made):
    person, face = made.small
    skin = find_skin(person, face)
    assert skin is not None
    return skin, find_curve(person, skin)


def test_skin_of_one_colour_has_a_flat_curve_through_it():
    skin, curve = curve_of(head(side_light(0.5)))
    assert np.ptp(curve.red) < 0.1
    assert curve.red[len(STOPS) // 2] == pytest.approx(skin.color[0], abs=0.03)


def test_skin_that_pales_in_the_light_has_a_curve_that_falls_and_goes_on():
    pale = head(side_light(0.3))
    lit = np.clip((side_light(0.3) - 0.5) * 2, 0, 1)[..., None]
    white = np.float32([0.6, 0.6, 0.6]) * lit + pale.paint * side_light(0.3)[..., None] * (1 - lit)
    rgb = np.where(pale.skin[..., None], 255 * np.clip(white, 0, 1) ** (1 / 2.2), pale.rgb).astype(np.uint8)
    _, curve = curve_of(type(pale)(rgb, pale.alpha, pale.points, pale.paint, pale.skin, pale.hair))
    middle = len(STOPS) // 2
    assert curve.red[middle + 4] < curve.red[middle] - 0.1
    assert curve.red[-1] == pytest.approx(curve.red[-2], abs=0.02)  # where there is no pixel


def test_a_change_is_that_between_two_luminances_and_a_lift_is_limited():
    curve = ColorCurve(np.asarray(-0.2 * STOPS), np.asarray(0.3 * STOPS))
    high, zero = np.full((2, 2), 1.0, np.float32), np.zeros((2, 2), np.float32)
    at_high, at_zero, at_higher = curve.at(high), curve.at(zero), curve.at(2 * high)
    red, blue = change_along(at_high, at_zero, -high)
    assert red == pytest.approx(np.full((2, 2), 0.2))
    assert blue == pytest.approx(np.full((2, 2), -0.3))
    red, blue = change_along(at_zero, at_higher, 2 * high)
    assert red == pytest.approx(np.full((2, 2), -LIFTED[0]))
    assert blue == pytest.approx(np.full((2, 2), LIFTED[1]))
