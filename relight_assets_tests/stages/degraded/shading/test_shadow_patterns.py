import pytest

from relight_assets.config.recipe.families import HardShadow
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.shading import shadow_patterns
from relight_assets_tests.stages.degraded.scenes import portrait_scene

KINDS = ("foliage", "blinds", "window", "edge", "blob", "lattice")


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


def test_a_narrow_coverage_range_is_kept():
    scene, narrow = portrait_scene(), (0.4, 0.45)
    draw = shadow_patterns.procedural(scene, "foliage", narrow)
    _, numbers = shadow_patterns.place(scene, direction(45, 60), draw, narrow, stream(1, "", 0, "place"))
    assert 0.36 <= numbers["pattern_coverage"] <= 0.49
