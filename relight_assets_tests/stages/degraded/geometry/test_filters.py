import numpy as np
import pytest

from relight_assets.core.color import decode, luminance
from relight_assets.stages.degraded.geometry.filters import smooth
from relight_assets_tests.stages import exact
from relight_assets_tests.stages.portraits import portrait


@pytest.mark.parametrize("sigma", [0.0, 1.0, 5.0, 20.0])
def test_smoothing_keeps_the_mean_and_spreads_as_asked(sigma):
    spike = np.zeros((256, 256), np.float32)
    spike[128, 128] = 1
    blurred = smooth(spike, sigma)
    assert blurred.sum() == pytest.approx(1, abs=0.02)
    x = np.arange(256) - 128
    assert np.sqrt((blurred.sum(0) * x**2).sum()) == pytest.approx(sigma, rel=0.08, abs=0.05)


@pytest.mark.parametrize("size", [(512, 430), (431, 512), (224, 199)])
@pytest.mark.parametrize("sigma", [1.0, 3.9, 4.0, 9.0, 17.0, 40.0, 80.0])
def test_blurs_at_reduced_size_are_near_exact_ones(size, sigma):
    """Measured at most: .2 % of the result's spread, root mean square, and .8 % of the range anywhere."""
    person = portrait(*size)
    light = np.log(luminance(decode(person.rgb)) + np.float32(0.01)) * (person.alpha / np.float32(255))
    rms, worst = exact.errors(smooth(light, sigma), exact.gaussian(light, sigma))
    assert rms < 0.0025
    assert worst < 0.01 * np.ptp(light)
