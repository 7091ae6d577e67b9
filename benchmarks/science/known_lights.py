"""Known lights on portraits, estimated back: how well the photo's own light is found, and how far it can be trusted.

Each portrait of a finished split, evened by the albedo stage, is lit by lamps of drawn place, size, color and fill,
seen by a camera with the usual curve, and goes through the albedo stage again.  What the estimate then says is compared
with the lamp.  Once the face has its own paint, in which some of the photo's light is left, and once one paint.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe.albedo import Retinex
from relight_assets.core.arrays import LinearRgb, Points, Rgb8, Rgba8
from relight_assets.core.color import decode, encode, luminance, tinted
from relight_assets.core.rng import log_uniform, stream, uniform
from relight_assets.dataset.records import read_record
from relight_assets.errors import UserError
from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.stages.albedo import albedo
from relight_assets.stages.degraded.degrade import window_of
from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.geometry.filters import smooth
from relight_assets.stages.degraded.geometry.scene import WORKING_SIDE, Scene, build
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.shading import lamp
from relight_assets.stages.degraded.source_light import key_color
from relight_assets.stages.degraded.source_light.source_light import SourceLight
from relight_assets.stages.foreground_color import with_alpha
from relight_assets.stages.masks.recorded_faces import unpacked

LIGHTS = 6
"""Lights on each portrait."""
ELEVATIONS, AZIMUTHS = (10.0, 80.0), (-20.0, 200.0)
"""Of the lamp, degrees."""
SIZES, WRAPS = (0.04, 0.6), (0.0, 0.15)
"""Its angular half size, radians, and how far it reaches around."""
FILLS, KELVINS, TINT = (0.04, 1.0), (3200.0, 10000.0), 0.6
"""Light that is everywhere, linear; and the color of both, and how much of it is seen."""
STRENGTHS = (0.65, 1.0)
"""Of the albedo stage: as it draws them."""
NEAR = 25.0
"""Degrees that a reliable direction is off at most."""


@dataclass(frozen=True)
class Truth:
    """A lamp that was put on a portrait."""

    direction: Direction
    fill: float
    """Share of what comes from all around."""
    warmth: float
    """Ln R/B of the lamp over that of the fill."""


Case = tuple[Truth, SourceLight]


@dataclass(frozen=True)
class LightFigures:
    """How well lights on one kind of face are found; errors are medians."""

    paint: str
    lights: int
    reliable: float
    """Share whose direction is reliable."""
    error_deg: float
    worst_tenth_deg: float
    """Of the reliable ones, like the error."""
    sure_near: float
    """Share within 25 degrees of those with a reliability of .9 and more; 1 where there are none."""
    unsure_near: float
    """The same below .9."""
    softness_reliable: float
    softness_error: float
    warmth_reliable: float
    warmth_error: float
    """Ln R/B."""
    warmth_guess: float
    """The error of always saying that key and fill are of one color."""


@dataclass(frozen=True)
class Portrait:
    """A person of a finished split."""

    foreground: Rgba8
    faces: list[Points]


def read_portraits(folder: Path) -> Iterator[Portrait]:
    """The portraits of a split's folder that have a face.

    Raises:
        UserError: there is none.
    """
    found = list(_portraits(folder))
    if not found:
        raise UserError(f"{folder} has no finished portraits with a face: name the folder data-<split> of a split")
    yield from found


def _portraits(folder: Path) -> Iterator[Portrait]:
    for path in sorted(folder.glob("*_metadata.json")):
        record = read_record(path)
        faces = unpacked(record.stages["masks"].numbers) if record is not None and "masks" in record.stages else []
        image = cv2.imread(str(path).replace("_metadata.json", "_foreground.png"), cv2.IMREAD_UNCHANGED)
        if faces and image is not None:
            yield Portrait(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA).astype(np.uint8, copy=False), faces)


def measure_lights(portraits: Sequence[Portrait], retinex: Retinex) -> list[LightFigures]:
    """The figures of faces with their own paint, and of faces of one paint."""
    return [
        _figures(paint, [case for each in enumerate(portraits) for case in _cases(*each, retinex, paint)])
        for paint in ("own", "one")
    ]


def _cases(number: int, portrait: Portrait, retinex: Retinex, paint: str) -> Iterator[Case]:
    rng = stream(number, "", 0, f"science/lights/{paint}")
    even = _evened(portrait.foreground, portrait.faces, retinex, 1.0)
    window = window_of(cv2.extractChannel(portrait.foreground, 3))
    scene = _scene(portrait.foreground, even, portrait.faces)
    surface = even[window].copy()
    if paint == "one":
        skin = scene.face_share * scene.skin > 0.5
        face = cv2.resize(scene.face_share, surface.shape[1::-1]) > 0.02
        surface[face] = encode(np.median(scene.albedo[skin], axis=0).reshape(1, 1, 3))[0, 0]
    for _ in range(LIGHTS):
        lit, truth = _lit(scene, surface, rng)
        photo = portrait.foreground.copy()
        photo[window] = with_alpha(lit, photo[window][..., 3])
        found = _evened(photo, portrait.faces, retinex, uniform(rng, STRENGTHS))
        yield truth, _scene(photo, found, portrait.faces).source_light


def _evened(foreground: Rgba8, faces: Sequence[Points], retinex: Retinex, strength: float) -> Rgb8:
    return albedo.extract(foreground, retinex.model_copy(update={"strength": strength}), faces=faces).image


def _scene(foreground: Rgba8, surface: Rgb8, faces: Sequence[Points]) -> Scene:
    """The person as the stage `degraded` prepares it; its eyes are not asked, as they show the photo's own lamp."""
    window = window_of(cv2.extractChannel(foreground, 3))
    part = foreground[window]
    scale = min(1.0, WORKING_SIDE / max(part.shape[:2]))
    size = (round(part.shape[1] * scale), round(part.shape[0] * scale))

    def reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    corner = np.array([window[1].start, window[0].start, 0], np.float32)
    return build(
        alpha=reduced(part[..., 3]).astype(np.float32) * np.float32(1 / 255),
        albedo=decode(reduced(surface[window])),
        photo=decode(reduced(part[..., :3])),
        faces=[((points - corner) * np.float32(scale)).astype(np.float32) for points in faces],
        triangles=TRIANGLES,
        rng=stream(0, "", 0, "science/shape"),
    )


