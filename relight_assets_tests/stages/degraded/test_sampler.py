from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation, family_names
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded import sampler as module
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.sampler import TRIES, WEAK_LIGHTS, relight, without_pattern
from relight_assets.stages.degraded.source_light.source_light import UNKNOWN
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def only(family, **changes):
    weights = {name: {"weight": 1.0 if name == family else 0.0} for name in family_names()}
    weights[family] |= changes
    return Degradation.model_validate(weights)


def relit(degradation, seed=0, **options):
    return relight(portrait_scene(), degradation, LightSampling(), lambda p: stream(seed, "", 0, p), **options)


@pytest.mark.parametrize("family", ["soft_shading", "hard_shadow", "specular", "studio"])
def test_accepted_pairs_are_strong_enough(family):
    degradation = only(family)
    for seed in range(6):
        found = relit(degradation, seed)
        assert found.family == family
        assert found.numbers["strength"] >= getattr(degradation, family).min_strength
        assert np.isfinite(found.light).all()


def test_weak_strengths_are_drawn_again_and_the_direction_stays():
    easy, strict = only("soft_shading", min_strength=0.0), only("soft_shading", min_strength=1.7)
    tries = []
    for seed in range(1, 13):
        first = relit(easy, seed)
        assert first.numbers["strength_tries"] == 1
        try:
            second = relit(strict, seed, lights=1)
        except WeakPairError:
            continue
        tries.append(second.numbers["strength_tries"])
        assert second.direction == first.direction
    assert max(tries) > 1


def test_a_hopeless_recipe_is_a_weak_pair():
    with pytest.raises(WeakPairError, match=f"{TRIES} strengths of a soft_shading light"):
        relit(only("soft_shading", min_strength=4.0))


def test_a_light_that_no_strength_makes_strong_enough_is_drawn_again_elsewhere():
    strict = only("soft_shading", min_strength=1.75)
    seeds = []
    for seed in range(12):
        try:
            relit(strict, seed, lights=1)
        except WeakPairError:
            seeds.append(seed)
    assert seeds
    saved = 0
    for seed in seeds:
        try:
            found = relit(strict, seed)
        except WeakPairError:
            continue
        saved += 1
        assert found.family == "soft_shading"
        assert found.numbers["strength"] >= 1.75
        assert found.numbers["lights_drawn"] > 1
    assert saved > len(seeds) / 2


def test_where_a_family_is_always_too_weak_another_takes_its_place():
    weights = {"hard_shadow": {"weight": 0.98, "min_strength": 4.0}, "soft_shading": {"weight": 0.02}}
    none = {"specular": {"weight": 0.0}, "studio": {"weight": 0.0}, "none": {"weight": 0.0}}
    degradation = Degradation.model_validate({"mixture_probability": 0.0} | weights | none)
    for seed in range(4):
        found = relit(degradation, seed)
        assert found.family == "soft_shading"
        assert found.numbers["lights_drawn"] > WEAK_LIGHTS
        again = relit(degradation, seed)
        assert again.numbers == found.numbers


def test_no_light_is_never_too_weak():
    found = relit(only("none"))
    assert found.family == "none"
    assert found.direction.vector == (0.0, 0.0, 1.0)


def test_exposure_is_kept():
    scene = portrait_scene()
    for seed in range(6):
        found = relit(only("hard_shadow").model_copy(update={"exposure_range": (0.0, 0.0)}), seed)
        after = (scene.albedo * found.light)[scene.core].mean()
        assert abs(np.log2(after / scene.photo_light[scene.core].mean())) < 1.2


def test_mixtures_come_as_often_as_asked():
    always = Degradation.model_validate({"mixture_probability": 1.0, "studio": {"weight": 0}})
    assert all(relit(always, seed).numbers["mixed_with"] for seed in range(6))
    never = Degradation(mixture_probability=0.0)
    assert not any(relit(never, seed).numbers["mixed_with"] for seed in range(6))


@pytest.mark.parametrize("family", ["soft_shading", "hard_shadow", "specular"])
def test_the_key_keeps_away_from_the_photos_own_light(family):
    source = portrait_scene().source_light.direction
    assert source.angle(Direction(0.755, -0.252, 0.604)) < 25
    for seed in range(12):
        found = relit(only(family), seed)
        assert found.direction.angle(source) >= 30
        assert found.numbers["light_angle_deg"] == pytest.approx(found.direction.angle(source))
        assert found.numbers["source_light_direction"] == pytest.approx(source.vector)


def test_flat_light_has_no_angle_and_a_person_without_a_face_no_known_light():
    flat = relit(only("none"))
    assert flat.numbers["light_angle_deg"] is None
    assert flat.numbers["source_light_direction"] is not None
    assert portrait_scene(with_face=False).source_light == UNKNOWN


