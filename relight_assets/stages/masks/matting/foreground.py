"""The colours of both layers: of the person, and of what is behind."""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Gray8, Plane, Rgb8, Rgba8
from relight_assets.core.color import planes_of
from relight_assets.stages.foreground_color import Blend, at_edge, layer, sample, soft_edge, split_colors, to_blend
from relight_assets.stages.masks.matting.sizes import shrunk

COLOR_SIDE = 256
"""Longest side of the photo that the person's colours are spread in, pixels."""
OWN = 0.85
"""Alpha from which on a pixel's own colour counts: at 1 it is the person's."""
FILLED = 4.0
"""Sure pixels, of the four below a cell, count so many times: one of four is enough to give the cell its colour."""


@dataclass(frozen=True)
class Layers:
    """A photo taken apart.  Both are (H, W, 4) uint8 RGBA, sRGB, straight alpha, RGB 0 where alpha is 0."""

    foreground: Rgba8
    background: Rgba8


def separate(rgb: Rgb8, alpha: Gray8, blend: Blend = "srgb") -> Layers:
    """Take a photo apart so that the foreground over the background gives it back.

    At soft edges the foreground has the colour of the sure person near by, as far as the photo allows: some
    background in 0..1 must give the photo back.  Where alpha is 0 or 255 the photo's own bytes are kept, so there
    the way back is exact; elsewhere it is within 2 levels.

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        alpha: (H, W) uint8 mask.
        blend: the space in which the layers will be laid over each other.
    """
    planes = planes_of(rgb)
    foreground, background = layer(planes, alpha), layer(planes, cv2.bitwise_not(alpha))
    edge = soft_edge(alpha)
    if edge.size:
        decoded = to_blend(at_edge(rgb, edge), blend)
        opacity = at_edge(alpha, edge).astype(np.float32) * np.float32(1 / 255)
        front = to_blend(sample(person_colors(rgb, alpha), alpha.shape, edge), blend)
        own = np.clip((opacity - np.float32(OWN)) * np.float32(1 / (1 - OWN)), 0, 1)
        back_there, front_there = split_colors(
            decoded=decoded, opacity=opacity, front=front + own * (decoded - front), blend=blend
        )
        foreground.reshape(-1, 4)[edge, :3] = front_there
        background.reshape(-1, 4)[edge, :3] = back_there
    return Layers(foreground=foreground, background=background)


def person_colors(rgb: Rgb8, alpha: Gray8) -> Plane:
    """The colour of the nearest sure person everywhere, from as near as there is one (pull and push).

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        alpha: (H, W) uint8.

    Returns:
        (h, w, 3) float32 display codes in 0..255, of reduced size; 0 where there is no sure person at all.
    """
    # The outermost of what counts as opaque still shows some background.
    sure = cv2.erode(cv2.inRange(alpha, 255, 255), np.ones((3, 3), np.uint8))
    known = cv2.merge([*planes_of(cv2.bitwise_and(rgb, rgb, mask=sure)), sure])
    level = shrunk(known, COLOR_SIDE).astype(np.float32)
    levels = [level]
    while max(level.shape[:2]) > 1:
        half = (max(1, level.shape[1] // 2), max(1, level.shape[0] // 2))
        level = cv2.resize(level, half, interpolation=cv2.INTER_AREA)
        levels.append(level)
    colors = _of_sure(levels[-1])
    for level in levels[-2::-1]:
        colors = cv2.resize(colors, level.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        share = np.minimum(level[..., 3:] * np.float32(FILLED / 255), 1)
        colors += share * (_of_sure(level) - colors)
    return colors


def _of_sure(level: Plane) -> Plane:
    weight = np.maximum(level[..., 3:], np.float32(1e-3))
    return level[..., :3] * np.divide(255, weight, dtype=np.float32)
