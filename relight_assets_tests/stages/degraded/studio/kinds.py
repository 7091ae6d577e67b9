"""One kind of studio light on the made-up portrait."""

from functools import partial

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import Studio, StudioKinds
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.families import studio
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading
from relight_assets_tests.stages.degraded.scenes import face_scene


def only(kind: str, **options: object) -> Studio:
    weights = dict.fromkeys(StudioKinds.model_fields, 0.0) | {kind: 1.0}
    return Studio.model_validate({"kinds": weights} | options)


def lit(
    kind: str, seed: int, bias: float = 0.0, scene: Scene | None = None, **options: object
) -> tuple[SampledLight, Shading]:
    """A light of a kind, and what it does at a strength."""
    degradation = Degradation(studio=only(kind, **options))
    person = face_scene() if scene is None else scene
    sampled = studio.sample(LightSampler(person, degradation, LightSampling(), partial(stream, seed, "", 0)))
    return sampled, sampled.render(stream(seed, "", 0, "strength"), bias)