def test_the_record_says_what_gave_the_shape():
    assert relit(only("soft_shading")).numbers["geometry"] == "face_mesh"
    assert relit(only("soft_shading")).numbers["geometry_faces"] == 1
    bare = relight(portrait_scene(with_face=False), only("none"), LightSampling(), lambda p: stream(0, "", 0, p))
    assert (bare.numbers["geometry"], bare.numbers["geometry_faces"]) == ("inflated", 0)


def test_a_light_that_hardly_shades_the_face_is_drawn_again_but_not_a_mild_one(monkeypatch):
    monkeypatch.setattr(module, "measure", lambda *_: {"face_light": 0.2, "skin_chroma": 1.0, "skin_hue": 0.0})
    degradation = only("soft_shading")
    flat = relight(face_scene(), degradation, LightSampling(), lambda p: stream(0, "", 0, p))
    assert (flat.numbers["lights_drawn"], flat.numbers["strength_tries"]) == (module.LIGHTS, module.TRIES)
    assert flat.numbers["artifact_score"] == pytest.approx(2 * module.WITHOUT_PATTERN)
    assert flat.numbers["face_light"] == 0.2
    mild = degradation.model_copy(update={"intensity": "mild"})
    assert relight(face_scene(), mild, LightSampling(), lambda p: stream(0, "", 0, p)).numbers["lights_drawn"] == 1
    none = relight(face_scene(), degradation.only("none"), LightSampling(), lambda p: stream(0, "", 0, p))
    assert none.numbers["lights_drawn"] == 1


def test_a_strong_light_does_more_to_a_face_than_a_mild_one():
    found = {}
    for intensity in ("mild", "standard", "strong"):
        degradation = Degradation(intensity=intensity).only("soft_shading")
        lights = [
            relight(face_scene(), degradation, LightSampling(), partial(stream, seed, "", 0)) for seed in range(8)
        ]
        found[intensity] = np.median([light.numbers["face_light"] for light in lights])
    assert found["mild"] < found["standard"] < found["strong"]


PATTERNED = {"kinds": {"none": 0, "blinds": 1}}


@pytest.mark.parametrize("families", [("hard_shadow",), ("hard_shadow", "specular"), ("specular", "hard_shadow")])
def test_a_light_without_its_pattern_is_the_same_light(families):
    sections = {name: {"weight": 1e-9 if name in families else 0.0} for name in ("soft_shading", "specular", "none")}
    sections["hard_shadow"] = {"weight": 1e-9, "opacity_range": [0.6, 0.6], "subsurface_range": [0, 0], **PATTERNED}
    sections[families[0]]["weight"] = 1.0
    degradation = Degradation.model_validate(sections | {"mixture_probability": float(len(families) > 1)})
    light = relit(degradation, 3)
    assert (light.family, light.numbers["mixed_with"] or None) == (families[0], (*families, None)[1])
    assert light.numbers["has_pattern"] is True
    bare = without_pattern(light)
    assert bare.numbers["has_pattern"] is False
    assert not any("pattern" in name.removeprefix("second_") for name in bare.numbers if "has_" not in name)
    assert "penumbra" not in bare.numbers
    for name in ("key_temperature", "wrap", "channel_gains", "tone_curve", "exposure"):
        assert bare.numbers[name] == light.numbers[name]
    assert (bare.direction, bare.curve) == (light.direction, light.curve)
    # It takes nothing away, gives light to what lay in the shadow, and leaves what was lit as it was.
    ratio = light.light[..., 1] / bare.light[..., 1]
    inside = portrait_scene().core & (portrait_scene().albedo.max(axis=2) > 0.01)
    assert ratio[inside].max() < 1.02
    assert np.quantile(ratio[inside], 0.02) < 0.6
    assert np.quantile(ratio[inside], 0.98) > 0.97
    if light.highlight is not None:
        shown = bare.highlight.max(axis=2) > 0.01
        assert np.all(light.highlight[shown] <= bare.highlight[shown] + 1e-5)


def test_black_keeps_the_shadow_of_a_pattern():
    light = relit(only("hard_shadow", **PATTERNED))
    scene = light.draft.sampler.scene
    high = (scene.height > np.median(scene.height)).astype(np.float32)
    dark = replace(scene, albedo=scene.albedo * high[..., None])
    sampler = replace(light.draft.sampler, scene=dark)
    bare = without_pattern(replace(light, draft=replace(light.draft, sampler=sampler)))
    black = dark.albedo.max(axis=2) == 0
    assert np.allclose(bare.light[black], light.light[black], atol=1e-5)
    assert not np.allclose(bare.light[~black], light.light[~black], atol=1e-2)


def test_a_light_without_a_pattern_has_no_other_without_it():
    assert without_pattern(relit(only("soft_shading"))) is None
    assert without_pattern(relit(only("hard_shadow", kinds={"none": 1e6}))) is None
