"""The families of light as one thing: cast once, then shine with one drawn strength after another."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe import lights
from relight_assets.core.rng import log_uniform
from relight_assets.stages.degraded.direction import Direction, draw_direction
from relight_assets.stages.degraded.families import hard_shadow, soft_shading, specular
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.gobos import Gobos

SECOND_LAMP = 0.5
"""Probability that the specular family has two lamps."""

Streams = Callable[[str], Generator]
"""Gives the random stream of a purpose."""


@dataclass(frozen=True)
class Shine:
    """Light on a person: ``albedo * light + highlight``, both (h, w, 3) float32 linear, and what was drawn."""

    light: NDArray[np.float32]
    highlight: NDArray[np.float32] | None
    numbers: Numbers


@dataclass(frozen=True)
class Cast:
    """A light whose place and shape are drawn.

    ``shine(rng, push)`` draws its strength: ``push`` 0 from the whole ranges, 1 the strongest there is.
    """

    direction: Direction
    min_strength: float
    numbers: Numbers
    shine: Callable[[Generator, float], Shine]


@dataclass(frozen=True)
class Studio:
    """A person, a recipe and the random streams: all that a light is cast with."""

    scene: Scene
    degradation: lights.Degradation
    sampling: lights.LightSampling
    streams: Streams
    gobos: Gobos = field(default_factory=dict)

    def cast(self, family: str) -> Cast:
        """Draw the place and the shape of a light of a family."""
        casts = {
            "soft_shading": self._soft,
            "hard_shadow": self._hard,
            "specular": self._specular,
            "none": self._none,
        }
        return casts[family]()

    def mixed(self, first: Cast, second: str) -> Cast:
        """Add a second family under the same lamp: a shadow dims what there is, a highlight is added."""
        if second == "hard_shadow":
            return self._dimmed(first)
        if second == "specular":
            return self._glossed(first)
        return first

    def _key(self, purpose: str, elevations: tuple[float, float]) -> Direction:
        source = self.scene.source_light.direction
        return draw_direction(self.streams(purpose), self.sampling.elevations(elevations), self.sampling, source)

    def _soft(self) -> Cast:
        family = self.degradation.soft_shading
        light = self._key("soft_shading/light", family.elevation_range)
        soft = soft_shading.cast(self.scene, light, family, self.streams("soft_shading/shape"))
        glow = None
        if family.specular_gain[1] > 0:
            skin = self.streams("soft_shading/skin")
            glow = specular.cast(self.scene, [light], family.roughness, skin, soft.seen)

        def shine(rng: Generator, push: float) -> Shine:
            light, numbers = soft_shading.shine(
                self.scene, soft, family, rng, ambient_range=family.ambient_linear, push=push
            )
            if glow is None:
                return Shine(light, None, numbers)
            gain = specular.draw_gain(rng, family.specular_gain, push, glow.most)
            return Shine(light, glow.light * np.float32(gain), numbers | glow.numbers | {"specular_gain": gain})

        return Cast(light, family.min_strength, soft.numbers, shine)

    def _hard(self) -> Cast:
        family = self.degradation.hard_shadow
        light = self._key("hard_shadow/light", family.elevation_range)
        shadow = hard_shadow.cast(self.scene, light, family, self.streams("hard_shadow/shape"), self.gobos)

        def shine(rng: Generator, push: float) -> Shine:
            light, numbers = hard_shadow.shine(self.scene, shadow, family, rng, push=push)
            return Shine(light, None, numbers)

        return Cast(light, family.min_strength, shadow.numbers, shine)

    def _specular(self) -> Cast:
        family, base = self.degradation.specular, self.degradation.soft_shading
        lamps = [self._key("specular/light", family.elevation_range)]
        if self.streams("specular/lamps").random() < SECOND_LAMP:
            elevations = self.sampling.elevations(family.elevation_range)
            lamps.append(draw_direction(self.streams("specular/second_light"), elevations, self.sampling))
        soft = soft_shading.cast(self.scene, lamps[0], base, self.streams("specular/shape"))
        glow = specular.cast(self.scene, lamps, family.roughness, self.streams("specular/skin"), soft.seen)

        def shine(rng: Generator, push: float) -> Shine:
            light, numbers = soft_shading.shine(
                self.scene, soft, base, rng, ambient_range=family.ambient_linear, push=push
            )
            gain = specular.draw_gain(rng, family.gain, push, glow.most)
            return Shine(light, glow.light * np.float32(gain), numbers | {"specular_gain": gain})

        return Cast(lamps[0], family.min_strength, soft.numbers | glow.numbers, shine)

    def _none(self) -> Cast:
        flat = Shine(np.ones((*self.scene.shape, 3), np.float32), None, {})
        # Flat light comes from everywhere; toward the camera stands for that.
        return Cast(Direction(0.0, 0.0, 1.0), 0.0, {}, lambda _rng, _push: flat)

    def _dimmed(self, first: Cast) -> Cast:
        family = self.degradation.hard_shadow
        shadow = hard_shadow.cast(self.scene, first.direction, family, self.streams("second/shape"), self.gobos)
        level = log_uniform(self.streams("second/strength"), family.shadow_level)
        veil = np.float32(level) + np.float32(1 - level) * shadow.seen

        def shine(rng: Generator, push: float) -> Shine:
            lit = first.shine(rng, push)
            highlight = None if lit.highlight is None else lit.highlight * shadow.seen
            return Shine(lit.light * veil, highlight, lit.numbers)

        numbers = _second(shadow.numbers | {"shadow_level": level})
        pattern: Numbers = {key: shadow.numbers[key] for key in ("has_pattern", "pattern_type")}
        return Cast(first.direction, first.min_strength, first.numbers | numbers | pattern, shine)

    def _glossed(self, first: Cast) -> Cast:
        family = self.degradation.specular
        glow = specular.cast(self.scene, [first.direction], family.roughness, self.streams("second/skin"))
        gain = specular.draw_gain(self.streams("second/strength"), family.gain, 0.0, glow.most)
        more = glow.light * np.float32(gain)

        def shine(rng: Generator, push: float) -> Shine:
            lit = first.shine(rng, push)
            return Shine(lit.light, more if lit.highlight is None else lit.highlight + more, lit.numbers)

        numbers = _second(glow.numbers | {"specular_gain": gain})
        return Cast(first.direction, first.min_strength, first.numbers | numbers, shine)


def _second(numbers: Numbers) -> Numbers:
    return {f"second_{name}": value for name, value in numbers.items()}
