import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.studio import sky
from relight_assets_tests.stages.degraded.scenes import face_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit


@pytest.mark.parametrize("seed", range(4))
def test_shadows_are_bluer_than_what_the_sun_lights(seed):
    scene = face_scene()
    sampled, shading = lit("sky", seed, scene=scene)
    low, high = sky.SKY
    assert low <= shading.numbers["sky_level"] <= high
    assert sampled.numbers["studio_kind"] == "sky"
    face = scene.bare_skin > 0.5
    light, level = shading.light[face], luminance(shading.light)[face]
    shade, sun = (
        light[mask].mean(axis=0) for mask in (level < np.quantile(level, 0.2), level > np.quantile(level, 0.8))
    )
    assert shade[2] / shade[0] > 1.1 * sun[2] / sun[0]
    assert shading.highlight.max() > 0


def test_a_bias_to_strength_dims_the_sky():
    assert lit("sky", 2, 1.0)[1].numbers["sky_level"] == pytest.approx(sky.SKY[0])
