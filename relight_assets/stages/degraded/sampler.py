"""One person under one drawn light: the family, the direction, and a strength that is large enough.

A light near the photo's own changes little, however strong it is, so strength is measured on the pair.
When it is too small, or too little of it is on the face, the strength is drawn again, step by step nearer the strong
end; the direction stays, because drawing that again would remove frontal lights.  Only a light with defects
(:mod:`relight_assets.stages.degraded.defects`), or one that no strength makes strong enough, is drawn again as a
whole; in the end by another family, because a photo should not be lost to its light.
"""

import math
from collections.abc import Container
from dataclasses import dataclass, replace
from functools import partial

import cv2
from numpy.random import Generator

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.rng import weighted
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.defects import EVERY_SECOND, defect_score
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.environments.panorama import NO_ENVIRONMENTS, Environments
from relight_assets.stages.degraded.exposure import CENTERED, Camera, Exposed, draw_camera, exposed
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.geometry.mesh_seam import mask_rim
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import Grain, LightSampler, SampledLight, Streams
from relight_assets.stages.degraded.shading.face_light import FaceSkin, face_skin, measure
from relight_assets.stages.degraded.tone_curve import ToneCurve

TRIES = 6
"""Strengths that are drawn for one light."""
LIGHTS = 5
"""Lights that are drawn for a person until one has no defect."""
MIN_FACE_LIGHT = {"mild": 0.0, "standard": 0.4, "strong": 0.55}
"""Spread of the light over a face below which another is drawn, stops: the share of pairs whose light is read."""
WITHOUT_PATTERN = 2.0
"""How much more of it there must be where no pattern's edges tell of the light."""
WEAK_LIGHTS = 3
"""Lights of the drawn family that may be too weak; those after them are of another family."""


@dataclass(frozen=True)
class Relit:
    """A light that was accepted.

    The degraded person is ``albedo * light + highlight``, linear, times the curve's factor.  Both are (h, w, 3) float32
    at working size and hold exposure and white balance already.  ``grain`` is the highlight's.
    """

    family: str
    direction: Direction
    light: LinearRgb
    highlight: LinearRgb | None
    curve: ToneCurve
    numbers: Numbers
    grain: Grain | None = None


def relight(
    scene: Scene,
    degradation: Degradation,
    sampling: LightSampling,
    streams: Streams,
    gobos: Gobos = NO_GOBOS,
    *,
    environments: Environments = NO_ENVIRONMENTS,
    lights: int = LIGHTS,
    camera: Camera = CENTERED,
) -> Relit:
    """Draw lights for a person until a pair is strong enough and has no defect; of a few, the one with the least.

    ``lights`` are drawn at most; ``camera`` sees the first, and others those after it.

    Raises:
        WeakPairError: all of them were too weak at six strengths; says so of the first.
    """
    degradation = degradation.scaled()
    rng = streams("family")
    family = registry.family(weighted(rng, degradation.weights))
    second = _draw_second(family, degradation, float(rng.random()), float(rng.random()))
    skin = face_skin(scene)

    def draw(streams: Streams, camera: Camera) -> tuple[float, Relit]:
        least = 0.0 if second is None else second.least_elevation
        sampler = LightSampler(scene, degradation, sampling, streams, gobos, environments, least)
        sampled = family.sample(sampler)
        if second is not None and second.add is not None:
            sampled = second.add(sampler, sampled)
        score, light = _strong_enough(sampler, sampled, family, camera, skin)
        mixed_with: Numbers = {"mixed_with": "" if second is None else second.name}
        return score, replace(light, numbers=mixed_with | light.numbers)

    best: tuple[float, Relit] | None = None
    drawn, weak, key, tried = 0, None, streams, {family.name}
    while drawn < lights and (best is None or best[0] > 1):
        if drawn > 0:
            key = partial(_streams_again, streams, drawn)
            camera = draw_camera(key("camera"), degradation)
        if best is None and drawn >= WEAK_LIGHTS and (other := _another(tried, degradation, key)) is not None:
            family, second = other, None
            tried.add(family.name)
        drawn += 1
        try:
            found = draw(key, camera)
        except WeakPairError as error:
            weak = weak or error
        else:
            best = found if best is None or found[0] < best[0] else best
    if best is None:
        assert weak is not None  # noqa: S101  (a light was drawn)
        raise weak
    score, light = best
    return replace(light, numbers=light.numbers | {"lights_drawn": drawn, "artifact_score": score})


