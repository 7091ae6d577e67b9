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

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, planes_of
from relight_assets.core.rng import weighted
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.defects import EVERY_SECOND, defect_score
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.environments.panorama import NO_ENVIRONMENTS, Environments
from relight_assets.stages.degraded.exposure import CENTERED, Camera, Exposed, draw_camera, exposed, exposed_alike
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.geometry.mesh_seam import mask_rim
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import (
    MIN_FACE_LIGHT,
    TRIES,
    WITHOUT_PATTERN,
    Grain,
    LightSampler,
    SampledLight,
    Shading,
    Streams,
)
from relight_assets.stages.degraded.shading.ambient import blended
from relight_assets.stages.degraded.shading.face_light import FaceSkin, face_skin, measure
from relight_assets.stages.degraded.tone_curve import ToneCurve

LIGHTS = 5
"""Lights that are drawn for a person until one has no defect."""
ROUNDED = 0.002
"""Linear luminance of an albedo up to which it is mostly rounding, six display levels."""
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
    draft: "Draft"
    attempt: int
    """Number of its strength, from 0."""
    seen: Exposed
    grain: Grain | None = None


@dataclass(frozen=True)
class Draft:
    """A light that was drawn, but for its strength, and the camera that sees it."""

    sampler: LightSampler
    family: LightFamily
    second: LightFamily | None
    sampled: SampledLight
    camera: Camera
    skin: FaceSkin | None
    """Of the person's face."""

    @classmethod
    def of(
        cls,
        sampler: LightSampler,
        families: tuple[LightFamily, LightFamily | None],
        camera: Camera,
        skin: FaceSkin | None,
    ) -> "Draft":
        """Draw a light of a family, and add a second one where there is one."""
        family, second = families
        sampled = family.sample(sampler)
        if second is not None and second.add is not None:
            sampled = second.add(sampler, sampled)
        return cls(sampler, family, second, sampled, camera, skin)

    @property
    def min_strength(self) -> float:
        """The smallest strength of a pair, stops."""
        return self.sampled.by_level * self.family.min_strength(self.sampler.degradation)

    @property
    def has_pattern(self) -> bool:
        """Whether something between lamp and person throws a shadow."""
        return any(self.sampled.numbers.get(name) for name in ("has_pattern", "second_has_pattern"))

    def rendered(self, attempt: int) -> Shading:
        """The light at one of its ``TRIES`` strengths, before any camera."""
        rng = self.sampler.streams(f"{self.family.name}/strength/{attempt}")
        return self.sampled.render(rng, attempt / (TRIES - 1))

    def seen(self, attempt: int) -> Exposed:
        """The same as the camera sees it."""
        shading = self.rendered(attempt)
        return exposed(self.sampler.scene, shading, self.camera, hold_lit_skin=self.family.holds_lit_skin)


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
        return _strong_enough(Draft.of(sampler, (family, second), camera, skin))

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


def _strong_enough(draft: Draft) -> tuple[float, Relit]:
    """Draw strengths until one is large enough; the defect score of that light, and the light."""
    strength, first = 0.0, draft.sampled.first_try
    for attempt in range(first, TRIES):
        lit = draft.seen(attempt)
        strength = lit.strength
        face = _on_face(draft, lit)
        flat = _flatness(draft, face)
        if strength >= draft.min_strength and (flat <= 1 or attempt == TRIES - 1):
            score, light = judged(draft, attempt, lit, face)
            return max(score, flat), light
    raise WeakPairError(
        f"{TRIES - first} strengths of a {draft.family.name} light all gave a pair that differs by less than "
        f"degradation.{draft.family.name}.min_strength {draft.min_strength:.3g} (the last by {strength:.3f})"
    )


def redrawn(draft: Draft, attempt: int) -> tuple[float, Relit]:
    """A light at a strength that is given; the defect score of that light, and the light.

    Raises:
        WeakPairError: the pair does not differ enough.
    """
    lit = draft.seen(attempt)
    if lit.strength < draft.min_strength:
        raise WeakPairError(
            f"a {draft.family.name} light gave a pair that differs by {lit.strength:.3f}, less than "
            f"degradation.{draft.family.name}.min_strength {draft.min_strength:.3g}"
        )
    face = _on_face(draft, lit)
    score, light = judged(draft, attempt, lit, face)
    return max(score, _flatness(draft, face)), light


