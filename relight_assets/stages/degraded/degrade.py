"""The person under another light than the photo's: the foreground of the training input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.arrays import Gray8, LinearRgb, Plane, Points, Rgb8, Rgba8, Triangles
from relight_assets.core.color import decode, decode_planes, encode, planes_of
from relight_assets.core.dither import dither
from relight_assets.core.rng import stream
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.environments.panorama import NO_ENVIRONMENTS, Environments
from relight_assets.stages.degraded.exposure import draw_camera, strength_of_mix
from relight_assets.stages.degraded.eyes.cleared import ClearedEye, cleared
from relight_assets.stages.degraded.eyes.overlap import overlaps
from relight_assets.stages.degraded.eyes.own_lights import ClearEye, clear_eyes
from relight_assets.stages.degraded.eyes.relit_eyes import Lamp, RelitEyes, catch_lights
from relight_assets.stages.degraded.geometry.close_up import enlarged_part
from relight_assets.stages.degraded.geometry.scene import WORKING_SIDE, Numbers, Scene, build
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_sampler import Grain, Streams
from relight_assets.stages.degraded.parts.light_parts import LightMaps, light_maps
from relight_assets.stages.degraded.sampler import Relit, relight, without_pattern
from relight_assets.stages.degraded.source_light.catch_lights import mirrored_lamp
from relight_assets.stages.degraded.tone_curve import ToneCurve
from relight_assets.stages.degraded.variants.mix import OF_A_WHOLE_LIGHT, mixed
from relight_assets.stages.degraded.variants.vary import varied
from relight_assets.stages.foreground_color import layer

CODE_VERSION = "12"

DITHER = "dither"
"""Purpose of the random stream of a picture's noise."""
MARGIN = 0.03
"""Margin around the person in the crop, as a share of its longest side: a silhouette needs an outside."""


@dataclass(frozen=True)
class Degraded:
    """A relit person.

    ``image`` is (H, W, 4) uint8 RGBA, sRGB, straight alpha: the mask's alpha, RGB 0 where that is 0.
    ``degradation_type`` is the family of light.  ``light_direction`` is the
    unit vector toward the key light, x right, y down, z to the camera.  ``numbers`` is everything
    that was drawn, in plain JSON values.  Both are rounded to 6 decimals; the image is made with the full ones.
    """

    image: Rgba8
    degradation_type: str
    light_direction: tuple[float, float, float]
    numbers: Numbers
    mixes: Mapping[float, "Degraded"] = field(default_factory=dict)
    """Of the photo and this light, by the amounts that were asked for."""
    no_gobo: "Degraded | None" = None
    """The same light without its pattern, if that was asked for and there is one."""
    alike: tuple["Degraded", ...] = ()
    """Lights that differ from this one in one attribute, which their numbers name as this one's do."""
    maps: LightMaps | None = None
    """The light itself, if that was asked for."""


class Lit(Protocol):
    """A light that is to be put on an albedo."""

    @property
    def light(self) -> LinearRgb:
        """(h, w, 3) float32 at working size, with exposure and white balance."""

    @property
    def highlight(self) -> LinearRgb | None:
        """What is added to the lit albedo, of the same shape."""

    @property
    def grain(self) -> Grain | None:
        """What of the highlight is finer."""

    @property
    def curve(self) -> ToneCurve:
        """Of the camera."""


@dataclass(frozen=True)
class Further:
    """What is made of a light beside itself."""

    amounts: tuple[float, ...] = ()
    """Shares of the light in mixes with the photo, linear, below 1."""
    no_gobo: bool = False
    """The light without its pattern."""
    alike: int = 0
    """Lights that differ from it in one attribute."""
    maps: bool = False
    """The light itself, taken apart."""


NOTHING_MORE = Further()


