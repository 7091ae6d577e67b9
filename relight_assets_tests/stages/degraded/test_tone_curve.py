import numpy as np
import pytest

from relight_assets.stages.degraded.tone_curve import (
    MAX_EVEN,
    MAX_ODD,
    ROLLOFF_START,
    ROLLOFF_TOP,
    WIDTH,
    ToneCurve,
)


def gray(values):
    plane = np.asarray(values, np.float32)[None]
    return [plane, plane, plane]


def toned(curve, values):
    planes = gray(values)
    return (planes[0] * curve.factor(planes))[0]


@pytest.mark.parametrize("brightest", [7.9, 100.0])
def test_highlights_stay_below_white(brightest):
    peak = np.array([[0.0, 0.5, 0.8, 1.0, brightest]], np.float32)
    compressed = peak * ToneCurve().factor([peak, peak / 2, peak * 0])
    assert compressed[0, :3] == pytest.approx(peak[0, :3], abs=1e-6)
    assert 0.9 < compressed[0, 3] < compressed[0, 4] <= ROLLOFF_TOP


@pytest.mark.parametrize(("below", "above"), [(0.4, -0.3), (-0.5, 0.3), (0.4, 0.3), (0.0, 0.0)])
def test_a_curve_leaves_the_pivot_and_passes_through_its_points(below, above):
    curve = ToneCurve.through(-3.0, (-5.5, below), (-1.5, above))
    light = np.array([2**-5.5, 2**-3.0, 2**-1.5], np.float32) - np.float32(0.004)
    assert np.log2(toned(curve, light) / light) == pytest.approx([below, 0, above], abs=0.01)


@pytest.mark.parametrize("odd", [-MAX_ODD, 0.2, MAX_ODD])
@pytest.mark.parametrize("even", [-MAX_EVEN, 0.1, MAX_EVEN])
def test_every_curve_rises_and_neither_crushes_nor_clips(odd, even):
    light = np.geomspace(1e-5, 7.9, 4000).astype(np.float32)
    found = ToneCurve(-2.5, odd, even).factor_of(light[None])[0] * light
    assert np.all(np.diff(found[found < 0.95]) > 0)
    assert np.diff(found).min() > -1e-6
    assert found.max() <= ROLLOFF_TOP + 1e-6
    slopes = np.diff(np.log2(found)) / np.diff(np.log2(light))
    assert slopes[found[1:] < ROLLOFF_START].min() > 0.3
    assert abs(np.log2(found[0] / light[0])) < WIDTH * (MAX_ODD + MAX_EVEN)  # a gain: nothing is bent to black


def test_points_that_no_curve_could_pass_bend_it_no_further_than_the_most():
    wild = ToneCurve.through(-3.0, (-3.0, 2.0), (-2.9, -3.0))
    assert abs(wild.odd) <= MAX_ODD
    assert abs(wild.even) <= MAX_EVEN


def test_colors_stay():
    rng = np.random.default_rng(1)
    planes = list(rng.uniform(0.01, 0.9, (3, 20, 20)).astype(np.float32))
    factor = ToneCurve(-2.0, 0.3, -0.1).factor(planes)
    seen = [plane * factor for plane in planes]
    assert seen[0] / seen[1] == pytest.approx(planes[0] / planes[1], rel=1e-4)
    assert seen[2] / seen[1] == pytest.approx(planes[2] / planes[1], rel=1e-4)


def test_the_table_is_the_curve():
    curve = ToneCurve(-2.0, 0.3, -0.2)
    light = np.geomspace(2e-3, 7.9, 3000).astype(np.float32)
    assert toned(curve, light) == pytest.approx(light * curve.factor_of(light[None])[0], rel=0.01, abs=2e-4)
    assert np.isfinite(curve.factor(gray([0.0, 0.0]))).all()


@pytest.mark.parametrize("brightest", [1.0, 30.0])
def test_dithered_black_stays_black_beside_the_brightest(brightest):
    dark = [-3e-4, -1e-6, 0.0, 1e-7]
    assert np.abs(toned(ToneCurve(-1.5, -0.3, -0.3), [*dark, brightest])[:4]).max() < 3e-3


def test_a_moved_curve_is_the_same_about_another_tone():
    curve, light = ToneCurve(-3.0, 0.3, 0.1), np.array([0.05, 0.1, 0.2], np.float32)
    gain = curve.factor_of(light[None] / 2)[0]
    assert curve.moved(1.0).factor_of(light[None])[0] == pytest.approx(gain, rel=0.03)
