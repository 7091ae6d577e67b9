"""Two lamps behind coloured gels, one on each side; what both light is nearly white, and each shadow has a colour."""

from dataclasses import replace

from numpy.random import Generator

from relight_assets.core.color import tinted
from relight_assets.core.rng import part_of, uniform
from relight_assets.stages.degraded.geometry.scene import Numbers
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights
from relight_assets.stages.degraded.studio import colors, lamps

ABOVE = (-5.0, 40.0)
"""Angle of a lamp above the level of the head, degrees."""
ELEVATIONS = (10.0, 32.0)
"""Of a lamp toward the camera, degrees: from the side, so that the two meet in the middle of the face."""
SIZES = (0.08, 0.20)
"""Angular half size, radians."""
WRAP, FILLED = 0.18, 0.08
"""How far a lamp reaches around, and how much of it there is in shadows."""
BALANCE = (0.50, 0.90)
"""Light of the second lamp over that of the first."""
FILL = 0.14
"""White light from the camera's side, over that of the first lamp: skin keeps its own colour there."""
ON_FACE = 0.36
"""Share of the usual light on the face that is enough: colours are seen as well."""
BY_LEVEL = 0.7
"""The same of the strength, which is one of luminance."""
FIRST_TRY = 3
"""Number of the first strength that is tried: before it gels are pale, and it is colours that show these lamps."""


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the lamps and their gels."""
    scene, shape = sampler.scene, sampler.streams("studio/shape")
    place, color = part_of(shape, Attribute.DIRECTION), part_of(shape, Attribute.COLOR)
    side = lamps.draw_side(place)
    first, second = (lamps.beside(place, each, ELEVATIONS, ABOVE) for each in (side, -side))
    pair = colors.GEL_PAIRS[int(color.integers(len(colors.GEL_PAIRS)))]
    swapped = color.random() < 0.5
    one, other = (pair.other, pair.one) if swapped else (pair.one, pair.other)
    beams = [lamps.beam(scene, light, shape, SIZES, wrap=WRAP, filled=FILLED) for light in (first, second)]
    roughness = sampler.degradation.studio.roughness
    skins = [sampler.streams(f"studio/skin/{number}") for number in (0, 1)]
    lobes = [
        highlights.sample(scene, light, roughness, skin, each.of.visible, gloss=True)
        for light, skin, each in zip((first, second), skins, beams, strict=True)
    ]
    numbers: Numbers = lamps.named(
        "gels",
        {
            **beams[0].of.numbers,
            "gels": pair.name,
            "gels_swapped": bool(swapped),
            "second_lamp": list(second.vector),
        },
    )

    def render(rng: Generator, strength_bias: float) -> Shading:
        low, high = sampler.degradation.studio.saturation_range
        saturation = uniform(part_of(rng, Attribute.COLOR), (low, high))
        balance = uniform(part_of(rng, Attribute.STRENGTH), BALANCE)
        saturation += (high - saturation) * strength_bias
        ambient = lamps.draw_ambient(sampler, rng, strength_bias)
        tones = [colors.softened(one, saturation), colors.softened(other, saturation)]
        white = tinted(6500, 0.0)
        lights = [
            (beams[0].planes, tones[0]),
            (beams[1].planes, balance * tones[1]),
            (lamps.even(scene.normals[2]), (FILL + 0.5 * ambient) * white),
        ]
        light, ambient_share = lamps.summed(lights), lamps.ambient_of(lights[2:], lights)
        drawn: Numbers = {"gel_saturation": saturation, "gel_balance": balance, "ambient": ambient}
        shading = Shading(lamps.finished(scene, light, beams[0].of.occlusion), None, drawn, ambient=ambient_share)
        gain = lamps.draw_gain(rng, (0.25, 0.5))
        for lobe, tone, strength in zip(lobes, tones, (gain, gain * balance), strict=True):
            shading = highlights.add_highlight(scene, shading, lobe, strength, color=tone)
        return replace(shading, numbers=shading.numbers | {"lamp_color": tones[0].tolist()}, grain=None)

    visible = beams[0].of.visible
    return SampledLight(
        first,
        numbers,
        render,
        on_face=ON_FACE,
        by_level=BY_LEVEL,
        first_try=FIRST_TRY,
        visible=lambda: visible,
    )
