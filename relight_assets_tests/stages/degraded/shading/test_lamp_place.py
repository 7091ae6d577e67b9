from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.light_sampler import LightSampler
from relight_assets.stages.degraded.shading import lamp_place
from relight_assets.stages.degraded.source_light.source_light import UNKNOWN
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def places(scene, count, elevations=(18.0, 43.0), **sampling):
    options = LightSampling.model_validate(sampling)
    samplers = (LightSampler(scene, Degradation(), options, partial(stream, seed, "", 0)) for seed in range(count))
    score = lamp_place.shining_score(scene)
    return [lamp_place.draw(each, "lamp", elevations, score) for each in samplers]


def test_a_lamp_from_the_side_shades_and_shadows_a_face_and_one_from_the_camera_does_not():
    scene = face_scene()
    for score in (lamp_place.shading_score(scene), lamp_place.shadow_score(scene)):
        assert score(direction(40, 0)) > 0.9
        assert score(direction(85, 0)) < 0.4
    assert lamp_place.anywhere(direction(85, 20)) == 1


def test_lamps_straight_above_the_nose_are_taken_for_want_of_others_alone():
    def straight(light):
        return abs(light.x) < lamp_place.ASIDE

    assert sum(map(straight, places(face_scene(), 40, elevations=(25.0, 40.0)))) <= 2
    assert all(map(straight, places(face_scene(), 4, elevations=(25.0, 40.0), azimuth_range=(85.0, 95.0))))


def test_a_soft_lamp_is_wanted_where_nose_or_brow_cast_a_shadow():
    scene = face_scene()
    flat = replace(scene, low_height=np.zeros_like(scene.low_height))
    light = direction(40, 0)
    assert lamp_place.shading_score(scene)(light) > 0.5
    assert lamp_place.shading_score(flat)(light) == 0


def test_a_shadow_that_hides_the_face_is_not_wanted():
    scene = face_scene()
    score = lamp_place.shadow_score(scene)
    assert score(Direction(0.0, 0.0, -1.0)) < 1


@pytest.mark.parametrize("with_face", [True, False])
def test_lamps_stand_where_the_family_wants_them_and_seldom_below(with_face):
    scene = face_scene() if with_face else portrait_scene(with_face=False)
    found = places(scene, 60, min_light_angle=30.0)
    assert all(np.sin(np.radians(17.9)) <= light.z <= np.sin(np.radians(43.1)) for light in found)
    assert not [light for light in found if light.y < lamp_place.STEEPEST or light.y > lamp_place.LOWEST]
    assert sum(light.y > 0 for light in found) <= 12


def test_lamps_are_seldom_high_unless_something_stands_before_them():
    def high(**more):
        samplers = [
            LightSampler(face_scene(), Degradation(), LightSampling(), partial(stream, seed, "", 0))
            for seed in range(60)
        ]
        found = [lamp_place.draw(each, "lamp", (18.0, 43.0), lamp_place.anywhere, **more) for each in samplers]
        return sum(light.y < lamp_place.HIGH for light in found)

    assert 0 < high() < 0.6 * high(from_high=1.0)


def test_places_are_drawn_from_all_sides():
    found = places(portrait_scene(with_face=False), 60)
    assert 10 < sum(light.x > 0.4 for light in found) < 50
    assert len(set(found)) == 60


def test_where_the_recipe_allows_only_lights_from_below_those_are_taken():
    found = places(face_scene(), 4, azimuth_range=(250.0, 290.0), min_light_angle=0.0)
    assert all(light.y > 0.6 for light in found)


def test_frontal_lamps_that_a_recipe_asks_for_are_the_most_oblique_of_those_drawn():
    found = places(portrait_scene(with_face=False), 20, elevations=(60.0, 80.0))
    assert all(light.z > np.sin(np.radians(59.9)) for light in found)
    assert np.median([light.z for light in found]) < 0.9


def test_of_places_the_first_that_does_is_taken_or_the_best():
    lights = {"lamp": direction(80, 0), "lamp/1": direction(50, 0), "lamp/2": direction(40, 0)}

    def place(enough):
        def of(purpose):
            light = lights.get(purpose, direction(60, 0))
            return light, (1 - light.z) * enough

        return lamp_place.best_of("lamp", of)

    assert place(1.01 / (1 - lights["lamp/1"].z)) == lights["lamp/1"]
    assert place(0.1) == lights["lamp/2"]


def test_a_lamp_where_the_photos_own_stood_changes_nothing_and_one_from_the_other_side_does():
    scene = face_scene()
    own, other = direction(30, 0), direction(30, 180)
    light = np.maximum(sum(n * np.float32(of) for n, of in zip(scene.normals, own.vector, strict=True)), 0)
    photo = scene.albedo * (light * np.float32(0.9) + np.float32(0.1))[..., None]
    lit = replace(scene, photo=photo, photo_light=luminance(photo))
    score = lamp_place.change_score(lit)
    assert score(own) < 0.5
    assert score(other) > 1.2
    assert lamp_place.least(score, lamp_place.anywhere)(other) == 1
    assert lamp_place.least(score, lamp_place.anywhere)(own) == score(own)


def test_a_lamp_stands_away_from_the_photos_own_where_that_is_known():
    scene = portrait_scene()
    known = scene.source_light.direction
    sampler = LightSampler(scene, Degradation(), LightSampling(min_light_angle=45), partial(stream, 0, "", 0))
    score = lamp_place.away(sampler, lamp_place.anywhere)
    assert score(known) < 0
    assert score(Direction(-known.x, known.y, known.z)) == 1
    unknown = replace(sampler, scene=replace(scene, source_light=UNKNOWN))
    assert lamp_place.away(unknown, lamp_place.anywhere)(known) == 1
