"""One lamp in a dim room: it lights the face from its side, so that where it stands can be read.

What is not lit gets little: a faint fill from the other side, and ambient light from above.  Blood under the skin
carries red light around the terminator and into the edge of shadows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import SoftShading
from relight_assets.config.recipe.family_options import LampOptions
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, safe_ratio, shoulder, tinted
from relight_assets.core.rng import is_varied, log_uniform, part_of, uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.bare_skin import face_height
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene, once_a_scene
from relight_assets.stages.degraded.geometry.visibility import WIDE, visibility
from relight_assets.stages.degraded.light_sampler import Attribute, Shading
from relight_assets.stages.degraded.shading.ambient import share_of
from relight_assets.stages.degraded.shading.lambert import wrapped_cosine
from relight_assets.stages.quantiles import quantile

LAMP_SIZE, WIDE_LAMP = (0.08, 0.22), (0.16, 0.36)
"""Angular half size of a lamp, and of a large one, radians, for the head's own shadow: from wider ones the shadows of
nose and brow have no edge, and without an edge shade is taken for skin."""
ANY_LAMP = (0.03, 0.36)
"""That of lamps which differ in their softness alone: from a bare bulb to a large window."""
SHADOW_BLUR = (0.006, 0.0027, 0.0015)
"""Blur of the shadow's edge for R, G and B, in units of s."""
SUBSURFACE_WRAP = (0.08, 0.02, 0.0)
"""What blood under skin adds to the wrap, R, G and B."""
SHADOW_FLOOR = 0.03
"""Share of the lamp in the head's own shadow."""
FILL_PEAK, FILL_QUANTILE = 0.35, 0.99
"""Fill at its brightest, relative to the key, and the percentile of it that is brought there."""
ROOM_SIDE = 0.35
"""How much less ambient light comes from the side away from the lamp: the far cheek turns into shade, not into haze."""
AMBIENT_TINT = 0.5
"""Share of the ambient light's colour that is left after a camera's white balance."""
KNEE, CEILING = 1.15, 1.7
"""Irradiance over its 80th percentile on the face, above which it is compressed, and which it approaches."""
BEAM = (1.2, 2.6)
"""Distance from the middle of the head, in units of its half axes, up to which a lamp is aimed at it, and from which it
is not."""
BEAM_FLOOR = 0.02
"""Irradiance that is added before the logarithm: full shadow is not endlessly dark."""
BEAM_SHARE = 0.15
"""Share of the person beyond the head without which there is no rest to compare a face with."""
AIMED, MAX_AIM, NEAR_AIM = 0.8, 0.8, 0.5
"""Share of the difference between face and rest that is made up for, and the most, stops: of all lamps, and of a rest
that is darker than the face because the lamp is near."""
HAIR_SHADE, HAIR_REACH = 0.30, 0.035
"""How much hair darkens the skin beside it, and how far, in units of the face's height h."""


@dataclass(frozen=True)
class Lamp:
    """A lamp beside a person."""

    light: Direction
    visible: Plane
    """How much of it each point sees, (h, w) float32 in 0..1."""
    seen: tuple[Plane, Plane, Plane]
    """The same as R, G and B see it: blurred, and nowhere 0."""
    fill: Plane
    room: Plane
    """Ambient light, (h, w) float32, about 1: more from above, and from the side of the lamp, which lights walls."""
    occlusion: Plane
    """What hair leaves of the light, (h, w) float32 in 0..1."""
    numbers: Numbers


def sample(scene: Scene, light: Direction, rng: Generator, sizes: tuple[float, float] = LAMP_SIZE) -> Lamp:
    """Draw the lamp's size, radians, and compute its shadow."""
    sizes = ANY_LAMP if is_varied(rng, Attribute.SOFTNESS) else sizes
    lamp_size = uniform(part_of(rng, Attribute.SOFTNESS), sizes)
    n_x, n_y, n_z = scene.normals
    fill = n_x * np.float32(-0.35 * light.x) - n_y * np.float32(0.25) + n_z * np.float32(0.25)
    fill = np.maximum(fill + np.float32(0.5), 0)
    fill *= np.float32(FILL_PEAK / max(quantile(scene.sampled(fill), FILL_QUANTILE), 1e-3))
    room = np.float32(0.85) + n_x * np.float32(ROOM_SIDE * light.x) + n_y * np.float32(ROOM_SIDE * light.y - 0.1)
    numbers: Numbers = {"lamp_size": lamp_size, "self_shadow": True}
    visible, floor = visibility(scene, light, lamp_size), np.float32(SHADOW_FLOOR)
    red, green, blue = (
        floor + (1 - floor) * (smooth(visible, blur * scene.size) if lamp_size < WIDE else visible)
        for blur in SHADOW_BLUR
    )
    return Lamp(light, visible, (red, green, blue), fill, room, hair_occlusion(scene), numbers)


