import numpy as np

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.studio import window
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit


def test_light_falls_off_away_from_the_window_and_some_have_bars():
    scene = face_scene()
    face, across = scene.bare_skin > 0.5, np.arange(scene.shape[1])[None, :] - scene.head.x
    bars = set()
    for seed in range(12):
        sampled, shading = lit("window", seed, scene=scene)
        near = across * np.sign(sampled.direction.x) > 0
        light = luminance(shading.light)
        assert light[face & near].mean() > 1.5 * light[face & ~near].mean()
        assert sampled.numbers["lamp_bars"] is True
        bars.add(sampled.numbers["has_pattern"])
        assert ("pattern_panes" in sampled.numbers) == sampled.numbers["has_pattern"]
        low, high = window.WITH_BARS if sampled.numbers["has_pattern"] else window.SIZES
        assert low <= sampled.numbers["lamp_size"] <= high
    assert bars == {True, False}


def test_it_is_not_where_the_photos_own_light_is():
    scene = portrait_scene()
    own = scene.source_light.direction
    for seed in range(8):
        assert lit("window", seed, scene=scene)[0].direction.angle(own) >= 45
