import numpy as np
import pytest

from relight_assets.core.rng import stream
from relight_assets.stages.degraded.geometry.noise import fbm


@pytest.mark.parametrize("octaves", [1, 3, 5])
def test_spread_is_one(octaves):
    field = fbm(stream(0, "", 0, "noise"), (256, 256), 16, octaves, 0.6)
    assert field.dtype == np.float32
    assert field.std() == pytest.approx(1, abs=0.15)
    assert field.mean() == pytest.approx(0, abs=0.15)


def test_same_stream_same_field():
    first, second = (fbm(stream(0, "", 0, "noise"), (40, 50), 9, 3) for _ in range(2))
    assert np.array_equal(first, second)


def test_longer_waves_are_smoother():
    rough, smooth = (fbm(stream(0, "", 0, "noise"), (128, 128), length, 1) for length in (6, 40))
    assert np.abs(np.diff(smooth)).mean() < 0.4 * np.abs(np.diff(rough)).mean()
