"""Highlights on skin: a lobe as wide as the lamp, broken up by the skin's texture, where skin is bare and shines.

Computed closer than the working size (:mod:`relight_assets.stages.degraded.geometry.close_up`).  A highlight is kept as
what lies at working size, and a factor that is finer.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, safe_ratio, tinted
from relight_assets.core.rng import is_varied, log_uniform, part_of, uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.bare_skin import face_height
from relight_assets.stages.degraded.geometry.close_up import CloseUp
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep
from relight_assets.stages.degraded.geometry.height_field import normals_of_slopes
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene, once_a_scene
from relight_assets.stages.degraded.light_sampler import Attribute, Grain, Shading
from relight_assets.stages.degraded.shading import skin_texture
from relight_assets.stages.degraded.shading.lobe import skin_lobe
from relight_assets.stages.degraded.shading.skin_oil import oil
from relight_assets.stages.quantiles import quantile

HALF_ANGLES = (4.0, 12.0)
"""Half angle of a lamp as highlights show it, degrees."""
GLOSS_HALF_ANGLES = (10.0, 22.0)
"""That of a wide lamp."""
STEEPNESS = (0.13, 0.20)
"""Root mean square of the slope of the skin's texture."""
OIL = (0.3, 0.5)
"""How much all skin shines, over forehead and nose."""
SHAPE_BLUR = 0.012
"""Blur of the shape, in units of s: a mesh has facets."""
LOBE_BLUR_PX = 0.6
"""Blur of the finished lobe, pixels of the close-up: a lens resolves no single pore."""
SILHOUETTE_MARGIN = 0.008
"""Width of the band along the silhouette without highlights, in units of s: there normals are guessed."""
UNSURE_SKIN, PALE = 0.4, (0.04, 0.10)
"""Without a face mesh: how much the head may shine, and from which to which albedo, linear, it does: not dark hair."""
MAX_GAIN = 3.0
"""Gain over physical skin above which skin looks wet."""
PEAK_PER_GAIN, MAX_PEAK = 0.9, 1.6
"""Highlight of gain 1 at its peak over the luminance of the lit skin (.27 on an albedo of .3), and the largest."""
CONSTANT = 0.07
"""Linear light that a highlight adds at its peak, in an image as bright as the photo: it shows on dark skin too."""
MOST_CONSTANT = 1.0
"""The most of that over the luminance of the lit skin: on a face in the dark more is a gray patch."""
HEADROOM = 1.3
"""Where highlights saturate, over their peak at the normal that mirrors the lamp."""
LIT_QUANTILE = 0.85
"""Quantile of the skin's luminance that is its lit part's."""
KELVIN, TINT = 5500.0, 0.5
"""Colour temperature of a highlight, kelvin, and its saturation, under a light that does not name its own."""
MAX_GRAIN = 4.0
"""Largest factor of the texture on a highlight."""


@dataclass(frozen=True)
class Highlight:
    """The lobe of a lamp on a person's skin.

    ``lobe`` (h, w) float32, at the size of the close-up, is 1 where bare, oily skin mirrors the lamp.
    """

    lobe: Plane
    near: CloseUp
    constant: float
    """Linear light that it adds at its peak, whatever the skin, in an image as bright as the photo; 0 of a gloss,
    which would be fog on a dark face."""
    numbers: Numbers


def shining_skin(scene: Scene, base: float) -> Plane:
    """Return where skin shines in the scene's close-up, at working size: (h, w) float32, 0 to 1.15.

    Nowhere beside bare skin.  Without a face mesh the head stands for the face, less surely, where it is not dark.
    """
    rows, columns = scene.close_up.part
    if not scene.faces:
        disc = smoothstep(2 * (1 - scene.head.distance(scene.shape)))
        pale = smoothstep((luminance(scene.albedo) - np.float32(PALE[0])) / np.float32(PALE[1] - PALE[0]))
        skin = np.float32(UNSURE_SKIN) * (disc * pale)[rows, columns]
    else:
        skin = scene.bare_skin[rows, columns] * (np.float32(base) + np.float32(1 - base) * _oil(scene))
    edge = SILHOUETTE_MARGIN * scene.size
    return skin * smoothstep((scene.inward[rows, columns] - np.float32(edge)) / np.float32(max(2 * edge, 1.0)))


@once_a_scene
def _oil(scene: Scene) -> Plane:
    rows, columns = scene.close_up.part
    return oil(scene.faces, (rows.stop - rows.start, columns.stop - columns.start), (columns.start, rows.start))


