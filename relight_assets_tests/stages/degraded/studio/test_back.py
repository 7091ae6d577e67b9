import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.studio import back
from relight_assets_tests.stages.degraded.scenes import face_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit


def test_a_rim_follows_the_outline_on_the_side_of_its_lamp():
    scene = face_scene()
    light = Direction(0.9, -0.3, -np.sqrt(1 - 0.81 - 0.09))
    plane = back.rim(scene, light, 0.05)
    inside, right = scene.alpha > 0.9, np.arange(scene.shape[1])[None, :] > scene.head.x
    edge = inside & (scene.inward < 0.04 * scene.size)
    middle = inside & (scene.inward > 0.15 * scene.size)
    assert plane.min() >= 0
    assert plane[edge & right].mean() > 4 * plane[middle].mean()
    assert plane[edge & right].mean() > 4 * plane[edge & ~right].mean()


@pytest.mark.parametrize("seed", range(6))
def test_its_first_lamp_stands_behind_and_the_surface_mirrors_it_there_alone(seed):
    scene = face_scene()
    sampled, shading = lit("back", seed, scene=scene)
    assert sampled.direction.z < 0
    assert sampled.numbers["rim_lights"][:3] == list(sampled.direction.vector)
    assert sampled.numbers["front_light"][2] > 0
    mirrored = luminance(shading.highlight)
    middle = (scene.alpha > 0.9) & (scene.inward > 0.2 * scene.size)
    assert mirrored.max() > 5 * mirrored[middle].mean()
    assert np.isfinite(shading.light).all()
    assert shading.light.min() >= 0


def test_a_bias_to_strength_brightens_the_rim():
    weak, strong = (lit("back", 1, bias)[1] for bias in (0.0, 1.0))
    assert strong.numbers["rim_gains"][0] == pytest.approx(back.GAINS[1])
    assert strong.numbers["rim_gains"][0] >= weak.numbers["rim_gains"][0]


def test_black_hair_mirrors_less_of_the_lamps_behind(monkeypatch):
    scene = face_scene(tone=0.1)
    dull = lit("back", 0, scene=scene)[1].highlight
    monkeypatch.setattr(back, "DARK_SHEEN", 1.0)
    shiny = lit("back", 0, scene=scene)[1].highlight
    black = (scene.dark > 0.99) & (luminance(shiny) > 1e-4)
    assert black.sum() > 20
    assert (dull / np.maximum(shiny, 1e-9))[black] == pytest.approx(0.5, abs=0.02)
