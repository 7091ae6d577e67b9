"""One person under one drawn light: the family, the direction, and a strength that is enough.

A light near the photo's own gives a pair that teaches nothing, however strong it is, so strength is
measured on the pair.  When it is too weak, the strength is drawn again, step by step nearer the
strong end; the direction stays, because drawing that again would remove frontal lights.  Only a light
that would spoil the picture (:mod:`relight_assets.stages.degraded.artifacts`) is drawn again as a whole.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe import lights as recipe_lights
from relight_assets.core.color import LUMINANCE_WEIGHTS, bending_factor, luminance_of_planes, safe_ratio
from relight_assets.core.rng import uniform, weighted
from relight_assets.core.rounding import rounded
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.artifacts import FEW, LOG_FLOOR, flaw
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.height_field import Plane
from relight_assets.stages.degraded.geometry.mesh_seam import mask_rim
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_sampler import Cast, Shine, Streams, Studio

TRIES = 6
"""Strengths of one light."""
LIGHTS = 5
"""That are drawn for a person until one has no flaw."""
HIGHLIGHT_START, HIGHLIGHT_TOP = 0.8, 0.97
"""Where highlights begin to bend, and what they approach: no channel is ever clipped."""
LIT_SHARE, LIT_WEIGHT = 0.4, 0.6
"""Share of the person that counts as its lit part, and that part's weight in the exposure."""
_WEIGHTS = np.array(LUMINANCE_WEIGHTS, np.float32)
MAX_STOPS = 4.3
MAX_MEAN_CHANGE = 0.9
"""Largest mean change of the person's brightness, in stops."""


@dataclass(frozen=True)
class Relit:
    """A light that was accepted.

    The degraded person is ``albedo * light + highlight``, linear, times :func:`bend`.  Both are
    (h, w, 3) float32 at working size and hold the exposure already.
    """

    family: str
    direction: Direction
    light: NDArray[np.float32]
    highlight: NDArray[np.float32] | None
    numbers: Numbers


def relight(
    scene: Scene,
    degradation: recipe_lights.Degradation,
    sampling: recipe_lights.LightSampling,
    streams: Streams,
    gobos: Gobos = NO_GOBOS,
) -> Relit:
    """Draw a light for a person until the pair is strong enough and has no flaw, or the least of a few.

    Raises:
        WeakPairError: six strengths in a row were too weak.
    """
    rng = streams("family")
    family = weighted(rng, degradation.weights)
    second = _draw_second(family, degradation, float(rng.random()), float(rng.random()))
    exposure = uniform(rng, degradation.exposure_range)

    def draw(streams: Streams, exposure: float) -> tuple[float, Relit]:
        studio = Studio(scene, degradation, sampling, streams, gobos)
        return _strong_enough(studio, studio.mixed(studio.cast(family), second), family, second, exposure)

    worst, found = draw(streams, exposure)
    lights = 1
    while worst > 1 and lights < LIGHTS:
        anew = partial(_anew, streams, lights)
        lights += 1
        with suppress(WeakPairError):
            less, other = draw(anew, uniform(anew("exposure"), degradation.exposure_range))
            if less < worst:
                worst, found = less, other
    return replace(found, numbers=found.numbers | {"lights_drawn": lights, "artifact_score": worst})


def _anew(streams: Streams, number: int, purpose: str) -> Generator:
    return streams(f"again/{number}/{purpose}")