def render(scene: Scene, lamp: Lamp, options: LampOptions, rng: Generator, *, strength_bias: float) -> Shading:
    """Draw a strength and light the person, without highlights.

    A ``strength_bias`` of 0 draws from the whole ranges, 1 takes the end that gives the strongest contrast.
    """
    darkest, widest, hardest = options.ambient_linear[0], options.key_share_range[1], options.wrap_range[0]
    strength, color = part_of(rng, Attribute.STRENGTH), part_of(rng, Attribute.COLOR)
    ambient = _biased(log_uniform(strength, options.ambient_linear), darkest, strength_bias)
    share = _biased(uniform(strength, options.key_share_range), widest, strength_bias)
    wrap = _biased(uniform(part_of(rng, Attribute.SOFTNESS), options.wrap_range), hardest, strength_bias)
    key_kelvin, key_tint = log_uniform(color, options.key_temperature_range), uniform(color, options.key_tint_range)
    ambient_kelvin = _ambient_kelvin(options, color, key_kelvin)
    key_color, ambient_color = tinted(key_kelvin, key_tint), tinted(ambient_kelvin, AMBIENT_TINT)
    rest = lamp.fill * np.float32((1 - ambient) * (1 - share)) + lamp.room * np.float32(ambient)
    keys = key_light(scene, lamp.light, wrap, lamp.seen)
    weights = (1 - ambient) * share * key_color
    light = cv2.merge([key * weights[c] + rest * ambient_color[c] for c, key in enumerate(keys)])
    numbers: Numbers = {
        "ambient": ambient,
        "key_share": share,
        "wrap": wrap,
        "key_temperature": key_kelvin,
        "key_tint": key_tint,
        "ambient_temperature": ambient_kelvin,
        "ambient_tint": AMBIENT_TINT,
    }

    def ambient_share() -> LinearRgb:
        dim = cv2.merge([rest * color for color in ambient_color])
        return share_of(dim, dim + cv2.merge([key * weight for key, weight in zip(keys, weights, strict=True)]))

    light *= (lamp.occlusion * compressed(scene, luminance(light)))[..., None]
    return Shading(aimed(scene, light), None, numbers, ambient=ambient_share)


def aimed(scene: Scene, light: LinearRgb, *, near: bool = False) -> LinearRgb:
    """Aim a lamp: a face has nearly as much of the light as the rest, whatever its shadows took from it.

    A face with its nose, brows and hair shades itself more than cloth does, and would go dark beside a body that stays
    as it is.  Who lights a face aims the lamp at it; so light falls off smoothly from the head outward, or toward it.

    Args:
        scene: the person.
        light: (h, w, 3) float32 irradiance.
        near: the lamp is, which is seen by a rest that has less of its light than the face: most of that is left.

    Returns:
        The same, times a smooth factor; unchanged without a face, and where hardly more than that is seen.
    """
    if not scene.faces:
        return light
    distance = np.sqrt(scene.head.distance(scene.shape))
    beam = 1 - smoothstep((distance - np.float32(BEAM[0])) * np.float32(1 / (BEAM[1] - BEAM[0])))
    stops = np.log2(scene.sampled(luminance(light)) + np.float32(BEAM_FLOOR))
    rest = stops[scene.sampled(beam) < 0.5]
    if rest.size < BEAM_SHARE * stops.size:
        return light
    face = np.zeros(scene.alpha.size, np.bool_)
    face[scene.anchor_samples] = True
    apart = float(rest.mean(dtype=np.float64) - stops[face[scene.samples]].mean(dtype=np.float64))
    most = NEAR_AIM if near else MAX_AIM
    gain = min(max(AIMED * apart, -most), MAX_AIM)
    return light * np.exp2(np.float32(gain) * beam)[..., None]


def key_light(scene: Scene, light: Direction, wrap: float, visible: Sequence[Plane]) -> list[Plane]:
    """Light skin by a lamp of which each point sees a part: (h, w) float32 for R, G and B, 1 where it is faced.

    ``visible`` is that part for R, G and B, (h, w) float32 in 0..1.
    """
    cosine = scene.toward(light)
    keys = [wrapped_cosine(cosine, wrap + SUBSURFACE_WRAP[c]) * seen for c, seen in enumerate(visible)]
    return [np.minimum(key, scene.fade_rim(key)) for key in keys]  # in the shade the silhouette stays dark


@once_a_scene
def hair_occlusion(scene: Scene) -> Plane:
    """What hair leaves of the light on the skin beside it, (h, w) float32 in 0..1; 1 without a face mesh."""
    if not scene.faces:
        return np.ones(scene.shape, np.float32)
    rows, columns = scene.shape
    size = (max(1, columns // 2), max(1, rows // 2))  # a shade without an edge
    h = 0.5 * face_height(scene.faces[0])
    alpha, bare, mesh = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        for plane in (scene.alpha, scene.bare_skin, scene.face_share)
    )
    distance = scene.head.scaled(size[0] / columns, size[1] / rows).distance(alpha.shape)
    bare = np.minimum(bare * np.float32(1.3), 1)
    hair = smoothstep((np.float32(1.7) - distance) / np.float32(0.6)) * alpha * (1 - bare)
    near = np.minimum(smooth(hair * (1 - smoothstep(mesh * np.float32(2.2))), HAIR_REACH * h) * 2, 1)
    left = smooth(1 - np.float32(HAIR_SHADE) * near * bare, 0.008 * h)
    return cv2.resize(left, (columns, rows), interpolation=cv2.INTER_LINEAR)


def compressed(scene: Scene, light: Plane) -> Plane:
    """Return the factor (h, w) float32 that compresses a lamp's light, luminance, where it is brightest on the face."""
    face = scene.face_share > 0.6
    values = light[face] if face.any() else light.ravel()[scene.head_samples]
    relative = light * np.float32(1 / max(quantile(values, 0.8), 1e-4))
    return safe_ratio(shoulder(relative, KNEE, CEILING), relative, 1e-4)


def _ambient_kelvin(options: LampOptions, rng: Generator, key_kelvin: float) -> float:
    # Soft light has a room of about its own colour: two colours on one face make skin orange here and gray there.
    low, high = options.ambient_temperature_range
    if not isinstance(options, SoftShading):
        return log_uniform(rng, (low, high))
    return min(max(key_kelvin * log_uniform(rng, options.ambient_ratio_range), low), high)


def _biased(value: float, strongest: float, bias: float) -> float:
    return value + (strongest - value) * bias
