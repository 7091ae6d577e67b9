"""One lamp in a dim room: it lights the face from its side, so that where it stands can be read.

What is not lit gets little: a faint fill from the other side, and ambient light from above.  Blood under the skin
carries red light around the terminator and into the edge of shadows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import Specular
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, safe_ratio, shoulder, tinted
from relight_assets.core.rng import log_uniform, uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.bare_skin import face_height
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.shading.lambert import wrapped_cosine
from relight_assets.stages.degraded.shading.lobe import Normals

LAMP_SIZE = (0.22, 0.5)
"""Angular half size of the lamp, radians, for the head's own shadow."""
SHAPE_BLUR, RELIEF = 0.010, 0.15
"""Blur of the shape, in units of s, and how much the photo's own light and dark is taken for relief."""
SHADOW_BLUR = (0.006, 0.0027, 0.0015)
"""Blur of the shadow's edge for R, G and B, in units of s."""
SUBSURFACE_WRAP = (0.08, 0.02, 0.0)
"""What blood under skin adds to the wrap, R, G and B."""
SHADOW_FLOOR = 0.06
"""Share of the lamp in the head's own shadow."""
FILL_PEAK, FILL_QUANTILE = 0.6, 99
"""Fill at its brightest, relative to the key, and the percentile of it that is brought there."""
AMBIENT_TINT = 0.5
"""Share of the ambient light's colour that is left after a camera's white balance."""
KNEE, CEILING = 1.15, 1.7
"""Irradiance over its 80th percentile on the face, above which it is compressed, and which it approaches."""
HAIR_SHADE, HAIR_REACH = 0.30, 0.035
"""How much hair darkens the skin beside it, and how far, in units of the face's height h."""


@dataclass(frozen=True)
class Lamp:
    """A lamp beside a person."""

    light: Direction
    visible: Plane
    """How much of it each point sees, (h, w) float32 in 0..1."""
    normals: Normals
    fill: Plane
    occlusion: Plane
    """What hair leaves of the light, (h, w) float32 in 0..1."""
    numbers: Numbers


def sample(scene: Scene, light: Direction, normals: Normals, rng: Generator) -> Lamp:
    """Draw the lamp's size, and compute its shadow."""
    lamp_size = uniform(rng, LAMP_SIZE)
    fill = normals[0] * np.float32(-0.35 * light.x) - normals[1] * np.float32(0.25) + normals[2] * np.float32(0.25)
    fill = np.maximum(fill + np.float32(0.5), 0)
    fill *= np.float32(FILL_PEAK / max(float(np.percentile(scene.sampled(fill), FILL_QUANTILE)), 1e-3))
    numbers: Numbers = {"lamp_size": lamp_size, "self_shadow": True}
    return Lamp(light, visibility(scene, light, lamp_size), normals, fill, hair_occlusion(scene), numbers)


def render(
    scene: Scene, lamp: Lamp, options: Specular, rng: Generator, *, strength_bias: float
) -> tuple[LinearRgb, Numbers]:
    """Draw a strength and light the person: (h, w, 3) float32 irradiance, and what was drawn.

    A ``strength_bias`` of 0 draws from the whole ranges, 1 takes the end that gives the strongest contrast.
    """
    darkest, widest, hardest = options.ambient_linear[0], options.key_share_range[1], options.wrap_range[0]
    ambient = _biased(log_uniform(rng, options.ambient_linear), darkest, strength_bias)
    share = _biased(uniform(rng, options.key_share_range), widest, strength_bias)
    wrap = _biased(uniform(rng, options.wrap_range), hardest, strength_bias)
    key_kelvin, key_tint = log_uniform(rng, options.key_temperature_range), uniform(rng, options.key_tint_range)
    ambient_kelvin = log_uniform(rng, options.ambient_temperature_range)
    key_color, ambient_color = tinted(key_kelvin, key_tint), tinted(ambient_kelvin, AMBIENT_TINT)
    n_x, n_y, n_z = lamp.normals
    cosine = n_x * np.float32(lamp.light.x) + n_y * np.float32(lamp.light.y) + n_z * np.float32(lamp.light.z)
    sky = np.float32(0.875 * ambient) - n_y * np.float32(0.125 * ambient)
    rest = lamp.fill * np.float32((1 - ambient) * (1 - share)) + sky
    planes = []
    for channel in range(3):
        key = wrapped_cosine(cosine, wrap + SUBSURFACE_WRAP[channel])
        seen = smooth(lamp.visible, SHADOW_BLUR[channel] * scene.size)
        key *= np.float32(SHADOW_FLOOR) + np.float32(1 - SHADOW_FLOOR) * seen
        key = np.minimum(key, scene.fade_rim(key))  # in the shade the silhouette stays dark
        planes.append(key * ((1 - ambient) * share * key_color[channel]) + rest * ambient_color[channel])
    light = cv2.merge(planes)
    numbers: Numbers = {
        "ambient": ambient,
        "key_share": share,
        "wrap": wrap,
        "key_temperature": key_kelvin,
        "key_tint": key_tint,
        "ambient_temperature": ambient_kelvin,
        "ambient_tint": AMBIENT_TINT,
    }
    return light * (lamp.occlusion * _compressed(scene, luminance(light)))[..., None], numbers


def hair_occlusion(scene: Scene) -> Plane:
    """What hair leaves of the light on the skin beside it, (h, w) float32 in 0..1; 1 without a face mesh."""
    if not scene.faces:
        return np.ones(scene.shape, np.float32)
    h = face_height(scene.faces[0])
    around = smoothstep((np.float32(1.7) - scene.head.distance(scene.shape)) / np.float32(0.6)) * scene.alpha
    bare = np.minimum(scene.bare_skin * np.float32(1.3), 1)
    hair = around * (1 - bare) * (1 - smoothstep(scene.face_share * np.float32(2.2)))
    near = np.minimum(smooth(hair, HAIR_REACH * h) * 2, 1)
    return smooth(1 - np.float32(HAIR_SHADE) * near * bare, 0.008 * h)


def _compressed(scene: Scene, light: Plane) -> Plane:
    face = scene.face_share > 0.6
    values = light[face] if face.any() else light.ravel()[scene.head_samples]
    relative = light * np.float32(1 / max(float(np.percentile(values, 80)), 1e-4))
    return safe_ratio(shoulder(relative, KNEE, CEILING), relative, 1e-4)


def _biased(value: float, strongest: float, bias: float) -> float:
    return value + (strongest - value) * bias