def sample(
    scene: Scene,
    light: Direction,
    roughness_range: tuple[float, float],
    rng: Generator,
    visibility: Plane | None = None,
    *,
    gloss: bool = False,
) -> Highlight:
    """Draw the skin and the lamp's size, and compute the lobe.

    Args:
        scene: the person.
        light: toward the lamp.
        roughness_range: GGX roughness, low to high.
        rng: for roughness, size and texture.
        visibility: how much of the lamp each point sees, (h, w) float32 in 0..1; None: all.
        gloss: of a wide lamp, too faint and broad to show the skin's texture.
    """
    roughness = uniform(rng, roughness_range)
    half_angles = GLOSS_HALF_ANGLES if gloss else HALF_ANGLES
    if is_varied(rng, Attribute.SOFTNESS):
        half_angles = HALF_ANGLES[0], GLOSS_HALF_ANGLES[1]
    half_angle = uniform(part_of(rng, Attribute.SOFTNESS), half_angles)
    steepness, base = uniform(rng, STEEPNESS), uniform(rng, OIL)
    near = scene.close_up.halved(scene.photo_light) if gloss else scene.close_up
    weight = np.zeros(scene.shape, np.float32)
    weight[near.part] = shining_skin(scene, base)
    if visibility is not None:
        weight = weight * visibility
    weight = near.enlarged(weight)
    shape = scene.normals if gloss else scene.smooth_normals(SHAPE_BLUR)
    n_x, n_y, n_z = (near.enlarged(plane) for plane in shape)
    across, down = -n_x / n_z, -n_y / n_z
    smooth_skin = rough_skin = normals_of_slopes(across, down)
    if not gloss:
        unit = _face_height(scene) * near.scale
        bump_x, bump_y = skin_texture.slopes(near.photo_light, weight > 0.25, unit, steepness, rng)
        rough_skin = normals_of_slopes(across + bump_x, down + bump_y)
    lobe = skin_lobe(rough_skin, smooth_skin, light, roughness, half_angle)
    numbers: Numbers = {
        "roughness": roughness,
        "shininess": float(2 / roughness**4 - 2),
        "highlight_half_angle": half_angle,
        "skin_texture": 0.0 if gloss else steepness,
        "skin_oil": base,
        "highlight_lights": list(light.vector),
    }
    return Highlight(smooth(lobe, LOBE_BLUR_PX) * weight, near, 0.0 if gloss else CONSTANT, numbers)


def draw_gain(rng: Generator, gain_range: tuple[float, float], strength_bias: float) -> float:
    """Draw the gain over physical skin, at most 3; a ``strength_bias`` of 1 takes the largest."""
    gain = log_uniform(part_of(rng, Attribute.STRENGTH), gain_range)
    return min(gain + (gain_range[1] - gain) * strength_bias, MAX_GAIN)


def add_highlight(
    scene: Scene,
    shading: Shading,
    highlight: Highlight,
    gain: float,
    visibility: Plane | None = None,
    *,
    color: NDArray[np.float32] | None = None,
    bright: LinearRgb | None = None,
) -> Shading:
    """Add a highlight to a light, in the colour of its key light, no brighter than its skin allows.

    Args:
        scene: the person.
        shading: the light; its numbers may name the key light's colour.
        highlight: the lobe.
        gain: over physical skin.
        visibility: how much of the lamp each point sees, (h, w) float32 in 0..1, beyond what the lobe knows.
        color: (3,) linear RGB of the lamp; None: that of the key light's temperature.
        bright: the light on the skin by which its brightness goes, (h, w, 3) float32; None: that of ``shading``.
    """
    kelvin, tint = (_number(shading, name, usual) for name, usual in (("key_temperature", KELVIN), ("key_tint", TINT)))
    _, top = peak_of(scene, shading.light if bright is None else bright, gain, highlight.constant)
    near = highlight.near
    fine = np.float32(top) * np.tanh(highlight.lobe * np.float32(1 / HEADROOM))
    plane = np.zeros(scene.shape, np.float32)
    plane[near.part] = near.reduced(fine)
    grain = None
    if near.scale > 1:
        factor = np.clip(safe_ratio(fine, near.enlarged(plane), 1e-4), 0, np.float32(MAX_GRAIN))
        grain = Grain(near.part, factor)
    if visibility is not None:
        plane = plane * visibility
    added: LinearRgb = cv2.merge([plane * channel for channel in (tinted(kelvin, tint) if color is None else color)])
    both = added if shading.highlight is None else shading.highlight + added
    drawn: Numbers = highlight.numbers | {"specular_gain": gain}
    if color is None:
        drawn["highlight_temperatures"] = [kelvin]
    return replace(shading, highlight=both, numbers=shading.numbers | drawn, grain=grain)


def peak_of(scene: Scene, light: LinearRgb, gain: float, constant: float = CONSTANT) -> tuple[float, float]:
    """Say how bright a highlight is at the normal that mirrors the lamp, and what it never passes, linear."""
    lit = luminance(scene.albedo * light)
    skin = scene.bare_skin > 0.5
    values = lit[skin] if skin.any() else lit.ravel()[scene.head_samples]
    # Exposure comes later, and makes the person about as bright as the photo.
    before, now = (float(scene.sampled(plane).mean(dtype=np.float64)) for plane in (scene.photo_light, lit))
    level = max(before, 1e-3) / max(now, 1e-4)
    skin_level = quantile(values, LIT_QUANTILE)
    peak = min(constant / level, MOST_CONSTANT * skin_level) + min(PEAK_PER_GAIN * gain, MAX_PEAK) * skin_level
    return peak, HEADROOM * peak


def _number(shading: Shading, name: str, usual: float) -> float:
    value = shading.numbers.get(name)
    return float(value) if isinstance(value, (int, float)) else usual


def _face_height(scene: Scene) -> float:
    # An unseen face is guessed small: coarse pores look like leather.
    return max(map(face_height, scene.faces)) if scene.faces else scene.head.half_height
