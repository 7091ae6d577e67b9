"""What a light family is: one object that says how its lights are drawn, rendered, mixed and recorded."""

from collections.abc import Callable
from dataclasses import dataclass

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.family_options import FamilyOptions
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight
from relight_assets.stages.metric import Metric


@dataclass(frozen=True, eq=False)
class LightFamily:
    """A light family.  Its module in ``families`` holds one as ``FAMILY``."""

    name: str
    """That of its section in the recipe, and of its random streams."""
    options: type[FamilyOptions]
    """Its section in the recipe: weight and ranges."""
    sample: Callable[[LightSampler], SampledLight]
    """Draws the place and the shape of a light."""
    add: Callable[[LightSampler, SampledLight], SampledLight] | None = None
    """Adds this family to another's light, under the same lamp; None: it is never a second family."""
    metrics: tuple[Metric, ...] = ()
    """The numbers that its lights record, beyond those of every light (``stages/degraded/metrics.py``)."""
    second_metrics: tuple[Metric, ...] = ()
    """Those that it records when it is added to another's light; in the record their names begin with ``second_``."""
    least_elevation: float = 0.0
    """Degrees, at least, of the other family's lamp where this one is added to it, as far as the recipe allows that."""
    takes_second: bool = True
    """Whether another family may be added to its lights."""
    holds_lit_skin: bool = False
    """Whether the camera sets its lights by the face's lit skin as well, beside the whole person."""
    remedy: str = "widen its ranges"
    """What to change in the recipe when its lights are too weak."""

    varies: frozenset[Attribute] = frozenset()
    """Attributes that it draws from parts of its streams, so that a light can be drawn again with another one."""

    def min_strength(self, degradation: Degradation) -> float:
        """The smallest strength of a pair, stops; 0 for a family without a key light."""
        options = degradation.key_lights.get(self.name)
        return 0.0 if options is None else options.min_strength
