"""One person under one drawn light: the family, the direction, and a strength that is large enough.

A light near the photo's own changes little, however strong it is, so strength is measured on the pair.
When it is too small, the strength is drawn again, step by step nearer the strong end; the direction
stays, because drawing that again would remove frontal lights.  Only a light with artifacts
(:mod:`relight_assets.stages.degraded.artifacts`) is drawn again as a whole.
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
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import LUMINANCE_WEIGHTS, highlight_rolloff, luminance_of_planes, safe_ratio
from relight_assets.core.rng import uniform, weighted
from relight_assets.core.rounding import rounded
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.artifacts import EVERY_SECOND, LUMINANCE_FLOOR, artifact_score
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.geometry.mesh_seam import mask_rim
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading, Streams

TRIES = 6
"""Strengths that are drawn for one light."""
LIGHTS = 5
"""Lights that are drawn for a person until one has no artifact."""
ROLLOFF_START, ROLLOFF_TOP = 0.8, 0.97
"""Linear light at which highlights begin to be compressed, and which they approach: no channel is ever clipped."""
LIT_SHARE, LIT_WEIGHT = 0.4, 0.6
"""Share of the person that counts as its lit part, and that part's weight in the exposure."""
_WEIGHTS = np.array(LUMINANCE_WEIGHTS, np.float32)
MAX_STOPS = 4.3
"""Largest exposure correction of a light, stops either way."""
MAX_MEAN_CHANGE = 0.9
"""Largest mean change of the person's brightness, in stops."""


@dataclass(frozen=True)
class Relit:
    """A light that was accepted.

    The degraded person is ``albedo * light + highlight``, linear, times :func:`rolloff`.  Both are
    (h, w, 3) float32 at working size and hold the exposure already.
    """

    family: str
    direction: Direction
    light: LinearRgb
    highlight: LinearRgb | None
    numbers: Numbers


def relight(
    scene: Scene,
    degradation: recipe_lights.Degradation,
    sampling: recipe_lights.LightSampling,
    streams: Streams,
    gobos: Gobos = NO_GOBOS,
) -> Relit:
    """Draw lights for a person until a pair is strong enough and has no artifact; of a few, the one with the least.

    Raises:
        WeakPairError: six strengths in a row were too weak.
    """
    rng = streams("family")
    family = registry.family(weighted(rng, degradation.weights))
    second = _draw_second(family, degradation, float(rng.random()), float(rng.random()))
    exposure = uniform(rng, degradation.exposure_range)

    def draw(streams: Streams, exposure: float) -> tuple[float, Relit]:
        sampler = LightSampler(scene, degradation, sampling, streams, gobos)
        sampled = family.sample(sampler)
        if second is not None and second.add is not None:
            sampled = second.add(sampler, sampled)
        return _strong_enough(sampler, sampled, family, second, exposure)

    score, found = draw(streams, exposure)
    lights = 1
    while score > 1 and lights < LIGHTS:
        again = partial(_streams_again, streams, lights)
        lights += 1
        with suppress(WeakPairError):
            other_score, other = draw(again, uniform(again("exposure"), degradation.exposure_range))
            if other_score < score:
                score, found = other_score, other
    return replace(found, numbers=found.numbers | {"lights_drawn": lights, "artifact_score": score})


def _streams_again(streams: Streams, number: int, purpose: str) -> Generator:
    return streams(f"again/{number}/{purpose}")


def _strong_enough(
    sampler: LightSampler, sampled: SampledLight, family: LightFamily, second: LightFamily | None, exposure: float
) -> tuple[float, Relit]:
    """Draw strengths until one is large enough; the artifact score of that light, and the light."""
    scene, min_strength = sampler.scene, family.min_strength(sampler.degradation)
    strength = 0.0
    for attempt in range(TRIES):
        drawn = sampled.render(sampler.streams(f"{family.name}/strength/{attempt}"), attempt / (TRIES - 1))
        gain = _exposure_gain(scene, drawn, exposure)
        change = stops_of_change(scene, drawn, gain)
        mean = float(change.mean(dtype=np.float64))
        if abs(mean) > MAX_MEAN_CHANGE:
            gain *= 2.0 ** (math.copysign(MAX_MEAN_CHANGE, mean) - mean)
            change = stops_of_change(scene, drawn, gain)
        strength = rounded(float(change.std(dtype=np.float64)))
        if strength < min_strength:
            continue
        light = drawn.light * np.float32(gain)
        highlight = None if drawn.highlight is None else drawn.highlight * np.float32(gain)
        rim = mask_rim(scene, light)
        facts: Numbers = {
            "mixed_with": "" if second is None else second.name,
            "exposure": exposure,
            "exposure_gain": gain,
            "strength": strength,
            "strength_tries": attempt + 1,
            "has_specular": highlight is not None,
            "has_pattern": False,
            "mask_rim": rim,
        }
        facts |= {"geometry": "face_mesh" if scene.faces else "inflated", "geometry_faces": len(scene.faces)}
        has_key = family.name in sampler.degradation.key_lights
        source = _source_numbers(scene, sampled.direction if has_key else None)
        numbers = facts | source | sampled.numbers | drawn.numbers
        score = artifact_score(scene, _degraded(scene, light, highlight), strength, rim)
        return score, Relit(family.name, sampled.direction, light, highlight, numbers)
    raise WeakPairError(
        f"{TRIES} strengths of a {family.name} light all gave a pair that differs by less than "
        f"degradation.{family.name}.min_strength {min_strength:g} (the last by {strength:.3f})"
    )


