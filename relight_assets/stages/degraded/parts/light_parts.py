"""A light apart: what comes from no lamp, what comes from lamps, and highlights; with the shape that it fell on.

Light is kept at working size, because it is smooth; what of a picture is finer is its albedo.  Three things are finer
all the same, and are kept as large as they are: the grain of highlights, what eyes mirror of the lamp, and eyes without
what they mirrored in the photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Half, Layer, Layers, LinearRgb, Plane, Rgb8
from relight_assets.stages.degraded.eyes.relit_eyes import CatchLight, EyePatch, RelitEyes
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.light_sampler import Grain
from relight_assets.stages.degraded.sampler import Relit
from relight_assets.stages.degraded.shading.ambient import ambient_light

Box = tuple[slice, slice]
"""Rows and columns."""
AROUND = np.ones((5, 5), np.uint8)
"""Light is kept so many working pixels beside the person: enlarging it takes in what is beside a pixel."""
MOST = float(np.finfo(np.float16).max)
"""The largest half float."""


@dataclass(frozen=True)
class LightParts:
    """A light on a person, linear: the degraded person is ``albedo * (ambient + key) + highlight`` through the curve.

    ``ambient``, ``key`` and ``highlight`` are (h, w, 3) float32 at working size, of half floats' precision, with
    exposure and white balance, 0 beside the person.
    """

    ambient: LinearRgb
    key: LinearRgb
    highlight: LinearRgb
    grain: Grain | None
    """What of the highlight is finer than that."""
    eyes: RelitEyes
    """Boxes in the window."""

    @property
    def light(self) -> LinearRgb:
        """What falls on the albedo, (h, w, 3) float32."""
        return self.ambient + self.key


@dataclass(frozen=True)
class LightMaps:
    """What is kept of a light, ready for its files."""

    layers: Layers
    normals: Rgb8
    """(h, w, 3) uint8 at working size: x right, y down, z to the camera; -1..1 as 0..255; black beside the person."""
    skin: Gray8
    """How surely each point is bare skin of a face, (h, w) uint8."""
    visibility: Gray8
    """How much of the lamp each point sees, (h, w) uint8; of several lamps, of the first in front."""
    window: tuple[int, int, int, int]
    """x, y, width and height of the part of the picture that all of them show."""


def light_maps(scene: Scene, relit: Relit, eyes: RelitEyes, window: Box, alpha: Gray8) -> LightMaps:
    """Take a light apart.

    Args:
        scene: the person at working size.
        relit: the light.
        eyes: what happens to eyes, boxes in the window.
        window: the part of the picture that the scene shows.
        alpha: (H, W) uint8, the mask of the whole picture.
    """
    # By the mask as large as it is: at working size a faint pixel far from the others is rounded to nothing.
    person = (alpha[window] > 0).astype(np.float32)
    some = cv2.resize(person, scene.shape[::-1], interpolation=cv2.INTER_AREA) > 0
    near = cv2.dilate(some.astype(np.uint8), AROUND)
    ambient = ambient_light(relit.seen.shading)
    highlight = relit.highlight if relit.highlight is not None else np.zeros_like(relit.light)
    parts = {"ambient": ambient, "key": relit.light - ambient, "highlight": highlight}
    kept = {name: _half(np.where(near[..., None] > 0, plane, np.float32(0))) for name, plane in parts.items()}
    shown = _shown(window)
    layers = [Layer("light", kept, window=shown), *_grain_layers(relit.grain), *_eye_layers(eyes, shown[:2])]
    visible = relit.draft.sampled.visible
    return LightMaps(
        Layers((alpha.shape[1], alpha.shape[0]), tuple(layers)),
        _bytes(np.dstack(scene.normals) * 0.5 + 0.5, near[..., None]),
        _bytes(scene.bare_skin, near),
        _bytes(np.ones(scene.shape, np.float32) if visible is None else visible(), near),
        shown,
    )


def light_parts(layers: Layers) -> LightParts:
    """The light that :func:`light_maps` took apart.

    Raises:
        ValueError: a layer or a plane is not there, or has another size.
    """
    found = layers.named("light")
    if len(found) != 1 or found[0].window is None or set(found[0].planes) != {"ambient", "key", "highlight"}:
        raise ValueError("there is no layer `light` of ambient, key and highlight")
    ambient, key, highlight = (_rgb(found[0], name) for name in ("ambient", "key", "highlight"))
    corner = found[0].window[:2]
    patches = [EyePatch(_box(layer, corner), _rgb(layer, "albedo")) for layer in layers.named("eye")]
    catch_lights = [CatchLight(_box(layer, corner), _rgb(layer, "light")) for layer in layers.named("catch_light")]
    return LightParts(ambient, key, highlight, _grain(layers), RelitEyes(patches, catch_lights))


def _shown(box: Box) -> tuple[int, int, int, int]:
    rows, columns = box
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def _grain_layers(grain: Grain | None) -> list[Layer]:
    return [] if grain is None else [Layer("grain", {"factor": _half(grain.factor)}, window=_shown(grain.part))]


def _grain(layers: Layers) -> Grain | None:
    for layer in layers.named("grain"):
        if layer.window is None or set(layer.planes) != {"factor"}:
            raise ValueError("the layer `grain` does not say where it lies")
        x, y, width, height = layer.window
        return Grain((slice(y, y + height), slice(x, x + width)), layer.planes["factor"].astype(np.float32))
    return None


def _eye_layers(eyes: RelitEyes, corner: tuple[int, int]) -> list[Layer]:
    def layers(name: str, plane: str, images: Sequence[tuple[Box, LinearRgb]]) -> list[Layer]:
        return [
            Layer(f"{name}.{number}", {plane: _half(image)}, (box[1].start + corner[0], box[0].start + corner[1]))
            for number, (box, image) in enumerate(images, 1)
        ]

    return [
        *layers("eye", "albedo", [(each.box, each.albedo) for each in eyes.patches]),
        *layers("catch_light", "light", [(each.box, each.light) for each in eyes.catch_lights]),
    ]


def _box(layer: Layer, corner: tuple[int, int]) -> Box:
    (x, y), (width, height) = layer.place, layer.size
    return slice(y - corner[1], y - corner[1] + height), slice(x - corner[0], x - corner[0] + width)


def _rgb(layer: Layer, name: str) -> LinearRgb:
    plane = layer.planes.get(name)
    if plane is None or plane.ndim != 3:
        raise ValueError(f"the layer `{layer.name}` has no `{name}`")
    return plane.astype(np.float32)


def _half(values: NDArray[np.float32]) -> Half:
    return np.minimum(values, np.float32(MOST)).astype(np.float16)


def _bytes(values: NDArray[np.float32] | Plane, near: Gray8) -> NDArray[np.uint8]:
    return np.where(near > 0, np.rint(np.clip(values, 0, 1) * 255), 0).astype(np.uint8)