def without_pattern(light: Relit) -> Relit | None:
    """The same light, seen by the same camera, with nothing between lamp and person; None: nothing is there."""
    draft = light.draft
    if draft.sampled.without_pattern is None:
        return None
    scene, bare = draft.sampler.scene, replace(draft, sampled=draft.sampled.without_pattern())
    lit = exposed_alike(scene, bare.rendered(light.attempt), light.seen)
    # Black stays in the shadow, where it is not seen: there an albedo is rounding, and a camera that lifts it shows
    # that.
    black = np.clip(1 - luminance(scene.albedo) * np.float32(1 / ROUNDED), 0, 1)[..., None]
    shown = lit.shading.light + black * (light.light - lit.shading.light)
    ambient = blended(lit.shading, light.seen.shading, black)
    lit = replace(lit, shading=replace(lit.shading, light=shown, ambient=ambient))
    return judged(bare, light.attempt, lit, _on_face(bare, lit))[1]


def _on_face(draft: Draft, lit: Exposed) -> dict[str, float]:
    return {} if draft.skin is None else measure(draft.sampler.scene, draft.skin, lit.shading, lit.curve)


def _flatness(draft: Draft, face: dict[str, float]) -> float:
    """How far the spread of the light over the face is from enough: above 1 it is too flat."""
    degradation = draft.sampler.degradation
    least = MIN_FACE_LIGHT[degradation.intensity] if draft.family.name in degradation.key_lights else 0.0
    least *= draft.sampled.on_face if draft.has_pattern else draft.sampled.on_face * WITHOUT_PATTERN
    return least / max(face.get("face_light", math.inf), 1e-3)


def judged(draft: Draft, attempt: int, lit: Exposed, face: dict[str, float]) -> tuple[float, Relit]:
    """The defect score of a light as a camera sees it, and the light with its numbers."""
    sampler, sampled, family = draft.sampler, draft.sampled, draft.family
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
    drawn: Numbers = {
        "mixed_with": "" if draft.second is None else draft.second.name,
        **lit.numbers,
        "strength": lit.strength,
        "strength_tries": attempt + 1 - sampled.first_try,
    }
    numbers = drawn | face | facts | source | sampled.numbers | lit.shading.numbers
    score = defect_score(scene, _degraded(scene, lit), lit.strength, rim)
    relit = Relit(
        family.name,
        sampled.direction,
        light,
        highlight,
        lit.curve,
        numbers,
        draft,
        attempt,
        lit,
        lit.shading.grain,
    )
    return score, relit


def _degraded(scene: Scene, seen: Exposed) -> list[Plane]:
    """The person in a light, as :func:`~relight_assets.stages.degraded.defects.defect_score` measures it."""
    shading = seen.shading
    lit = scene.albedo[EVERY_SECOND] * shading.light[EVERY_SECOND]
    if shading.highlight is not None:
        lit += shading.highlight[EVERY_SECOND]
    planes = planes_of(lit)
    factor = seen.curve.factor(planes)
    return [plane * factor for plane in planes]


def _source_numbers(scene: Scene, key_light: Direction | None) -> Numbers:
    source = scene.source_light
    known = source.direction
    return {
        "source_light_direction": None if known is None else list(known.vector),
        "source_light_reliability": source.reliability,
        "source_light_softness": source.softness,
        "source_light_softness_reliability": source.softness_reliability,
        "source_light_warmth": source.warmth,
        "source_light_warmth_reliability": source.warmth_reliability,
        "light_angle_deg": None if known is None or key_light is None else key_light.angle(known),
    }


def _draw_second(family: LightFamily, degradation: Degradation, chance: float, choice: float) -> LightFamily | None:
    weights = degradation.weights
    others = [name for name in registry.second_names() if name != family.name and weights[name] > 0]
    mixed = family.takes_second and family.name in degradation.key_lights
    if not mixed or not others or chance >= degradation.mixture_probability:
        return None
    return registry.family(others[int(choice * len(others))])
