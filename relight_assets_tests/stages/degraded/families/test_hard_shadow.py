import numpy as np
import pytest

from relight_assets.config.recipe.families import HardShadow, ShadowKinds
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.families import hard_shadow
from relight_assets_tests.stages.degraded.scenes import portrait_scene

KINDS = ("foliage", "blinds", "window", "edge", "blob", "lattice")


def only(kind):
    weights = dict.fromkeys(ShadowKinds.model_fields, 0.0) | {kind: 1.0}
    return HardShadow(kinds=ShadowKinds(**weights), gobo_dir="there")


@pytest.mark.parametrize("kind", ["none", *KINDS])
def test_every_kind_is_rendered(kind):
    scene, family = portrait_scene(), only(kind)
    shadow = hard_shadow.sample_shadow(scene, direction(40, 30), family, stream(3, "", 0, "shape"))
    assert shadow.numbers["pattern_type"] == kind
    assert shadow.numbers["has_pattern"] == (kind != "none")
    assert shadow.numbers["self_shadow"] or kind != "none"
    light, numbers = hard_shadow.render_shadow(scene, shadow, family, stream(3, "", 0, "strength"), strength_bias=0.0)
    assert np.isfinite(light).all()
    assert light.min() >= 0
    assert family.shadow_level[0] <= numbers["shadow_level"] <= family.shadow_level[1]


def test_red_bleeds_farthest():
    scene = portrait_scene()
    family = only("blinds").model_copy(update={"subsurface_range": (0.02, 0.02), "penumbra_range": (0.0005, 0.0005)})
    seen = hard_shadow.sample_shadow(scene, direction(60, 90), family, stream(2, "", 0, "shape")).visibility
    red, _, blue = (np.abs(np.diff(seen[..., c], axis=0)).max() for c in range(3))
    assert red < blue


def test_a_strength_bias_deepens_the_shadow():
    scene, family = portrait_scene(), only("edge")
    shadow = hard_shadow.sample_shadow(scene, direction(45, 60), family, stream(0, "", 0, "shape"))
    _, numbers = hard_shadow.render_shadow(scene, shadow, family, stream(0, "", 0, "strength"), strength_bias=1.0)
    assert numbers["shadow_level"] == pytest.approx(family.shadow_level[0])


def test_the_users_own_patterns_are_projected_and_named():
    scene, family = portrait_scene(), only("custom")
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::16] = stripes[:, 1::16] = stripes[:, 2::16] = stripes[:, 3::16] = 255
    own = {"stripes.png": stripes, "squares.png": np.kron(np.eye(2, dtype=np.uint8), np.full((32, 32), 255, np.uint8))}
    names = set()
    for seed in range(8):
        shadow = hard_shadow.sample_shadow(scene, direction(45, 60), family, stream(seed, "", 0, "shape"), own)
        assert shadow.numbers["pattern_type"] == "custom"
        assert 0.2 <= shadow.numbers["pattern_coverage"] <= 0.85
        assert shadow.visibility.min() < 0.3
        assert shadow.visibility.max() > 0.7
        names.add(shadow.numbers["pattern_file"])
    assert names == set(own)
