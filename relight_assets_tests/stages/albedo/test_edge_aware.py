import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.albedo import Retinex
from relight_assets.core.color import decode_planes, luminance_of_planes
from relight_assets.stages.albedo.edge_aware import SURROUND_SIDE, color_factors, inverse_shading, reduced
from relight_assets_tests.stages.portraits import portrait


def parts(person):
    linear = decode_planes(person.rgb)
    return linear, reduced(linear, (person.alpha > 127).astype(np.uint8))


def gain(person, strength, method="retinex"):
    linear, small = parts(person)
    return inverse_shading(
        luminance_of_planes(linear), small, Retinex(), strength, frame=max(small.weight.shape), method=method
    )


@pytest.mark.parametrize("size", [(1024, 900), (120, 90)])
def test_the_reduced_person_is_that_person(size):
    person = portrait(*size)
    linear, small = parts(person)
    assert max(small.weight.shape) <= SURROUND_SIDE
    assert small.subject / small.scale == pytest.approx(np.sqrt((person.alpha > 127).sum()), rel=0.02)
    true = float(luminance_of_planes(linear)[person.alpha == 255].mean())
    inside = small.weight == 1
    assert float(np.exp(small.log_light[inside]).mean()) - 0.01 == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize("method", ["retinex", "retinex_fast"])
def test_the_gain_follows_the_known_shading_and_its_strength(method):
    person = portrait(320, 280)
    inside = person.alpha == 255
    full, spread = gain(person, 1.0, method)
    half, _ = gain(person, 0.5, method)
    none, _ = gain(person, 0.0, method)
    assert np.corrcoef(np.log(full[inside]), -np.log(person.shading[inside]))[0, 1] > 0.5
    assert np.log(half[inside]) == pytest.approx(0.5 * np.log(full[inside]), abs=1e-3)
    assert none == pytest.approx(np.ones_like(none), abs=1e-5)
    assert np.log(full[inside]).std() == pytest.approx(spread, rel=0.15)


def test_colour_factors_leave_luminance_alone():
    person = portrait(320, 280)
    _, small = parts(person)
    red, green, blue = color_factors(small, 0.5)
    before, after = (
        cv2.transform(rgb, np.float32([[0.2126, 0.7152, 0.0722]]))
        for rgb in (small.rgb, small.rgb * cv2.merge([red, green, blue]))
    )
    inside = small.weight > 0.5
    assert after[inside] == pytest.approx(before[inside], abs=2e-4)
    assert all(np.abs(np.log(factor)).max() < 0.25 for factor in (red, green, blue))