def _another(tried: Container[str], degradation: Degradation, streams: Streams) -> LightFamily | None:
    """A family with a key light that was not tried, by the weights of the recipe; None where it draws no other."""
    others = {
        name: weight
        for name, weight in degradation.weights.items()
        if weight > 0 and name not in tried and name in degradation.key_lights
    }
    return registry.family(weighted(streams("family"), others)) if others else None


def _streams_again(streams: Streams, number: int, purpose: str) -> Generator:
    return streams(f"again/{number}/{purpose}")


def _strong_enough(
    sampler: LightSampler, sampled: SampledLight, family: LightFamily, camera: Camera, skin: FaceSkin | None
) -> tuple[float, Relit]:
    """Draw strengths until one is large enough; the defect score of that light, and the light."""
    min_strength, strength = family.min_strength(sampler.degradation), 0.0
    least = MIN_FACE_LIGHT[sampler.degradation.intensity] if family.name in sampler.degradation.key_lights else 0.0
    least *= sampled.on_face if _patterned(sampled) else sampled.on_face * WITHOUT_PATTERN
    for attempt in range(TRIES):
        shading = sampled.render(sampler.streams(f"{family.name}/strength/{attempt}"), attempt / (TRIES - 1))
        lit = exposed(sampler.scene, shading, camera)
        strength = lit.strength
        face = {} if skin is None else measure(sampler.scene, skin, lit.shading, lit.curve)
        flat = least / max(face.get("face_light", math.inf), 1e-3)
        if strength >= min_strength and (flat <= 1 or attempt == TRIES - 1):
            numbers: Numbers = lit.numbers | {"strength": strength, "strength_tries": attempt + 1}
            score, light = _accepted(sampler, sampled, family, lit)
            return max(score, flat), replace(light, numbers=numbers | face | light.numbers, grain=shading.grain)
    raise WeakPairError(
        f"{TRIES} strengths of a {family.name} light all gave a pair that differs by less than "
        f"degradation.{family.name}.min_strength {min_strength:g} (the last by {strength:.3f})"
    )


def _patterned(sampled: SampledLight) -> bool:
    return any(sampled.numbers.get(name) for name in ("has_pattern", "second_has_pattern"))


def _accepted(sampler: LightSampler, sampled: SampledLight, family: LightFamily, lit: Exposed) -> tuple[float, Relit]:
    scene, light, highlight = sampler.scene, lit.shading.light, lit.shading.highlight
    rim = mask_rim(scene, light)
    facts: Numbers = {
        "has_specular": highlight is not None,
        "has_pattern": False,
        "mask_rim": rim,
        "geometry": "face_mesh" if scene.faces else "inflated",
        "geometry_faces": len(scene.faces),
    }
    has_key = family.name in sampler.degradation.key_lights
    source = _source_numbers(scene, sampled.direction if has_key else None)
    numbers = facts | source | sampled.numbers | lit.shading.numbers
    score = defect_score(scene, _degraded(scene, lit), lit.strength, rim)
    return score, Relit(family.name, sampled.direction, light, highlight, lit.curve, numbers)


def _degraded(scene: Scene, seen: Exposed) -> list[Plane]:
    """The person in a light, as :func:`~relight_assets.stages.degraded.defects.defect_score` measures it."""
    shading = seen.shading
    lit = scene.albedo[EVERY_SECOND] * shading.light[EVERY_SECOND]
    if shading.highlight is not None:
        lit += shading.highlight[EVERY_SECOND]
    planes = cv2.split(lit)
    factor = seen.curve.factor(planes)
    return [plane * factor for plane in planes]


def _source_numbers(scene: Scene, key_light: Direction | None) -> Numbers:
    source = scene.source_light
    known = source.direction
    return {
        "source_light_direction": None if known is None else list(known.vector),
        "source_light_reliability": source.reliability,
        "light_angle_deg": None if known is None or key_light is None else key_light.angle(known),
    }


def _draw_second(family: LightFamily, degradation: Degradation, chance: float, choice: float) -> LightFamily | None:
    weights = degradation.weights
    others = [name for name in registry.second_names() if name != family.name and weights[name] > 0]
    mixed = family.takes_second and family.name in degradation.key_lights
    if not mixed or not others or chance >= degradation.mixture_probability:
        return None
    return registry.family(others[int(choice * len(others))])
