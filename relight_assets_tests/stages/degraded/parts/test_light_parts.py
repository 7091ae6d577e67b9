"""A drawn light taken apart, and put together again."""

from dataclasses import replace

import numpy as np
import pytest

from relight_assets.core.arrays import Layers
from relight_assets.core.color import luminance
from relight_assets.stages.degraded.degrade import Further, window_of
from relight_assets.stages.degraded.parts.light_parts import LightMaps, light_parts
from relight_assets_tests.stages.degraded.lights import LIGHTS, light_of
from relight_assets_tests.stages.degraded.test_degrade import run
from relight_assets_tests.stages.portraits import face_mesh, portrait

MAPS = Further(maps=True)
SOFT = frozenset({"environment"})
"""Lights whose lamp may give less than what is around it."""


def maps_of(name: str, seed: int = 0) -> LightMaps:
    points, triangles = face_mesh()
    made = run(portrait(), light_of(name), faces=[points], triangles=triangles, seed=seed, further=MAPS)
    assert made.maps is not None
    return made.maps


@pytest.mark.parametrize("name", sorted(LIGHTS.keys() - {"none"}))
def test_a_light_has_some_of_its_room_and_some_of_its_lamps(name):
    maps = maps_of(name)
    parts, lit = light_parts(maps.layers), maps.normals.any(axis=-1)
    ambient, key = (float(luminance(part)[lit].mean()) for part in (parts.ambient, parts.key))
    assert parts.ambient.min() >= 0
    assert parts.key.min() > -1e-3
    assert ambient > 0.005
    assert key > (0.2 if name in SOFT else 1.0) * ambient


def test_even_light_has_no_lamp():
    parts = light_parts(maps_of("none").layers)
    assert parts.key.max() < 1e-3
    assert parts.ambient.max() > 0.5
    assert parts.highlight.max() == 0


def test_highlights_lie_apart():
    assert light_parts(maps_of("specular").layers).highlight.max() > 0.01
    assert light_parts(maps_of("bare").layers).highlight.max() == 0


def test_shape_skin_and_visibility_are_those_of_the_person():
    maps = maps_of("pattern")
    inside = maps.normals.any(axis=-1)
    length = np.linalg.norm(maps.normals[inside].astype(float) / 127.5 - 1, axis=-1)
    assert np.abs(length - 1).max() < 0.02
    assert maps.normals[..., 2][inside].mean() > 128  # toward the camera
    assert maps.skin.max() > 200
    assert maps.visibility[inside].min() < 60  # in the shadow of a slat
    assert maps.visibility[inside].max() > 200
    assert 0.3 < inside.mean() < 0.9  # black beside the person
    assert maps.skin[~inside].max() == maps.visibility[~inside].max() == 0
    rows, columns = window_of(portrait().alpha)
    x, y, width, height = maps.window
    assert (slice(y, y + height), slice(x, x + width)) == (rows, columns)
    assert maps.layers.size == portrait().alpha.shape[::-1]


def test_a_light_without_its_pattern_is_seen_everywhere_that_its_lamp_is():
    points, triangles = face_mesh()
    further = Further(no_gobo=True, maps=True)
    light = run(portrait(), light_of("pattern"), faces=[points], triangles=triangles, further=further)
    assert light.no_gobo is not None
    assert light.maps is not None
    assert light.no_gobo.maps is not None
    assert light.no_gobo.maps.visibility.astype(int).sum() > 1.2 * light.maps.visibility.astype(int).sum()
    bare, with_pattern = (light_parts(each.layers) for each in (light.no_gobo.maps, light.maps))
    assert bare.key.sum() > with_pattern.key.sum()


def test_nothing_is_kept_unasked():
    made = run(portrait(), light_of("soft"))
    assert made.maps is None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda _: (), "no layer `light`"),
        (lambda layers: layers[1:], "no layer `light`"),
        (lambda layers: (replace(layers[0], window=None), *layers[1:]), "no layer `light`"),
        (lambda layers: (replace(layers[0], planes={"key": layers[0].planes["key"]}),), "no layer `light`"),
    ],
)
def test_a_file_that_lacks_something_is_named(spoil, message):
    layers = maps_of("soft").layers
    with pytest.raises(ValueError, match=message):
        light_parts(Layers(layers.size, tuple(spoil(layers.layers))))
