"""The light of the user's own panoramas: harmonics of order 2, what skin mirrors, and the light that stands out.

A panorama is turned about the vertical until that light is seen on the face.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import Environment as Options
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, of_luminance_1, safe_ratio
from relight_assets.core.rng import part_of, uniform
from relight_assets.stages.degraded.environments.light import gloss, rest_light, turned, unshadowed
from relight_assets.stages.degraded.environments.panorama import Environment
from relight_assets.stages.degraded.environments.trial import trial_environment
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import (
    MIN_FACE_LIGHT,
    TRIES,
    WITHOUT_PATTERN,
    Attribute,
    LightSampler,
    SampledLight,
    Shading,
)
from relight_assets.stages.degraded.shading import highlights, lamp_place
from relight_assets.stages.degraded.shading.ambient import share_of
from relight_assets.stages.degraded.shading.lambert import wrapped_cosine
from relight_assets.stages.degraded.shading.lobe import Normals
from relight_assets.stages.degraded.shading.metrics import HIGHLIGHT, LAMP_COLOR, SELF_SHADOW
from relight_assets.stages.degraded.studio import lamps
from relight_assets.stages.metric import SHARE, TEXT, Metric, number
from relight_assets.stages.quantiles import quantile

TURNS, BEST, NEARLY = 24, 6, 0.25
"""Turns of a panorama that are compared; how many of the best one is drawn from, and by how much less, stops, those may
change the light on the face."""
WRAP = 0.10
"""How far the brightest light reaches around."""
GAINS = (0.5, 0.9)
"""Of its highlight over physical skin, where it is all of the light."""
ON_FACE = 0.65
"""Share of the usual light on the face that is enough: a panorama is seen by its colours as well."""
SURELY = 1.3
"""How much more than is asked for of the light on the face is looked for: the camera's curve may take some of it."""
EVEN_TAKEN, DARK = 0.8, 0.05
"""Share that is taken out of the light that comes from everywhere alike, which tells nothing of a light: of what this
quantile of the head has of it."""
FLOOR = 1e-3
"""Light that is added before the logarithm."""

_ENVIRONMENT = (
    Metric("environment", TEXT, "File name of the panorama"),
    Metric("environment_turn", number(0, 360), "Turn of the panorama about the vertical", "degrees"),
    Metric("environment_key_share", SHARE, "Share of its brightest light in what falls on the face"),
    Metric("environment_fill", SHARE, "How much of the panorama's other light is left"),
)


def sample(sampler: LightSampler) -> SampledLight:
    """Draw a panorama and its turn."""
    scene, options, streams = sampler.scene, sampler.degradation.environment, sampler.streams
    shape = streams("environment/shape")
    names = sorted(sampler.environments)
    name = names[int(shape.integers(len(names)))] if names else ""
    environment = sampler.environments[name] if names else trial_environment()
    turn = _turn(sampler, environment, part_of(shape, Attribute.DIRECTION))
    light = turned(environment.key, turn)
    size = environment.key_size
    key = lamps.beam(scene, light, shape, (size, size), wrap=WRAP)
    whole = rest_light(environment, scene.normals, turn)
    rest = _uneven(scene, whole)
    near, mirrored = scene.close_up.part, _mirrored(scene, environment, turn)
    mirrored *= np.float32(_level(scene, rest) / _level(scene, whole))
    skin = streams("environment/skin")
    shine = highlights.sample(scene, light, options.roughness, skin, key.of.visible, gloss=size > 0.2)
    toward = _brightness(environment)
    level = _level(scene, rest) + toward
    added = lamps.summed([(key.planes, np.array(environment.key_light, np.float32))])
    first_try, on_face = _first_try(sampler, added, rest)
    numbers: Numbers = {
        **key.of.numbers,
        "environment": name,
        "environment_turn": math.degrees(turn) % 360,
        "environment_key_share": toward / level,
    }

    def render(rng: Generator, strength_bias: float) -> Shading:
        low, high = options.fill_range
        fill = uniform(part_of(rng, Attribute.STRENGTH), (low, high))
        fill += (low - fill) * strength_bias
        light = (added + rest * np.float32(fill)) * np.float32(1 / level)
        drawn: Numbers = {"environment_fill": fill}
        lit = lamps.finished(scene, light, key.of.occlusion)

        def ambient_share() -> LinearRgb:
            return share_of(rest * np.float32(fill), added + rest * np.float32(fill))

        highlight = np.zeros_like(lit)
        highlight[near] = mirrored * np.float32(fill / level)
        shading = Shading(lit, highlight, drawn, ambient=ambient_share)
        if toward <= 0:
            return shading
        color = of_luminance_1(environment.key_light)
        gain = lamps.draw_gain(rng, GAINS) * toward / level
        shading = highlights.add_highlight(scene, shading, shine, gain, color=color)
        return replace(shading, numbers=shading.numbers | {"lamp_color": color.tolist()})

    return SampledLight(light, numbers, render, on_face=on_face, first_try=first_try, visible=lambda: key.of.visible)


