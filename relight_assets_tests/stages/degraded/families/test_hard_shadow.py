from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import HardShadow, ShadowKinds
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.families import hard_shadow
from relight_assets.stages.degraded.light_sampler import LightSampler
from relight_assets.stages.degraded.sampler import relight
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene

KINDS = tuple(kind for kind in ShadowKinds.model_fields if kind not in {"none", "custom"})


def only(kind):
    weights = dict.fromkeys(ShadowKinds.model_fields, 0.0) | {kind: 1.0}
    return HardShadow(kinds=ShadowKinds(**weights), gobo_dir="there")


@pytest.mark.parametrize("kind", ["none", *KINDS])
def test_every_kind_is_rendered(kind):
    scene, family = portrait_scene(), only(kind)
    shadow = hard_shadow.sample_shadow(scene, direction(40, 30), kind, family, stream(3, "", 0, "shape"))
    assert shadow.numbers["pattern_type"] == kind
    assert shadow.numbers["has_pattern"] == (kind != "none")
    assert shadow.numbers["self_shadow"]
    assert hard_shadow.LAMP_SIZE[0] <= shadow.numbers["lamp_size"] <= hard_shadow.LAMP_SIZE[1]
    shading = hard_shadow.render_shadow(scene, shadow, family, stream(3, "", 0, "strength"), strength_bias=0.0)
    assert np.isfinite(shading.light).all()
    assert shading.light.min() >= 0
    assert family.shadow_level[0] <= shading.numbers["shadow_level"] <= family.shadow_level[1]


def sampler(seed, options, **fields):
    degradation = Degradation(hard_shadow=options)
    return LightSampler(face_scene(), degradation, LightSampling(), partial(stream, seed, "", 0), **fields)


def test_without_a_pattern_the_heads_own_shadow_is_seen_on_the_face():
    face = face_scene().bare_skin > 0.5
    shares = []
    for seed in range(12):
        sampled = hard_shadow.sample(sampler(seed, only("none")))
        light = luminance(sampled.render(stream(seed, "", 0, "strength"), 0.0).light)
        lit = np.percentile(light[face], 95)
        shares.append((light[face] < 0.5 * lit).mean())
    assert np.median(shares) > 0.15
    assert max(shares) < 0.75


def test_lamps_behind_patterns_stand_high_in_mixtures_too():
    high = np.sin(np.radians(34.9))
    for seed in range(12):
        assert hard_shadow.sample(sampler(seed, only("blinds"))).direction.z > high
    degradation = Degradation.model_validate(
        {
            "mixture_probability": 1.0,
            "soft_shading": {"weight": 1e6},
            "specular": {"weight": 0},
            "studio": {"weight": 0},
        }
    )
    for seed in range(6):
        mixed = relight(face_scene(), degradation, LightSampling(), partial(stream, seed, "", 0))
        assert (mixed.family, mixed.numbers["mixed_with"]) == ("soft_shading", "hard_shadow")
        assert mixed.numbers["pattern_type"] != "none"
        assert mixed.direction.z > high


def test_red_bleeds_farthest():
    scene = portrait_scene()
    family = only("blinds").model_copy(update={"subsurface_range": (0.02, 0.02), "penumbra_range": (0.0005, 0.0005)})
    seen = hard_shadow.sample_shadow(scene, direction(60, 90), "blinds", family, stream(2, "", 0, "shape")).visibility
    red, _, blue = (np.abs(np.diff(seen[..., c], axis=0)).max() for c in range(3))
    assert red < blue


def test_a_strength_bias_deepens_the_shadow():
    scene, family = portrait_scene(), only("edge")
    shadow = hard_shadow.sample_shadow(scene, direction(45, 60), "edge", family, stream(0, "", 0, "shape"))
    shading = hard_shadow.render_shadow(scene, shadow, family, stream(0, "", 0, "strength"), strength_bias=1.0)
    assert shading.numbers["shadow_level"] == pytest.approx(family.shadow_level[0])


def test_the_users_own_patterns_are_projected_and_named():
    scene, family = portrait_scene(), only("custom")
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::16] = stripes[:, 1::16] = stripes[:, 2::16] = stripes[:, 3::16] = 255
    own = {"stripes.png": stripes, "squares.png": np.kron(np.eye(2, dtype=np.uint8), np.full((32, 32), 255, np.uint8))}
    names = set()
    for seed in range(8):
        shadow = hard_shadow.sample_shadow(
            scene, direction(45, 60), "custom", family, stream(seed, "", 0, "shape"), own_gobos=own
        )
        assert shadow.numbers["pattern_type"] == "custom"
        assert 0.2 <= shadow.numbers["pattern_coverage"] <= 0.85
        assert shadow.visibility.min() < 0.3
        assert shadow.visibility.max() > 0.7
        names.add(shadow.numbers["pattern_file"])
    assert names == set(own)
