"""A light on a person: its place and shape are drawn once, its strength several times."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from numpy.random import Generator

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.family_options import raised
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.rng import part_of
from relight_assets.stages.degraded.direction import Direction, draw_direction
from relight_assets.stages.degraded.environments.panorama import Environments
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.gobos import Gobos

TRIES = 6
"""Strengths that are drawn for one light."""
MIN_FACE_LIGHT = {"mild": 0.0, "standard": 0.4, "strong": 0.55}
"""Spread of the light over a face below which another is drawn, stops: the share of pairs whose light is read."""
WITHOUT_PATTERN = 2.0
"""How much more of it there must be where no pattern's edges tell of the light."""
SECOND = "second_"
"""Begins the names of the numbers of a family that is added to another's light."""


class Attribute(str, Enum):
    """In one of these the lights of a photo may differ; families draw each from that part of a stream."""

    DIRECTION = "direction"
    SOFTNESS = "softness"
    COLOR = "color"
    STRENGTH = "strength"
    PATTERN = "pattern"


Streams = Callable[[str], Generator]
"""Gives the random stream of a purpose."""


@dataclass(frozen=True)
class Grain:
    """What of a highlight is finer than the working size.

    ``factor`` (h', w') float32, 0 or more, covers ``part``: rows and columns of the working image.
    """

    part: tuple[slice, slice]
    factor: Plane


AmbientShare = Callable[[], LinearRgb]
"""Gives a share of a light, (h, w, 3) float32 in 0..1; it is only asked for where the light itself is kept."""


@dataclass(frozen=True)
class Shading:
    """Light on a person, linear: ``albedo * light + highlight``, both (h, w, 3) float32, and what was drawn."""

    light: LinearRgb
    highlight: LinearRgb | None
    numbers: Numbers
    grain: Grain | None = None
    """Of the highlight; None: it has none."""
    ambient: AmbientShare | None = None
    """Which part of the light comes from no lamp; None: none of it. Factors on the light leave it as it is."""


@dataclass(frozen=True)
class SampledLight:
    """A light whose place and shape are drawn.

    ``render(rng, strength_bias)`` draws its strength: with a bias of 0 from the whole ranges, with 1 the strongest.
    """

    direction: Direction
    """Toward the key light."""
    numbers: Numbers
    render: Callable[[Generator, float], Shading]
    on_face: float = 1.0
    """Share of the usual spread of light over a face that is enough: some lights are seen beside it."""
    first_try: int = 0
    """Number of the first of its strengths that can do: with those before it the face would be flat."""
    by_level: float = 1.0
    """Share of the family's ``min_strength`` that is enough: what changes colours is seen at the same luminance."""
    without_pattern: "Callable[[], SampledLight] | None" = None
    """Gives the same light with nothing between lamp and person; None: nothing is there."""
    fixed: frozenset[Attribute] = frozenset()
    """Attributes that its family draws again and this one has not: a ring around the camera has one place."""
    visible: Callable[[], Plane] | None = None
    """Gives how much of the lamp each point sees, (h, w) float32 in 0..1; None: all of it, everywhere."""


@dataclass(frozen=True)
class LightSampler:
    """What lights are drawn from: a person, a recipe and the random streams."""

    scene: Scene
    degradation: Degradation
    sampling: LightSampling
    streams: Streams
    gobos: Gobos = field(default_factory=dict)
    environments: Environments = field(default_factory=dict)
    least_elevation: float = 0.0
    """Degrees, at least, of a key light, as far as the recipe allows that."""

    def key_light(self, purpose: str, elevations: tuple[float, float]) -> Direction:
        """Draw the place of a key light, away from the photo's own light where that is known.

        Args:
            purpose: of the random stream.
            elevations: of the family, degrees.
        """
        own_light = self.scene.source_light.direction
        allowed = raised(self.sampling.elevations(elevations), self.least_elevation)
        return draw_direction(part_of(self.streams(purpose), Attribute.DIRECTION), allowed, self.sampling, own_light)


def second_numbers(numbers: Numbers) -> Numbers:
    """The numbers of a family that is added to another's light, as the record names them."""
    return {f"{SECOND}{name}": value for name, value in numbers.items()}
