"""Back light: lamps behind the person draw its outline, beside a dim lamp in front.

What is seen of a lamp behind somebody is skin, hair and cloth that turn away from the camera: a band along the
silhouette on the lamp's side.  Light at such angles is mostly mirrored at the surface (Fresnel), so that dark hair
shines in the colour of the lamp as well.
"""

import math

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import of_luminance_1, tinted
from relight_assets.core.rng import log_uniform, part_of, uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights, lamp, lamp_place
from relight_assets.stages.degraded.shading.ambient import share_of
from relight_assets.stages.degraded.studio import colors, lamps

HEIGHTS, BEHIND = (-0.65, -0.05), (-0.45, -0.2)
"""y and z of a lamp behind: at the level of the head to well above it, and so far behind that its middle is dark."""
TWO = 0.45
"""How often there is one on each side."""
WIDTHS = (0.030, 0.060)
"""Width of the bright band, in units of s."""
INNER = 0.12
"""Share of the light beyond the band: on what turns away from the camera there, as a nose or an arm."""
POWER = 1.5
"""Exponent of the cosine: light that grazes the surface does little."""
GAINS = (3.0, 5.0)
"""Light of a lamp behind over that of the lamp in front."""
SHEEN, DARK_SHEEN = (0.12, 0.25), 0.5
"""What the surface mirrors of it, over the luminance of the lit skin, and the share of that on what is nearly black:
more lies as fog on dark hair."""
SIZE = 0.35
"""Angular half size of a lamp behind, radians: the edge of a smaller one's shadow is a seam across the face."""
FRONT_WRAP = 0.25
"""Wrap of the lamp in front, which is a wide one."""
ON_FACE = 0.45
"""Share of the usual light on the face that is enough: this one is seen beside it."""

FIXED = frozenset({Attribute.SOFTNESS})
"""A band along the silhouette is as wide whatever the size of the lamp."""


def rim(scene: Scene, light: Direction, width: float) -> Plane:
    """Return the light of a lamp behind a person, (h, w) float32, 0 and more.

    Args:
        scene: the person.
        light: toward the lamp, z below 0.
        width: of the bright band along the silhouette, in units of s.
    """
    level = math.hypot(light.x, light.y)
    open_side = visibility(scene, Direction(light.x / level, light.y / level, 0.0), SIZE)
    cosine = np.maximum(scene.toward(light), 0)
    band = cv2.exp(-np.square(scene.inward * np.float32(1 / (width * scene.size))))
    return cv2.pow(cosine, POWER) * (np.float32(INNER) * open_side + np.float32(1 - INNER) * band)


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the lamps behind, and one in front."""
    scene, streams = sampler.scene, sampler.streams
    shape = streams("studio/shape")
    place, color = part_of(shape, Attribute.DIRECTION), part_of(shape, Attribute.COLOR)
    side, two = lamps.draw_side(place), float(shape.random()) < TWO
    behind = [_behind(place, side), *([_behind(place, -side)] if two else [])]
    names = [colors.one_of(color, tuple(colors.RIMS)) for _ in behind]
    width = uniform(shape, WIDTHS)
    rims = [rim(scene, light, width) for light in behind]
    score = lamp_place.least(lamp_place.shading_score(scene), lamp_place.change_score(scene))
    front = lamp_place.draw(sampler, "studio/light", sampler.degradation.studio.elevation_range, score)
    key = lamps.beam(scene, front, shape, lamp.WIDE_LAMP, wrap=FRONT_WRAP)
    numbers: Numbers = lamps.named(
        "back",
        {
            **key.of.numbers,
            "front_light": list(front.vector),
            "rim_lights": [part for light in behind for part in light.vector],
            "rim_colors": " ".join(names),
            "rim_width": width,
        },
    )

    def render(rng: Generator, strength_bias: float) -> Shading:
        ambient = 1.6 * lamps.draw_ambient(sampler, rng, strength_bias)
        strong = part_of(rng, Attribute.STRENGTH)
        kelvin = log_uniform(part_of(rng, Attribute.COLOR), (4300, 6500))
        gain, sheen = log_uniform(strong, GAINS), uniform(strong, SHEEN)
        gain += (GAINS[1] - gain) * strength_bias
        gains = [gain, *[gain * uniform(strong, (0.5, 1.0)) for _ in rims[1:]]]
        white = tinted(kelvin, 0.35)
        lights = [(key.planes, (1 - ambient) * white), (lamps.even(key.of.room), ambient * tinted(6500, 0.5))]
        light, front_share = (
            lamps.finished(scene, lamps.summed(lights), key.of.occlusion),
            lamps.ambient_of(lights[1:], lights),
        )
        peak, _ = highlights.peak_of(scene, light, sheen, 0.0)
        mirrored, matt = np.zeros_like(light), 1 - np.float32(1 - DARK_SHEEN) * scene.dark
        for plane, name, strength in zip(rims, names, gains, strict=True):
            color = of_luminance_1(colors.RIMS[name])
            light += plane[..., None] * (np.float32(strength) * color)
            mirrored += (plane * matt)[..., None] * (np.float32(peak) * color)
        drawn: Numbers = {"ambient": ambient, "key_temperature": kelvin, "key_tint": 0.35, "rim_gains": gains}

        def ambient_share() -> LinearRgb:
            tones = [strength * of_luminance_1(colors.RIMS[name]) for name, strength in zip(names, gains, strict=True)]
            behind = lamps.summed([(lamps.even(plane), tone) for plane, tone in zip(rims, tones, strict=True)])
            return front_share() * share_of(light - behind, light)

        return Shading(light, mirrored, drawn | {"rim_sheen": sheen}, ambient=ambient_share)

    return SampledLight(behind[0], numbers, render, on_face=ON_FACE, fixed=FIXED, visible=lambda: key.of.visible)


def _behind(rng: Generator, side: int) -> Direction:
    y, z = uniform(rng, HEIGHTS), uniform(rng, BEHIND)
    return Direction(side * math.sqrt(1 - y * y - z * z), y, z)
