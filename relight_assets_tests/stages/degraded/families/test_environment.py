from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import Environment
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.environments.panorama import prepared
from relight_assets.stages.degraded.families import environment
from relight_assets.stages.degraded.light_sampler import TRIES, LightSampler
from relight_assets_tests.stages.degraded.environments.test_panorama import room
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def lit(seed, panoramas, bias=0.0, sampling=None, scene=None):
    sampler = LightSampler(
        scene or face_scene(),
        Degradation(environment=Environment(environment_dir="there")),
        sampling or LightSampling(min_light_angle=0),
        partial(stream, seed, "", 0),
        environments=panoramas,
    )
    sampled = environment.sample(sampler)
    return sampled, sampled.render(stream(seed, "", 0, "strength"), bias)


def panoramas(**colors):
    return {name: prepared(room((0.6, -0.4, -0.7), color=color)[0]) for name, color in colors.items()}


def test_a_panorama_is_turned_until_its_lamp_is_seen_on_the_face():
    scene, around = face_scene(), panoramas(room=(1.0, 1.0, 1.0))
    face, across = scene.bare_skin > 0.5, np.arange(scene.shape[1])[None, :] - scene.head.x
    turns = set()
    for seed in range(6):
        sampled, shading = lit(seed, around)
        assert sampled.direction.z > 0
        assert sampled.direction.y == pytest.approx(around["room"].key.y)
        assert sampled.numbers["environment"] == "room"
        turns.add(sampled.numbers["environment_turn"])
        near = across * np.sign(sampled.direction.x) > 0
        light = luminance(shading.light)
        assert np.isfinite(light).all()
        assert light[face & near].mean() > 1.3 * light[face & ~near].mean()
    assert len(turns) == 6


def test_colours_are_those_of_the_panorama_that_was_drawn():
    around = panoramas(red=(1.6, 0.8, 0.3), blue=(0.3, 0.9, 1.6))
    names = set()
    for seed in range(8):
        sampled, shading = lit(seed, around)
        names.add(sampled.numbers["environment"])
        red, _, blue = shading.light[face_scene().bare_skin > 0.5].mean(axis=0)
        assert (red > blue) == (sampled.numbers["environment"] == "red")
        color = shading.numbers["lamp_color"]
        assert (color[0] > color[2]) == (sampled.numbers["environment"] == "red")
    assert names == {"red", "blue"}


def test_fill_stays_in_its_range_and_a_bias_to_strength_leaves_the_least():
    around, (low, high) = panoramas(room=(1.0, 1.0, 1.0)), Environment().fill_range
    for seed in range(4):
        assert low <= lit(seed, around)[1].numbers["environment_fill"] <= high
        assert lit(seed, around, 1.0)[1].numbers["environment_fill"] == pytest.approx(low)


def test_an_even_panorama_lights_without_a_lamp():
    sampled, shading = lit(0, {"even": prepared(np.full((64, 128, 3), 0.4, np.float32))})
    assert sampled.numbers["environment_key_share"] == pytest.approx(0, abs=1e-4)
    assert np.isfinite(shading.light).all()


def test_most_of_what_comes_from_everywhere_alike_is_taken_out(monkeypatch):
    sky = np.linspace(2.0, 1.0, 64, dtype=np.float32)[:, None, None] * np.float32([0.8, 1.0, 1.2])
    around, face = {"sky": prepared(np.broadcast_to(sky, (64, 128, 3)).copy())}, face_scene().bare_skin > 0.5

    def ends():
        light = lit(0, around)[1].light[face]
        dark, bright = np.quantile(luminance(light[None]), [0.05, 0.95])
        return bright / dark, np.log(light[:, 2] / light[:, 0]).std()

    contrast, colors = ends()
    monkeypatch.setattr(environment, "EVEN_TAKEN", 0.0)
    whole, as_they_are = ends()
    assert contrast > 1.25 * whole
    assert colors == pytest.approx(as_they_are, abs=0.02)


def test_the_same_key_gives_the_same_light():
    around = panoramas(room=(1.0, 0.9, 0.8))
    (one, first), (other, second) = lit(3, around), lit(3, around)
    assert one.numbers == other.numbers
    assert (first.light == second.light).all()
    assert (first.highlight == second.highlight).all()


def test_strengths_that_would_leave_the_face_flat_are_passed_over():
    sun = {"sun": prepared(room((0.6, -0.4, -0.7), light=2000.0)[0])}
    assert all(lit(seed, sun)[0].first_try == 0 for seed in range(4))
    dim = [{"dim": prepared(room((0.6, -0.4, -0.7), light=light)[0])} for light in (3.0, 8.0, 12.0)]
    passed = [[lit(seed, around)[0] for around in dim] for seed in range(4)]
    for each in passed:  # the brighter the lamp, the fewer
        first = [light.first_try for light in each]
        assert first == sorted(first, reverse=True)
        assert first[0] == TRIES - 1
    between = [light for each in passed for light in each if 0 < light.first_try < TRIES - 1]
    assert between
    assert all(light.on_face == environment.ON_FACE for light in between)


def test_an_even_panorama_is_taken_as_it_is():
    even = {"even": prepared(room((0.6, -0.4, -0.7), light=0.6)[0])}
    sampled, _ = lit(0, even)
    assert sampled.first_try == TRIES - 1
    assert sampled.on_face < 0.3 * environment.ON_FACE


def test_it_is_turned_to_where_it_changes_the_photos_own_light():
    scene, around = portrait_scene(), panoramas(room=(1.0, 1.0, 1.0))
    own = scene.source_light.direction
    turns = set()
    for seed in range(6):
        sampled, _ = lit(seed, around, sampling=LightSampling(min_light_angle=45), scene=scene)
        assert sampled.direction.angle(own) >= 45
        assert np.sign(sampled.direction.x) == -np.sign(own.x)
        turns.add(round(sampled.numbers["environment_turn"], 3))
    assert len(turns) == 6
