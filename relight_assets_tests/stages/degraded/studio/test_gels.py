import numpy as np
import pytest

from relight_assets.stages.degraded.light_sampler import TRIES
from relight_assets.stages.degraded.studio.colors import GEL_PAIRS
from relight_assets_tests.stages.degraded.scenes import face_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit, only


@pytest.mark.parametrize("seed", range(6))
def test_each_side_of_the_face_has_the_colour_of_its_lamp(seed):
    scene = face_scene()
    sampled, shading = lit("gels", seed, scene=scene)
    pair = next(pair for pair in GEL_PAIRS if pair.name == sampled.numbers["gels"])
    one, other = (pair.other, pair.one) if sampled.numbers["gels_swapped"] else (pair.one, pair.other)
    assert np.sign(sampled.direction.x) == -np.sign(sampled.numbers["second_lamp"][0])
    across = (np.arange(scene.shape[1])[None, :] - scene.head.x) * np.sign(sampled.direction.x)
    edge = (scene.bare_skin > 0.5) & (np.abs(across) > 0.35 * scene.head.half_width)
    near, far = (shading.light[edge & (across * side > 0)].mean(axis=0) for side in (1, -1))
    assert np.log(near / far) @ np.log(np.array(one) / np.array(other)) > 0  # as the gels differ


def test_saturation_stays_in_its_range_and_a_bias_takes_the_most():
    options = only("gels")
    for seed in range(6):
        _, shading = lit("gels", seed)
        low, high = options.saturation_range
        assert low <= shading.numbers["gel_saturation"] <= high
        assert lit("gels", seed, 1.0)[1].numbers["gel_saturation"] == pytest.approx(high)


def test_pale_gels_are_never_tried():
    low, high = only("gels").saturation_range
    for seed in range(6):
        sampled, _ = lit("gels", seed)
        _, shading = lit("gels", seed, sampled.first_try / (TRIES - 1))
        assert shading.numbers["gel_saturation"] >= low + 0.6 * (high - low) - 1e-6


def test_without_saturation_two_gels_are_two_white_lamps():
    _, shading = lit("gels", 0, saturation_range=(0.0, 0.0))
    light = shading.light[face_scene().bare_skin > 0.5].mean(axis=0)
    assert np.abs(light / light[1] - 1).max() < 0.08  # what red is carried around a terminator