def _first_try(sampler: LightSampler, added: LinearRgb, rest: LinearRgb) -> tuple[int, float]:
    """Number of the first strength with which the face is not flat, and the share of the usual spread that is enough.

    Told from the light on some of the face, so that no strength need be rendered to find out.  Where the face is flat
    with the strongest, what there is must do: no turn makes an even panorama less so.
    """
    low, high = sampler.degradation.environment.fill_range
    at = lamp_place.face_samples(sampler.scene)
    lamp, other = (luminance(light.reshape(-1, 3)[at][None])[0] for light in (added, rest))
    least = SURELY * ON_FACE * WITHOUT_PATTERN * MIN_FACE_LIGHT[sampler.degradation.intensity]
    spread = 0.0
    for attempt in range(TRIES):
        fill = low + (high - low) / 2 * (1 - attempt / (TRIES - 1))  # that of the middle of the range
        light = lamp + np.float32(fill) * other
        spread = float(np.log2(light + np.float32(FLOOR)).std(dtype=np.float64))
        if spread >= least:
            return attempt, ON_FACE
    return TRIES - 1, ON_FACE * spread / (least * SURELY)


def _turn(sampler: LightSampler, environment: Environment, rng: Generator) -> float:
    """Draw a turn, radians, among those that change the light on the face most, the brightest light where it may be."""
    allowed = sampler.sampling.elevations(sampler.degradation.environment.elevation_range)
    low, high = (math.sin(math.radians(end)) for end in allowed)
    own, change = sampler.scene.source_light.direction, lamp_place.change_of(sampler.scene)
    fill = sum(sampler.degradation.environment.fill_range) / 2

    def score(turn: float) -> float:
        light = turned(environment.key, turn)
        near = own is not None and light.angle(own) < sampler.sampling.min_light_angle
        outside = max(low - light.z, light.z - high, 0.0)
        found = change(lambda normals: _irradiance(environment, normals, turn, fill))
        return found - lamp_place.REFUSED * (outside + 0.5 * near)

    turns = 2 * math.pi * (np.arange(TURNS) + rng.random()) / TURNS
    scores = np.array([score(turn) for turn in turns.tolist()])
    best = np.argsort(-scores, kind="stable")[:BEST]
    good = best[scores[best] >= scores.max() - NEARLY]
    return float(turns[good[int(rng.integers(good.size))]])


def _irradiance(environment: Environment, normals: Normals, turn: float, fill: float) -> Plane:
    # Luminance, without shadows.
    light = turned(environment.key, turn)
    n_x, n_y, n_z = normals
    cosine = n_x * np.float32(light.x) + n_y * np.float32(light.y) + n_z * np.float32(light.z)
    key = wrapped_cosine(cosine, WRAP)
    rest = luminance(unshadowed(environment, normals, turn))
    return np.float32(FLOOR) + np.float32(fill) * rest + np.float32(_brightness(environment)) * key


def _brightness(environment: Environment) -> float:
    return luminance(np.array([[environment.key_light]], np.float32)).item()


def _uneven(scene: Scene, rest: LinearRgb) -> LinearRgb:
    # Each point keeps its color.
    light = luminance(rest)
    even = EVEN_TAKEN * quantile(light.ravel()[scene.head_samples], DARK)
    return rest * np.maximum(1 - safe_ratio(np.full_like(light, even), light), np.float32(1 - EVEN_TAKEN))[..., None]


def _level(scene: Scene, rest: LinearRgb) -> float:
    values = luminance(rest).ravel()[scene.head_samples]
    return max(quantile(values, 0.8), 1e-3)


def _mirrored(scene: Scene, environment: Environment, turn: float) -> LinearRgb:
    # Where skin shines: in the close-up alone, at working size.
    n_x, n_y, n_z = (np.ascontiguousarray(plane[scene.close_up.part]) for plane in scene.normals)
    weight = highlights.shining_skin(scene, sum(highlights.OIL) / 2)
    mirrored: LinearRgb = gloss(environment, (n_x, n_y, n_z), turn) * weight[..., None]
    return mirrored


FAMILY = LightFamily(
    "environment",
    Options,
    sample,
    metrics=(*_ENVIRONMENT, LAMP_COLOR, *SELF_SHADOW, *HIGHLIGHT),
    takes_second=False,
    holds_lit_skin=True,
    remedy="lower `fill_range`",
    varies=frozenset({Attribute.DIRECTION, Attribute.STRENGTH}),
)
