import numpy as np
import pytest

from relight_assets.config.recipe import lights
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.families import hard_shadow
from relight_assets_tests.stages.degraded.scenes import portrait_scene

KINDS = ("foliage", "blinds", "window", "edge", "blob", "lattice")


def only(kind):
    weights = dict.fromkeys(lights.ShadowKinds.model_fields, 0.0) | {kind: 1.0}
    return lights.HardShadow(kinds=lights.ShadowKinds(**weights), gobo_dir="there")


@pytest.mark.parametrize("kind", KINDS)
def test_coverage_of_person_and_face_is_in_range(kind):
    scene = portrait_scene()
    low, high = lights.HardShadow().coverage_range
    for seed in range(8):
        thrown = hard_shadow.made_up(scene, kind, (low, high))
        plane, numbers = hard_shadow.place(scene, direction(45, 60), thrown, (low, high), stream(seed, "", 0, "place"))
        assert 0 <= plane.min() <= plane.max() <= 1
        assert low - 0.03 <= numbers["pattern_coverage"] <= high + 0.03
        assert 0.10 <= numbers["pattern_face_coverage"] <= 0.90


def test_a_narrow_coverage_range_is_kept():
    scene, narrow = portrait_scene(), (0.4, 0.45)
    thrown = hard_shadow.made_up(scene, "foliage", narrow)
    _, numbers = hard_shadow.place(scene, direction(45, 60), thrown, narrow, stream(1, "", 0, "place"))
    assert 0.36 <= numbers["pattern_coverage"] <= 0.49


@pytest.mark.parametrize("kind", ["none", *KINDS])
def test_every_kind_shines(kind):
    scene, family = portrait_scene(), only(kind)
    shadow = hard_shadow.cast(scene, direction(40, 30), family, stream(3, "", 0, "shape"))
    assert shadow.numbers["pattern_type"] == kind
    assert shadow.numbers["has_pattern"] == (kind != "none")
    assert shadow.numbers["self_shadow"] or kind != "none"
    light, numbers = hard_shadow.shine(scene, shadow, family, stream(3, "", 0, "strength"), push=0.0)
    assert np.isfinite(light).all()
    assert light.min() >= 0
    assert family.shadow_level[0] <= numbers["shadow_level"] <= family.shadow_level[1]


def test_red_bleeds_farthest():
    scene = portrait_scene()
    family = only("blinds").model_copy(update={"subsurface_range": (0.02, 0.02), "penumbra_range": (0.0005, 0.0005)})
    seen = hard_shadow.cast(scene, direction(60, 90), family, stream(2, "", 0, "shape")).seen
    red, _, blue = (np.abs(np.diff(seen[..., c], axis=0)).max() for c in range(3))
    assert red < blue


def test_pushing_deepens_the_shadow():
    scene, family = portrait_scene(), only("edge")
    shadow = hard_shadow.cast(scene, direction(45, 60), family, stream(0, "", 0, "shape"))
    _, numbers = hard_shadow.shine(scene, shadow, family, stream(0, "", 0, "strength"), push=1.0)
    assert numbers["shadow_level"] == pytest.approx(family.shadow_level[0])


def test_the_users_own_patterns_are_thrown_and_named():
    scene, family = portrait_scene(), only("custom")
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::16] = stripes[:, 1::16] = stripes[:, 2::16] = stripes[:, 3::16] = 255
    own = {"stripes.png": stripes, "squares.png": np.kron(np.eye(2, dtype=np.uint8), np.full((32, 32), 255, np.uint8))}
    names = set()
    for seed in range(8):
        shadow = hard_shadow.cast(scene, direction(45, 60), family, stream(seed, "", 0, "shape"), own)
        assert shadow.numbers["pattern_type"] == "custom"
        assert 0.2 <= shadow.numbers["pattern_coverage"] <= 0.85
        assert shadow.seen.min() < 0.3
        assert shadow.seen.max() > 0.7
        names.add(shadow.numbers["pattern_file"])
    assert names == set(own)
