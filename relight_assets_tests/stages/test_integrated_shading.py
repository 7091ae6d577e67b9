import numpy as np
import pytest

from relight_assets.stages.integrated_shading import borders, integrated


def integrated_shading(log_light, log_red, log_blue, weight):
    return integrated(log_light, borders(log_light, log_red, log_blue, weight))


def test_a_ramp_is_light_and_a_step_is_paint():
    y, x = np.mgrid[0:64, 0:80].astype(np.float32)
    ramp = 0.02 * x - 0.01 * y
    step = np.where(x > 40, np.float32(1.5), np.float32(0))
    zero = np.zeros_like(ramp)
    shading = integrated_shading(ramp + step, zero, zero, np.ones_like(ramp))
    # At the step itself the ramp's own difference is lost with it.
    assert np.abs((shading - ramp) - (shading - ramp).mean()).max() < 0.03


def test_a_change_of_colour_is_paint():
    _, x = np.mgrid[0:64, 0:64].astype(np.float32)
    step = np.where(x > 31, np.float32(0.4), np.float32(0))
    zero = np.zeros_like(step)
    assert np.ptp(integrated_shading(step, zero, zero, zero + 1)) > 0.3
    assert np.ptp(integrated_shading(step, step, zero, zero + 1)) < 0.01


def test_the_edge_of_the_mask_is_free():
    y, x = np.mgrid[0:96, 0:96].astype(np.float32)
    inside = ((x - 48) ** 2 + (y - 48) ** 2 < 30**2).astype(np.float32)
    ramp = 0.02 * x * inside
    zero = np.zeros_like(ramp)
    shading = integrated_shading(ramp, zero, zero, inside)
    difference = (shading - ramp)[inside > 0]
    assert np.ptp(difference) < 0.15 * np.ptp(ramp[inside > 0])


@pytest.mark.parametrize("shape", [(2, 2), (2, 64), (64, 2)])
def test_slivers(shape):
    flat = np.ones(shape, np.float32)
    assert np.allclose(integrated_shading(flat, flat, flat, flat), 0, atol=1e-5)


def test_a_colour_drift_within_one_paint_is_found_and_another_paint_is_not():
    _, x = np.mgrid[0:64, 0:64].astype(np.float32)
    drift, paint = 0.004 * x, np.where(x > 31, np.float32(0.5), np.float32(0))
    flat = np.zeros_like(drift)
    found = integrated(drift + paint, borders(flat, drift + paint, flat, flat + 1), rounds=2)
    assert np.abs((found - drift) - (found - drift).mean()).max() < 0.02