def _strong_enough(studio: Studio, cast: Cast, family: str, second: str, exposure: float) -> tuple[float, Relit]:
    """Draw strengths until one is enough; how flawed that light is, and the light."""
    scene = studio.scene
    strength = 0.0
    for attempt in range(TRIES):
        drawn = cast.shine(studio.streams(f"{family}/strength/{attempt}"), attempt / (TRIES - 1))
        gain = _exposure_gain(scene, drawn, exposure)
        change = stops_of_change(scene, drawn, gain)
        mean = float(change.mean(dtype=np.float64))
        if abs(mean) > MAX_MEAN_CHANGE:
            gain *= 2.0 ** (math.copysign(MAX_MEAN_CHANGE, mean) - mean)
            change = stops_of_change(scene, drawn, gain)
        strength = rounded(float(change.std(dtype=np.float64)))
        if strength < cast.min_strength:
            continue
        light = drawn.light * np.float32(gain)
        highlight = None if drawn.highlight is None else drawn.highlight * np.float32(gain)
        rim = mask_rim(scene, light)
        facts: Numbers = {
            "mixed_with": second,
            "exposure": exposure,
            "exposure_gain": gain,
            "strength": strength,
            "strength_tries": attempt + 1,
            "has_specular": highlight is not None,
            "has_pattern": False,
            "mask_rim": rim,
        }
        facts |= {"geometry": "face_mesh" if scene.faces else "inflated", "geometry_faces": len(scene.faces)}
        numbers = facts | _of_source(scene, cast.direction, family) | cast.numbers | drawn.numbers
        worst = flaw(scene, _degraded(scene, light, highlight), strength, rim)
        return worst, Relit(family, cast.direction, light, highlight, numbers)
    raise WeakPairError(
        f"{TRIES} strengths of a {family} light all gave a pair that differs by less than "
        f"degradation.{family}.min_strength {cast.min_strength:g} (the last by {strength:.3f})"
    )


def _degraded(scene: Scene, light: NDArray[np.float32], highlight: NDArray[np.float32] | None) -> list[Plane]:
    """What the light makes of the person, as :func:`~relight_assets.stages.degraded.artifacts.flaw` wants it."""
    lit = scene.albedo[FEW] * light[FEW]
    if highlight is not None:
        lit += highlight[FEW]
    planes = cv2.split(lit)
    factor = bend(planes)
    return [plane * factor for plane in planes]


def bend(planes: Sequence[Plane]) -> Plane:
    """Return the factor (h, w) that leads highlights under 1, for three (h, w) planes, linear."""
    return bending_factor(planes, HIGHLIGHT_START, HIGHLIGHT_TOP)


def stops_of_change(scene: Scene, shine: Shine, gain: float = 1.0) -> NDArray[np.float32]:
    """Return log2(degraded / photo), luminance, of the person's N samples: (N,) float32.

    Its standard deviation is the strength of the pair.
    """
    # As pictures one pixel wide.
    lit = scene.sampled(scene.albedo) * scene.sampled(shine.light)
    if shine.highlight is not None:
        lit += scene.sampled(shine.highlight)
    planes = cv2.split((lit * np.float32(gain))[:, None])
    degraded = luminance_of_planes(planes) * bend(planes)
    photo = scene.sampled(scene.photo_light)[:, None]
    return np.log2(safe_ratio(degraded + LOG_FLOOR, photo + LOG_FLOOR)).ravel()


def _of_source(scene: Scene, light: Direction, family: str) -> Numbers:
    source = scene.source_light
    known = source.direction
    return {
        "source_light_direction": None if known is None else list(known.vector),
        "source_light_reliability": source.reliability,
        "light_angle_deg": None if known is None or family == "none" else light.angle(known),
    }


def _draw_second(family: str, degradation: recipe_lights.Degradation, chance: float, choice: float) -> str:
    others = [name for name in ("hard_shadow", "specular") if name != family and degradation.weights[name] > 0]
    if family == "none" or not others or chance >= degradation.mixture_probability:
        return ""
    return others[int(choice * len(others))]


def _exposure_gain(scene: Scene, shine: Shine, exposure: float) -> float:
    # Brightness is measured twice, over the person and over its best lit part, in the photo and
    # now; their geometric mean is kept, times 2^exposure.  By the first alone the lit part of a
    # hard shadow comes out too bright, by the second alone all else too dark, and either would
    # give the family away.  Highlights count over the whole person only: in its lit part they
    # would darken all that has none.
    light = scene.sampled(shine.light)
    irradiance, photo = light @ _WEIGHTS, scene.sampled(scene.photo_light)
    lit = irradiance >= np.quantile(irradiance, 1 - LIT_SHARE)
    matt = (scene.sampled(scene.albedo) * light) @ _WEIGHTS
    whole = matt if shine.highlight is None else matt + scene.sampled(shine.highlight) @ _WEIGHTS
    stops = 0.0
    for now, wanted, weight in ((matt[lit], photo[lit], LIT_WEIGHT), (whole, photo, 1 - LIT_WEIGHT)):
        before, after = (max(float(part.mean(dtype=np.float64)), 1e-4) for part in (wanted, now))
        stops += weight * math.log2(before / after)
    return math.pow(2.0, min(max(stops + exposure, -MAX_STOPS), MAX_STOPS))