def _lit(scene: Scene, surface: Rgb8, rng: Generator) -> tuple[Rgb8, Truth]:
    low, high = (math.sin(math.radians(end)) for end in ELEVATIONS)
    light = direction(math.degrees(math.asin(uniform(rng, (low, high)))), uniform(rng, AZIMUTHS))
    size, wrap, fill = log_uniform(rng, SIZES), uniform(rng, WRAPS), log_uniform(rng, FILLS)
    key, room = (tinted(log_uniform(rng, KELVINS), TINT) for _ in range(2))
    seen = visibility(scene, light, size)
    keys = lamp.key_light(scene, light, wrap, [smooth(seen, blur * scene.size) for blur in lamp.SHADOW_BLUR])
    n_x, n_y, _ = scene.normals
    around = np.float32(0.85) + n_x * np.float32(0.35 * light.x) + n_y * np.float32(0.35 * light.y - 0.1)
    planes = [
        plane * np.float32((1 - fill) * key[c]) + around * np.float32(fill * room[c]) for c, plane in enumerate(keys)
    ]
    irradiance = cv2.resize(cv2.merge(planes), surface.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    skin = scene.face_share * scene.skin > 0.5
    level = float(np.median(luminance(scene.albedo)[skin])) / float(
        np.median(luminance(scene.albedo * cv2.merge(planes))[skin])
    )
    warmth = math.log(key[0] / key[2]) - math.log(room[0] / room[2])
    return encode(_photographed(decode(surface) * irradiance * np.float32(level))), Truth(light, fill, warmth)


def _photographed(scene: LinearRgb) -> LinearRgb:
    """What a camera with the usual curve makes of linear light; a gray of .18 stays."""
    shown = np.linspace(0, 1, 2048)
    curve = (shown + key_color.FLOOR) ** key_color.TOE / (1 - key_color.SHOULDER * shown) ** key_color.SHOULDER_POWER
    curve *= 0.18 / np.interp(0.18, shown, curve)
    found: LinearRgb = np.interp(scene, curve, shown).astype(np.float32)
    return found


def _figures(paint: str, cases: Sequence[Case]) -> LightFigures:
    known = [(truth, found) for truth, found in cases if found.direction is not None]
    off = np.array([found.direction.angle(truth.direction) for truth, found in known if found.direction is not None])
    sure = np.array([found.reliability >= 0.9 for _, found in known], np.bool_)
    soft = [abs(found.softness - truth.fill) for truth, found in cases if found.softness is not None]
    warm = [abs(found.warmth - truth.warmth) for truth, found in cases if found.warmth is not None]
    return LightFigures(
        paint=paint,
        lights=len(cases),
        reliable=len(known) / len(cases),
        error_deg=float(np.median(off)),
        worst_tenth_deg=float(np.percentile(off, 90)),
        sure_near=_share(off[sure] < NEAR),
        unsure_near=_share(off[~sure] < NEAR),
        softness_reliable=len(soft) / len(cases),
        softness_error=float(np.median(soft)),
        warmth_reliable=len(warm) / len(cases),
        warmth_error=float(np.median(warm)),
        warmth_guess=float(np.median([abs(truth.warmth) for truth, _ in cases])),
    )


def _share(true: NDArray[np.bool_]) -> float:
    return float(true.mean()) if true.size else 1.0
