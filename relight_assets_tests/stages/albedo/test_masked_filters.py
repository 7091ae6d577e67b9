import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.albedo import Retinex
from relight_assets.core.color import decode_planes
from relight_assets.stages.albedo import edge_aware
from relight_assets.stages.albedo.masked_filters import guided, masked_gaussian
from relight_assets_tests.stages import exact
from relight_assets_tests.stages.albedo.test_albedo import logs
from relight_assets_tests.stages.portraits import portrait


def reduced(person):
    mask = (person.alpha > 127).astype(np.uint8)
    return mask > 0, edge_aware.reduced(decode_planes(person.rgb), mask)


@pytest.mark.parametrize("size", [(1024, 900), (700, 611), (500, 800)])
@pytest.mark.parametrize("scale", Retinex().scales)
def test_gaussian_surrounds_are_near_exact_ones(size, scale):
    """Measured at most, of the spread of the log light: .26 % root mean square at the surrounds' size, 1.5 % at full
    size, where nearly all of it is that the logarithm is taken after shrinking; .0084 and .049 nepers anywhere.
    """
    person = portrait(*size)
    mask, small = reduced(person)
    sigma = scale * max(small.weight.shape) / 512
    found = masked_gaussian(small.log_light, small.weight, sigma)
    inside = small.weight > 0.5
    own = exact.masked_gaussian(small.log_light, small.weight, sigma)
    rms, worst = exact.errors(found, own, inside, small.log_light[inside].std())
    assert rms < 0.003
    assert worst < 0.010
    full = logs(person.rgb)
    grown = cv2.resize(found, size[::-1], interpolation=cv2.INTER_LINEAR)
    rms, worst = exact.errors(grown, exact.masked_gaussian(full, mask, scale * max(size) / 512), mask, full[mask].std())
    assert rms < 0.020
    assert worst < 0.06


@pytest.mark.parametrize("size", [(1024, 900), (700, 611)])
@pytest.mark.parametrize("radius", edge_aware.RADII)
def test_edge_aware_surrounds_are_near_exact_ones(size, radius):
    """Measured at most, of the surround's spread: 3e-7 at the surrounds' own size; 2.9 % root mean square and .063
    nepers anywhere against the guided filter at full size.
    """
    person = portrait(*size)
    mask, small = reduced(person)
    values, inside = small.log_light, small.weight > 0.5
    own = max(1, round(radius * small.subject))
    slope, offset = guided(values, small.weight, own, edge_aware.EDGE_EPSILON)
    exactly = exact.masked_guided(values, small.weight, own, edge_aware.EDGE_EPSILON)
    assert exact.errors(slope * values + offset, exactly, inside)[0] < 1e-6
    full = logs(person.rgb)
    slope, offset = (cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR) for plane in (slope, offset))
    exactly = exact.masked_guided(full, mask, round(radius * np.sqrt(mask.sum())), edge_aware.EDGE_EPSILON)
    rms, worst = exact.errors(slope * full + offset, exactly, mask)
    assert rms < 0.035
    assert worst < 0.075
