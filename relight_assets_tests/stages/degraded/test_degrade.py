import json
import warnings
from functools import lru_cache

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.albedo import Retinex
from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.errors import WeakPairError
from relight_assets.stages.albedo.albedo import extract
from relight_assets.stages.degraded.degrade import Further, degrade
from relight_assets.stages.degraded.variants.mix import mixed
from relight_assets_tests.stages.portraits import NO_TRIANGLES, face_mesh, portrait

SHA = "0f" * 32
FAMILIES = ("soft_shading", "hard_shadow", "specular", "studio", "none")


def only(family, **changes):
    weights = {name: {"weight": 1.0 if name == family else 0.0} for name in FAMILIES}
    weights[family] |= changes
    return Degradation.model_validate(weights)


@lru_cache
def albedo_of(foreground, shape):
    return extract(np.frombuffer(foreground, np.uint8).reshape(shape), Retinex()).image


def run(person, degradation=None, *, faces=None, triangles=NO_TRIANGLES, **key):
    return degrade(
        input_rgb=person.rgb,
        foreground=person.foreground,
        albedo=albedo_of(person.foreground.tobytes(), person.foreground.shape),
        faces=faces or [],
        triangles=triangles,
        degradation=degradation or Degradation(),
        lights=LightSampling(),
        **({"seed": 0, "source_sha256": SHA} | key),
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("with_face", [True, False])
def test_every_family_gives_a_whole_answer(family, with_face):
    person = portrait()
    points, triangles = face_mesh()
    found = run(person, only(family), faces=[points] if with_face else [], triangles=triangles)
    assert found.degradation_type == family
    assert found.image.dtype == np.uint8
    assert np.array_equal(found.image[..., 3], person.alpha)
    assert found.image[person.alpha == 0].max() == 0
    assert np.linalg.norm(found.light_direction) == pytest.approx(1)
    assert json.loads(json.dumps(found.numbers, allow_nan=False)) == found.numbers
    assert found.image[person.alpha == 255, :3].max() < 254


def test_the_same_key_gives_the_same_bytes_whatever_ran_before():
    person = portrait()
    first = run(person)
    run(person, seed=99)
    np.random.default_rng().random(100)
    second = run(person)
    assert np.array_equal(first.image, second.image)
    assert first.numbers == second.numbers


def test_the_number_of_threads_does_not_matter():
    person = portrait(300, 260)
    first = run(person)
    cv2.setNumThreads(2)
    assert np.array_equal(first.image, run(person).image)


@pytest.mark.parametrize("other", [{"seed": 1}, {"source_sha256": "ab" * 32}, {"variant": 1}])
def test_another_key_gives_another_light(other):
    person = portrait()
    assert run(person, **other).light_direction != run(person).light_direction


def test_families_are_drawn_by_weight():
    person = portrait(72, 64)
    types = [run(person, variant=variant).degradation_type for variant in range(120)]
    for family, weight in Degradation().weights.items():
        assert types.count(family) / 120 == pytest.approx(
            weight, abs=3 * np.sqrt(max(weight * (1 - weight), 1e-9) / 120)
        )


def test_a_weak_pair_is_an_error():
    with pytest.raises(WeakPairError):
        run(portrait(72, 64), only("soft_shading", min_strength=4.0))


def test_where_the_person_stands_does_not_change_the_light():
    person = portrait(160, 128)
    moved = np.pad(person.rgb, ((40, 60), (30, 90), (0, 0)), mode="edge")
    alpha = np.pad(person.alpha[:-8], ((40, 68), (30, 90)))
    found = run(type(person)(moved, alpha, person.probability, person.albedo, person.shading), only("soft_shading"))
    assert np.array_equal(found.image[..., 3], alpha)
    assert found.light_direction == run(person, only("soft_shading")).light_direction


@pytest.mark.parametrize("family", ["soft_shading", "hard_shadow", "specular", "studio"])
@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (180, 40, 40)])
@pytest.mark.parametrize("mask", ["full", "corner", "faint", "line"])
@pytest.mark.parametrize("size", [(64, 64), (67, 301)])
def test_odd_inputs_end_in_finite_pixels_or_a_weak_pair(family, color, mask, size):
    alpha = np.zeros(size, np.uint8)
    alpha[{"full": np.s_[:], "corner": np.s_[:2, :3], "faint": np.s_[:], "line": np.s_[30:31]}[mask]] = (
        90 if mask == "faint" else 255
    )
    foreground = np.dstack([np.full((*size, 3), color, np.uint8), alpha])
    foreground[alpha == 0] = 0
    rgb = np.full((*size, 3), color, np.uint8)
    points, triangles = face_mesh(64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        albedo = extract(foreground, Retinex()).image
        try:
            found = degrade(
                input_rgb=rgb,
                foreground=foreground,
                albedo=albedo,
                faces=[points, points + 500],
                triangles=triangles,
                degradation=only(family),
                lights=LightSampling(),
                seed=0,
                source_sha256=SHA,
            )
        except WeakPairError:
            return
    assert np.array_equal(found.image[..., 3], alpha)
    json.dumps(found.numbers, allow_nan=False)


def test_an_empty_mask_is_a_weak_pair():
    rgb = np.full((64, 64, 3), 100, np.uint8)
    nothing = np.zeros((64, 64, 4), np.uint8)
    with pytest.raises(WeakPairError):
        degrade(
            input_rgb=rgb,
            foreground=nothing,
            albedo=nothing[..., :3].copy(),
            faces=[],
            triangles=NO_TRIANGLES,
            degradation=Degradation(),
            lights=LightSampling(),
            seed=0,
            source_sha256=SHA,
        )


def test_what_is_made_of_a_light_leaves_it_as_it_was():
    person, patterned = portrait(), only("hard_shadow", kinds={"none": 0})
    alone = run(person, patterned)
    found = run(person, patterned, further=Further((0.0, 0.5), no_gobo=True))
    assert np.array_equal(found.image, alone.image)
    assert found.numbers == alone.numbers
    photo, half = found.mixes[0.0], found.mixes[0.5]
    assert np.array_equal(photo.image, np.where(person.alpha[..., None] > 0, person.foreground, 0))
    assert np.array_equal(half.image, mixed(person.foreground, found.image, 0.5))
    strengths = [each.numbers["strength"] for each in (photo, half, found)]
    assert strengths == sorted(strengths)
    assert strengths[0] == 0
    assert {amount: each.numbers["amount"] for amount, each in found.mixes.items()} == {0: 0, 0.5: 0.5}
    assert found.no_gobo.numbers["has_pattern"] is False
    assert np.array_equal(found.no_gobo.image[..., 3], person.alpha)
    assert found.no_gobo.image.mean() > found.image.mean()


def test_lights_that_differ_in_one_attribute():
    person = portrait()
    alone = run(person)
    found = run(person, further=Further((0.5,), alike=2))
    assert np.array_equal(found.image, alone.image)
    assert found.numbers == alone.numbers | {"varied": found.numbers["varied"]}
    assert len(found.alike) == 2
    for each in found.alike:
        assert each.numbers["varied"] == found.numbers["varied"]
        assert each.degradation_type == found.degradation_type
        assert list(each.mixes) == [0.5]
        assert not np.array_equal(each.image, found.image)