def _degraded(scene: Scene, light: LinearRgb, highlight: LinearRgb | None) -> list[Plane]:
    """The person in a light, as :func:`~relight_assets.stages.degraded.artifacts.artifact_score` measures it."""
    lit = scene.albedo[EVERY_SECOND] * light[EVERY_SECOND]
    if highlight is not None:
        lit += highlight[EVERY_SECOND]
    planes = cv2.split(lit)
    factor = rolloff(planes)
    return [plane * factor for plane in planes]


def rolloff(planes: Sequence[Plane]) -> Plane:
    """Return the factor (h, w) that brings highlights below 1, for three (h, w) planes, linear."""
    return highlight_rolloff(planes, ROLLOFF_START, ROLLOFF_TOP)


def stops_of_change(scene: Scene, shading: Shading, gain: float = 1.0) -> NDArray[np.float32]:
    """Return log2(degraded / photo), luminance, of the person's N samples: (N,) float32.

    Its standard deviation is the strength of the pair.
    """
    # As pictures one pixel wide.
    lit = scene.sampled(scene.albedo) * scene.sampled(shading.light)
    if shading.highlight is not None:
        lit += scene.sampled(shading.highlight)
    planes = cv2.split((lit * np.float32(gain))[:, None])
    degraded = luminance_of_planes(planes) * rolloff(planes)
    photo = scene.sampled(scene.photo_light)[:, None]
    return np.log2(safe_ratio(degraded + LUMINANCE_FLOOR, photo + LUMINANCE_FLOOR)).ravel()


def _source_numbers(scene: Scene, key_light: Direction | None) -> Numbers:
    source = scene.source_light
    known = source.direction
    return {
        "source_light_direction": None if known is None else list(known.vector),
        "source_light_reliability": source.reliability,
        "light_angle_deg": None if known is None or key_light is None else key_light.angle(known),
    }


def _draw_second(
    family: LightFamily, degradation: recipe_lights.Degradation, chance: float, choice: float
) -> LightFamily | None:
    weights = degradation.weights
    others = [name for name in registry.second_names() if name != family.name and weights[name] > 0]
    if family.name not in degradation.key_lights or not others or chance >= degradation.mixture_probability:
        return None
    return registry.family(others[int(choice * len(others))])


def _exposure_gain(scene: Scene, shading: Shading, exposure: float) -> float:
    # Brightness is measured twice, over the person and over its best lit part, in the photo and
    # now; their geometric mean is kept, times 2^exposure.  By the first alone the lit part of a
    # hard shadow comes out too bright, by the second alone all else too dark, and either would
    # reveal the family.  Highlights count over the whole person only: in its lit part they
    # would darken all that has none.
    light = scene.sampled(shading.light)
    irradiance, photo = light @ _WEIGHTS, scene.sampled(scene.photo_light)
    lit = irradiance >= np.quantile(irradiance, 1 - LIT_SHARE)
    matt = (scene.sampled(scene.albedo) * light) @ _WEIGHTS
    whole = matt if shading.highlight is None else matt + scene.sampled(shading.highlight) @ _WEIGHTS
    stops = 0.0
    for now, wanted, weight in ((matt[lit], photo[lit], LIT_WEIGHT), (whole, photo, 1 - LIT_WEIGHT)):
        before, after = (max(float(part.mean(dtype=np.float64)), 1e-4) for part in (wanted, now))
        stops += weight * math.log2(before / after)
    return math.pow(2.0, min(max(stops + exposure, -MAX_STOPS), MAX_STOPS))