def degrade(
    *,
    input_rgb: Rgb8,
    foreground: Rgba8,
    albedo: Rgb8,
    faces: Sequence[Points],
    triangles: Triangles,
    eyes: Sequence[Points] = (),
    degradation: Degradation,
    lights: LightSampling,
    seed: int,
    source_sha256: str,
    variant: int = 0,
    shape_map: ShapeMap | None = None,
    join_faces: bool = True,
    gobos: Gobos = NO_GOBOS,
    environments: Environments = NO_ENVIRONMENTS,
    further: Further = NOTHING_MORE,
) -> Degraded:
    """Put a drawn light on a person's albedo.

    Args:
        input_rgb: (H, W, 3) uint8 sRGB, the person as photographed; only how bright it is matters.
        foreground: (H, W, 4) uint8 RGBA of the masks stage; its alpha is the mask.
        albedo: (H, W, 3) uint8 sRGB of the albedo stage.
        faces: (468, 3) float32 face meshes in the photo's pixels, x right, y down, z on the same
            scale and smaller nearer the camera, largest first; may be empty.
        triangles: (N, 3) int32 triangles of such a mesh.
        eyes: (21, 2) float32 in the photo's pixels: irises and lids, as the masks stage records them.
        degradation: families and ranges.
        lights: where lights may stand.
        seed: the recipe's seed.
        source_sha256: of the source file.
        variant: number of the variant of this source.
        shape_map: depth or normals of the whole photo; None: the shape is that of mask and faces.
        join_faces: put the faces into such a map.
        gobos: the user's own shadow patterns, (h, w) uint8 by name, 255 lets light through.
        environments: the user's own panoramas, by name.
        further: what else is made of the light.

    Raises:
        WeakPairError: no drawn strength made the pair differ enough.
    """

    def streams(purpose: str) -> Generator:
        return degraded_stream(seed, source_sha256, variant, purpose)

    sitter = _Sitter.of(
        input_rgb=input_rgb,
        foreground=foreground,
        albedo=albedo,
        faces=faces,
        triangles=triangles,
        eyes=eyes,
        rng=streams("shape"),
        shape_map=shape_map,
        join_faces=join_faces,
    )
    # Of each two variants the second is seen as far from the photo on its other side.
    of_two = stream(seed, source_sha256, variant - variant % 2, "degraded/camera")
    camera = draw_camera(of_two, degradation, mirrored=variant % 2 == 1)
    relit = relight(sitter.scene, degradation, lights, streams, gobos, environments=environments, camera=camera)
    if further.alike == 0:
        return sitter.made(relit, streams, further)
    others = [partial(_varied_stream, seed, source_sha256, variant + 1 + each) for each in range(further.alike)]
    attribute, every = varied(relit, others, streams("vary"))
    named: Numbers = {"varied": attribute.value}
    first, *alike = (sitter.made(replace(light, numbers=light.numbers | named), streams, further) for light in every)
    return replace(first, alike=tuple(alike))


def degraded_stream(seed: int, source_sha256: str, variant: int, purpose: str) -> Generator:
    """The random stream of a purpose of the light number ``variant``, from 0."""
    return stream(seed, source_sha256, variant, f"degraded/{purpose}")


def _varied_stream(seed: int, source_sha256: str, variant: int, purpose: str) -> Generator:
    return stream(seed, source_sha256, variant, f"degraded/vary/{purpose}")


@dataclass(frozen=True)
class _Sitter:
    """A person of a photo, ready for light: the scene, and what is rendered at full size."""

    scene: Scene
    foreground: Rgba8
    alpha: Gray8
    """Of the foreground, by itself."""
    window: tuple[slice, slice]
    surface: Rgb8
    """The albedo in the window."""
    seen_eyes: list[ClearEye]
    clear_eyes: list[ClearedEye]

    @classmethod
    def of(
        cls,
        *,
        input_rgb: Rgb8,
        foreground: Rgba8,
        albedo: Rgb8,
        faces: Sequence[Points],
        triangles: Triangles,
        eyes: Sequence[Points],
        rng: Generator,
        shape_map: ShapeMap | None,
        join_faces: bool,
    ) -> "_Sitter":
        alpha = cv2.extractChannel(foreground, 3)
        window = window_of(alpha)
        rows, columns = window
        part = alpha[window]
        scale = min(1.0, WORKING_SIDE / max(part.shape))
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))

        # Down to one half bilinear weights reach every pixel, and take an eighth of the time of area's.
        shrink = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA

        def reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return cv2.resize(image, size, interpolation=shrink)

        surface = albedo[window]
        corner = np.array([columns.start, rows.start], np.float32)
        ratio = np.array([size[0] / part.shape[1], size[1] / part.shape[0]], np.float32)
        seen = clear_eyes(foreground[window], [points - corner for points in eyes])
        scene = build(
            alpha=reduced(part).astype(np.float32) * np.float32(1 / 255),
            albedo=decode(reduced(surface)),
            photo=decode(reduced(input_rgb[window])),
            faces=[_to_working(points, corner, ratio) for points in faces],
            triangles=triangles,
            rng=rng,
            shape_map=shape_map and _part(shape_map, window, alpha.shape, size),
            join_faces=join_faces,
            full_photo=input_rgb[window],
            mirrored=mirrored_lamp(foreground[window], seen, faces[0][:, :2] - corner) if faces else None,
        )
        return cls(scene, foreground, alpha, window, surface, seen, [cleared(surface, each) for each in seen])

    def made(self, relit: Relit, streams: Streams, further: Further) -> Degraded:
        """The person in a light, and what else is made of that."""
        light = self._lit(relit, streams, further)
        mixes = {amount: self._mixed(light, relit, amount) for amount in further.amounts}
        bare = without_pattern(relit) if further.no_gobo else None
        return replace(light, mixes=mixes, no_gobo=None if bare is None else self._lit(bare, streams, further))

    def _lit(self, relit: Relit, streams: Streams, further: Further) -> Degraded:
        part = self.alpha[self.window]
        shown = []
        if relit.family in relit.draft.sampler.degradation.key_lights:
            lamp = Lamp.of(relit.direction, relit.light, relit.numbers, streams("eyes"))
            shown = catch_lights(self.scene, lamp, self.clear_eyes, part.shape)
        eyes = RelitEyes.of(self.clear_eyes, shown)
        colors = render(self.surface, part, relit, eyes, streams(DITHER))
        image = np.zeros(self.foreground.shape, np.uint8)
        image[self.window] = colors
        overlap = overlaps(self.foreground[self.window], colors, self.seen_eyes)
        numbers = relit.numbers | {"catch_lights": len(shown), "eye_overlap": overlap}
        maps = light_maps(self.scene, relit, eyes, self.window, self.alpha) if further.maps else None
        return Degraded(image, relit.family, rounded(relit.direction.vector), rounded(numbers), maps=maps)

    def _mixed(self, light: Degraded, relit: Relit, amount: float) -> Degraded:
        image = np.zeros(self.foreground.shape, np.uint8)
        image[self.window] = mixed(self.foreground[self.window], light.image[self.window], amount)
        strength: Numbers = {"strength": strength_of_mix(self.scene, relit.seen, amount), "amount": amount}
        kept = {name: value for name, value in light.numbers.items() if name not in OF_A_WHOLE_LIGHT}
        return replace(light, image=image, numbers=kept | rounded(strength))


