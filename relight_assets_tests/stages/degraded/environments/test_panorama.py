import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.environments import panorama, sphere
from relight_assets.stages.degraded.environments.panorama import prepared


def room(toward, *, angle=8.0, light=200.0, color=(1.0, 1.0, 1.0), wall=0.5):
    """Walls, and a lamp of an angular radius in degrees."""
    vectors, _ = sphere.directions(128, 256)
    unit = np.array(toward) / np.linalg.norm(toward)
    lamp = vectors @ unit.astype(np.float32) > np.cos(np.radians(angle))
    return np.where(lamp[..., None], np.array(color, np.float32) * light, np.float32(wall)).astype(np.float32), unit


@pytest.mark.parametrize("toward", [(0.5, -0.5, 0.7), (-0.9, 0.1, 0.2), (0.05, -0.2, -0.95)])
def test_the_brightest_light_is_found_with_its_colour_and_size_and_taken_out(toward):
    radiance, unit = room(toward, color=(1.2, 1.0, 0.5))
    found = prepared(radiance)
    assert np.degrees(np.arccos(np.dot(found.key.vector, unit))) < 4
    assert np.array(found.key_light) / found.key_light[1] == pytest.approx([1.2, 1.0, 0.5], rel=0.05)
    assert found.key_size == pytest.approx(np.radians(8) / np.sqrt(2), rel=0.35)
    assert found.lobe.max() / found.lobe.mean() < 1.5


def test_key_and_rest_together_have_the_light_of_the_whole():
    radiance, _ = room((0.4, -0.4, 0.8))
    found = prepared(radiance)
    normal = tuple(np.full((1, 1), part, np.float32) for part in found.key.vector)
    both = float(luminance(sphere.lit(found.harmonics, normal) + np.array([[found.key_light]], np.float32)).item())
    vectors, angles = sphere.directions(*radiance.shape[:2])
    cosine = np.maximum(vectors @ np.array(found.key.vector, np.float32), 0)
    light = luminance(radiance)
    whole = float((light * cosine * angles).sum()) / np.pi / (float((light * angles).sum()) / (4 * np.pi))
    assert both == pytest.approx(whole, rel=0.05)


def test_its_scale_does_not_count():
    radiance, _ = room((0.4, -0.4, 0.8))
    one, other = prepared(radiance), prepared(radiance * np.float32(64))
    assert one.key_light == pytest.approx(other.key_light, rel=1e-4)
    assert one.harmonics == pytest.approx(other.harmonics, rel=1e-3, abs=1e-5)


def test_an_even_panorama_has_no_light_that_stands_out():
    found = prepared(np.full((64, 128, 3), 0.3, np.float32))
    assert max(found.key_light) == pytest.approx(0, abs=1e-4)
    assert np.linalg.norm(found.key.vector) == pytest.approx(1)
    assert panorama.SIZES[0] <= found.key_size <= panorama.SIZES[1]


def test_a_black_panorama_is_refused():
    with pytest.raises(ValueError, match="black"):
        prepared(np.zeros((64, 128, 3), np.float32))


def test_light_whose_sum_is_no_number_is_refused():
    with pytest.raises(ValueError, match="too bright to be summed"), np.errstate(all="ignore"):
        prepared(np.full((64, 128, 3), 3e38, np.float32))
