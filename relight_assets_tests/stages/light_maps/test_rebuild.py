"""The degraded picture comes back from albedo and light, for every family of light."""

import numpy as np
import pytest

from relight_assets.config.recipe.albedo import Retinex
from relight_assets.core.arrays import Layer, Layers
from relight_assets.imaging.exr import decode_exr, encode_exr
from relight_assets.stages.albedo.albedo import extract
from relight_assets.stages.degraded.degrade import Further
from relight_assets.stages.degraded.parts.light_parts import light_parts
from relight_assets.stages.degraded.tone_curve import ToneCurve
from relight_assets.stages.degraded.variants.mix import mixed
from relight_assets.stages.light_maps.rebuild import Noise, rebuilt
from relight_assets_tests.stages.degraded.lights import LIGHTS, light_of
from relight_assets_tests.stages.degraded.test_degrade import SHA, run
from relight_assets_tests.stages.portraits import face_mesh, portrait

NOISE = Noise(0, SHA, 0)


def lit(name, further):
    points, triangles = face_mesh()
    return run(portrait(), light_of(name), faces=[points], triangles=triangles, further=further)


def again(made, maps=None):
    person = portrait()
    albedo = extract(person.foreground, Retinex()).image
    parts = light_parts(decode_exr(encode_exr(maps or made.maps.layers)))
    return rebuilt(albedo, person.alpha, parts, ToneCurve(*made.numbers["tone_curve"]), NOISE)


def levels(one, other):
    return int(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize("name", LIGHTS)
def test_within_one_level(name):
    made = lit(name, Further(maps=True))
    assert levels(again(made), made.image) <= 1


def test_a_mix_with_the_photo_and_a_light_without_its_pattern_too():
    made = lit("pattern", Further((0.0, 0.3), no_gobo=True, maps=True))
    foreground = portrait().foreground
    for amount, picture in made.mixes.items():
        assert levels(mixed(foreground, again(made), amount), picture.image) <= 1
    assert levels(again(made.no_gobo), made.no_gobo.image) <= 1


def test_another_light_is_another_picture():
    made = lit("soft", Further(maps=True))
    light, *others = made.maps.layers.layers
    dimmed = Layer("light", light.planes | {"key": light.planes["key"] * np.float16(0.5)}, window=light.window)
    assert levels(again(made, Layers(made.maps.layers.size, (dimmed, *others))), made.image) > 10


def test_noise_is_part_of_the_picture():
    made = lit("soft", Further(maps=True))
    person, curve = portrait(), ToneCurve(*made.numbers["tone_curve"])
    albedo = extract(person.foreground, Retinex()).image
    other = rebuilt(albedo, person.alpha, light_parts(made.maps.layers), curve, Noise(1, SHA, 0))
    assert not np.array_equal(other, again(made))
