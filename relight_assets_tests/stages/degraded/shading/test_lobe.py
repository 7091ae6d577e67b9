import numpy as np
import pytest

from relight_assets.config.recipe.family_options import SKIN_LOBE_PEAK
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.shading.lobe import ggx, half_way, mirror, skin_lobe


def dome(side=201):
    x, y = np.meshgrid(*(np.linspace(-0.95, 0.95, side, dtype=np.float32),) * 2)
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.04))
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def test_the_lobe_peaks_as_the_recipe_assumes():
    # Straight back to the camera from roughness .4.
    assert ggx(dome(), direction(90, 0), 0.4).max() == pytest.approx(SKIN_LOBE_PEAK, rel=0.03)


def test_rougher_skin_has_a_wider_and_dimmer_highlight():
    fine, rough = (ggx(dome(), direction(50, 60), roughness) for roughness in (0.28, 0.55))
    assert fine.max() > 2 * rough.max()
    assert (fine > 0.5 * fine.max()).sum() < (rough > 0.5 * rough.max()).sum()


@pytest.mark.parametrize(("elevation", "azimuth"), [(60, 0), (35, 135), (25, 250)])
def test_a_highlight_lies_where_the_surface_mirrors_the_lamp(elevation, azimuth):
    light, normals = direction(elevation, azimuth), dome()
    lobe = skin_lobe(normals, normals, light, 0.4, 8.0)
    half = half_way(light)
    brightest = np.unravel_index(lobe.argmax(), lobe.shape)
    at = [float(plane[brightest]) for plane in normals]
    # Grazing reflections are brighter, which moves the peak outward by a few degrees.
    assert np.degrees(np.arccos(np.dot(at, half.vector))) < 8
    assert skin_lobe(mirror(light), mirror(light), light, 0.4, 8.0).item() == pytest.approx(1)
    away = sum(plane * np.float32(part) for plane, part in zip(normals, half.vector, strict=True)) < 0.5
    assert lobe[away].max() < 0.1


def test_a_wider_lamp_has_a_wider_highlight():
    light, normals = direction(45, 30), dome()
    small, wide = (skin_lobe(normals, normals, light, 0.4, half_angle) for half_angle in (2.0, 15.0))
    assert (wide > 0.5).sum() > 1.3 * (small > 0.5).sum()


def test_texture_breaks_up_the_lobe_and_no_surface_is_lit_from_behind():
    light, normals = direction(45, 30), dome()
    noise = np.random.default_rng(0).normal(0, 0.15, normals[0].shape).astype(np.float32)
    rough = (normals[0] + noise, normals[1], normals[2])
    length = np.sqrt(sum(plane * plane for plane in rough))
    textured = skin_lobe(tuple(plane / length for plane in rough), normals, light, 0.4, 8.0)
    plain = skin_lobe(normals, normals, light, 0.4, 8.0)
    bright = plain > 0.5
    assert np.std(textured[bright] / plain[bright]) > 0.15
    assert ggx(tuple(-plane for plane in mirror(light)), light, 0.4).item() == 0