def window_of(alpha: Gray8) -> tuple[slice, slice]:
    """The part of a picture that is computed: rows and columns around the person of a mask (H, W) uint8."""
    height, width = alpha.shape
    x, y, w, h = cv2.boundingRect(alpha)
    if w == 0:
        return slice(0, height), slice(0, width)
    margin = max(2, round(MARGIN * max(w, h)))
    return slice(max(0, y - margin), min(height, y + h + margin)), slice(max(0, x - margin), min(width, x + w + margin))


def _part(shape_map: ShapeMap, window: tuple[slice, slice], whole: tuple[int, ...], size: tuple[int, int]) -> ShapeMap:
    rows, columns = window
    corner = columns.start / whole[1], rows.start / whole[0]
    extent = (columns.stop - columns.start) / whole[1], (rows.stop - rows.start) / whole[0]
    return shape_map.part(corner, extent, size)


def _to_working(
    points: NDArray[np.float32], corner: NDArray[np.float32], ratio: NDArray[np.float32]
) -> NDArray[np.float32]:
    flat = (points[:, :2] - corner + np.float32(0.5)) * ratio - np.float32(0.5)
    return np.column_stack([flat, points[:, 2] * ratio.mean()]).astype(np.float32)


def _fitted(plane: Plane, shape: tuple[int, ...]) -> Plane:
    return plane if plane.shape == shape else cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR)


def render(surface: Rgb8, alpha: Gray8, lit: Lit, eyes: RelitEyes, noise: Generator) -> Rgba8:
    """Put a light on an albedo.

    Args:
        surface: (H, W, 3) uint8 sRGB, the albedo in the window.
        alpha: (H, W) uint8, the mask there.
        lit: the light, and the camera's curve.
        eyes: what happens to eyes, boxes in the window.
        noise: of the dither.

    Returns:
        (H, W, 4) uint8 RGBA.
    """
    # At full size, plane by plane: a plane is several times quicker than interleaved pixels.
    size = (alpha.shape[1], alpha.shape[0])

    def grown(plane: Plane) -> Plane:
        return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)

    planes = decode_planes(surface)
    eyes.clear(planes)
    dither(planes, noise)
    for plane, light in zip(planes, planes_of(lit.light), strict=True):
        cv2.multiply(plane, grown(light), plane)
    if lit.highlight is not None:
        for plane, small in zip(planes, planes_of(lit.highlight), strict=True):
            highlight = grown(small)
            if lit.grain is not None:
                part = enlarged_part(lit.grain.part, lit.highlight.shape, alpha.shape)
                highlight[part] *= _fitted(lit.grain.factor, highlight[part].shape)
            cv2.add(plane, highlight, plane)
    eyes.add_catch_lights(planes)
    factor = lit.curve.factor(planes)
    # Each plane goes when its bytes are there: memory counts at full size.
    return layer([encode(planes.pop(0), factor) for _ in range(3)], alpha)
