import numpy as np
import pytest

from relight_assets.config.recipe.families import HardShadow
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.shading import shadow_patterns
from relight_assets_tests.stages.degraded.scenes import portrait_scene

KINDS = ("blinds", "window", "edge", "blob", "fence", "lattice")


@pytest.mark.parametrize("kind", KINDS)
def test_coverage_of_person_and_face_is_in_range(kind):
    scene = portrait_scene()
    low, high = HardShadow().coverage_range
    for seed in range(8):
        draw = shadow_patterns.procedural(scene, kind, (low, high))
        plane, numbers = shadow_patterns.place(
            scene, direction(45, 60), draw, (low, high), stream(seed, "", 0, "place")
        )
        assert 0 <= plane.min() <= plane.max() <= 1
        assert low - 0.03 <= numbers["pattern_coverage"] <= high + 0.03
        assert 0.10 <= numbers["pattern_face_coverage"] <= 0.90


@pytest.mark.parametrize("kind", ["foliage", "branch", "curtain", "screen_door"])
def test_what_lets_light_through_misses_no_face(kind):
    scene = portrait_scene()
    draw = shadow_patterns.procedural(scene, kind, HardShadow().coverage_range)
    for seed in range(6):
        _, numbers = shadow_patterns.place(
            scene, direction(45, 60), draw, HardShadow().coverage_range, stream(seed, "", 0, "place")
        )
        assert 0.15 <= numbers["pattern_coverage"] <= 0.75
        assert 0.10 <= numbers["pattern_face_coverage"] <= 0.90


def test_bars_across_a_face_bend_little():
    # On a flat wall they are straight; on a face they bend by clearly less than its depth would have it.
    scene = portrait_scene()
    light = direction(35, 0)
    _, straight = np.mgrid[0 : scene.shape[0], 0 : scene.shape[1]].astype(np.float32)
    u, _ = shadow_patterns._projected(scene, light, 0.0, 0.0, [0.0, 0.0])
    bend = u - (straight - scene.head.x) / scene.size
    face = scene.face_share > 0.5
    by_depth = np.ptp(scene.height[face]) * light.x / light.z / scene.size
    assert 0.2 * by_depth < np.ptp(bend[face]) < 0.42 * by_depth


def test_a_narrow_coverage_range_is_kept():
    scene, narrow = portrait_scene(), (0.4, 0.45)
    draw = shadow_patterns.procedural(scene, "blob", narrow)
    _, numbers = shadow_patterns.place(scene, direction(45, 60), draw, narrow, stream(1, "", 0, "place"))
    assert 0.36 <= numbers["pattern_coverage"] <= 0.49
