from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.light_sampler import LightSampler
from relight_assets.stages.degraded.shading import lamp, lamp_place
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def places(scene, count, elevations=(18.0, 43.0), **sampling):
    normals = scene.smooth_normals(lamp.SHAPE_BLUR, lamp.RELIEF)
    options = LightSampling.model_validate(sampling)
    samplers = (LightSampler(scene, Degradation(), options, partial(stream, seed, "", 0)) for seed in range(count))
    return [lamp_place.draw(each, normals, "lamp", elevations) for each in samplers]


@pytest.mark.parametrize("with_face", [True, False])
def test_lamps_stand_where_the_family_wants_them_and_seldom_below(with_face):
    scene = face_scene() if with_face else portrait_scene(with_face=False)
    found = places(scene, 60)
    assert all(np.sin(np.radians(17.9)) <= light.z <= np.sin(np.radians(43.1)) for light in found)
    assert not [light for light in found if light.y < lamp_place.STEEPEST or light.y > lamp_place.LOWEST]
    assert sum(light.y > 0 for light in found) <= 12


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
