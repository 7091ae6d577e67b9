"""The eyes of a person under a drawn light: without the photo's catch-lights, with those of the drawn lamp."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import decode_planes, of_luminance_1, tinted
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.eyes.catch_light import LampShape, catch_light, draw_shape
from relight_assets.stages.degraded.eyes.cleared import ClearedEye
from relight_assets.stages.degraded.eyes.seen_lamp import lit_level, seen_share, unshaded_share
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene

LAMP_SIZE = 0.35
"""Angular half size, radians, of a lamp whose light does not say."""
KELVIN, TINT = 5500.0, 0.75
"""Colour of a lamp whose light does not say: its temperature, and the share of it that a camera leaves."""
LEAST_SEEN = 0.2
"""Share of a lamp that an eye must see to show it."""


WHITE, DIMMEST = 0.25, 0.12
"""Albedo of the white of an eye below which the photo is underexposed there, and how much of a lamp is shown then."""
VISIBLE = 0.05
"""Brightness at its peak, over white paper, above which a catch-light counts as one: lids hide the others."""


@dataclass(frozen=True)
class Lamp:
    """The lamp of a drawn light."""

    light: LinearRgb
    """(h, w, 3) irradiance at working size, as bright as it will be."""
    shape: LampShape
    half_size: float
    """Angular, radians."""
    color: NDArray[np.float32]
    """(3,) linear RGB of luminance 1."""
    has_pattern: bool
    """Whether something between lamp and person throws a shadow."""

    @classmethod
    def of(cls, direction: Direction, light: LinearRgb, numbers: Numbers, rng: Generator) -> "Lamp":
        """The lamp that a light's numbers tell of; what its reflection looks like is drawn."""
        size, kelvin, tint = (
            _number(numbers, name, usual)
            for name, usual in (("lamp_size", LAMP_SIZE), ("key_temperature", KELVIN), ("key_tint", TINT))
        )
        front, color = numbers.get("front_light"), numbers.get("lamp_color")
        if isinstance(front, list):  # the key light stands behind the person
            direction = Direction(front[0], front[1], front[2])
        shape = draw_shape(
            direction, size, rng, hole=_number(numbers, "lamp_hole", 0.0), bars=numbers.get("lamp_bars") is True
        )
        own = of_luminance_1(color) if isinstance(color, list) else tinted(kelvin, tint)
        return cls(light, shape, size, own, has_pattern=numbers.get("has_pattern") is True)


@dataclass(frozen=True)
class CatchLight:
    """What a lamp adds to an image."""

    box: tuple[slice, slice]
    light: LinearRgb
    """(h, w, 3) float32."""


@dataclass(frozen=True)
class EyePatch:
    """The albedo of an eye without what it mirrored in the photo."""

    box: tuple[slice, slice]
    albedo: LinearRgb
    """(h, w, 3) float32."""


@dataclass(frozen=True)
class RelitEyes:
    """What happens to the eyes of an image (H, W), whose R, G and B are three linear planes."""

    patches: Sequence[EyePatch]
    catch_lights: Sequence[CatchLight]

    @classmethod
    def of(cls, cleared: Sequence[ClearedEye], catch_lights: Sequence[CatchLight]) -> "RelitEyes":
        """What happens to eyes of which the photo's catch-lights were taken."""
        patches = [
            EyePatch(each.eye.box, cv2.merge(decode_planes(each.patch))) for each in cleared if each.patch is not None
        ]
        return cls(patches, catch_lights)

    def clear(self, planes: Sequence[Plane]) -> None:
        """Take the photo's catch-lights out of the albedo."""
        for each in self.patches:
            for channel, plane in enumerate(planes):
                plane[each.box] = each.albedo[..., channel]

    def add_catch_lights(self, planes: Sequence[Plane]) -> None:
        """Add those of the lamp to the lit person."""
        for each in self.catch_lights:
            for channel, plane in enumerate(planes):
                plane[each.box] += each.light[..., channel]


def catch_lights(scene: Scene, lamp: Lamp, eyes: Sequence[ClearedEye], shape: tuple[int, ...]) -> list[CatchLight]:
    """What eyes show of a lamp: nothing of one that nose, brows or a shadow pattern hide, or that is beside them.

    Args:
        scene: the person.
        lamp: from :meth:`Lamp.of`.
        eyes: those that are seen well enough, in the full image.
        shape: height and width of the full image, which shows the same as the scene.
    """
    ratio, direction = (scene.shape[1] / shape[1], scene.shape[0] / shape[0]), lamp.shape.light
    level, added = lit_level(scene, lamp.light) if eyes else 0.0, []
    for each in eyes:
        x, y = ((float(value) + 0.5) * scale - 0.5 for value, scale in zip(each.eye.points[0], ratio, strict=True))
        seen = seen_share(scene, direction, (x, y), lamp.half_size)
        if lamp.has_pattern:
            seen *= unshaded_share(scene, lamp.light, level, direction, (x, y))
        drawn = catch_light(each, lamp.shape, shape) if seen >= LEAST_SEEN else None
        if drawn is not None and drawn[1].max(initial=0.0) > VISIBLE:
            box, shown = drawn
            white = min(max(each.white / WHITE, DIMMEST), 1.0)
            light = shown * np.float32(seen * white * level)
            added.append(CatchLight(box, cv2.merge([light * np.float32(share) for share in lamp.color.tolist()])))
    return added


def _number(numbers: Numbers, name: str, usual: float) -> float:
    value = numbers.get(name)
    return float(value) if isinstance(value, (int, float)) else usual
