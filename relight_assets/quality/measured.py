"""What was measured of images, and the verdict on one metric over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from relight_assets.quality.light_distribution import Vector
from relight_assets.stages.albedo.evaluation.albedo_metrics import NOT_MEASURED, AlbedoMetrics
from relight_assets.stages.image_metrics import ImageMetrics

WORST = 8
"""Images that a verdict names."""
SOME = 20
"""Images of a family or a third of skins, for a median that says something."""


@dataclass(frozen=True)
class Measured:
    """An image and what was measured of it.  What its record does not have is None, and not counted."""

    index: int
    family: str | None
    light_direction: Vector | None
    skin_lightness: float | None
    metrics: ImageMetrics
    source_light: Vector | None = None
    """Toward the photo's own light, where it is known."""
    patterned: bool = False
    """The light falls through a pattern."""
    mask_rim: float | None = None
    """How steep the light is across the face mesh's outline, over beside it."""
    person_evidence: float | None = None
    """How strong the signs of a person are."""
    undecided: float | None = None
    """Share of the person in which colors cannot tell person from background."""
    cutout_stairs: float | None = None
    cutout_speckle: float | None = None
    cutout_see_through: float | None = None
    cutout_rim: float | None = None
    """What may be wrong with the cut-out: :class:`~relight_assets.stages.masks.cutout_metrics.CutoutMetrics`."""
    albedo: AlbedoMetrics = NOT_MEASURED
    """How its albedo stands to the photo."""
    eye_overlaps: tuple[float, ...] = ()
    """Of each eye with a catch-light in the photo, how much of it is still there."""
    source_sha256: str = ""
    """Of the photo's file: whose pair it is."""
    variant: int = 0
    """Which of the image's lights."""


@dataclass(frozen=True)
class Verdict:
    """One metric over all images."""

    metric: str
    images: int
    value: float
    """What is compared with the threshold: the value of the worst image, or of all of them."""
    bound: str
    passed: bool
    worst: tuple[int, ...] = ()
    """Numbers of the images that are worst, those first."""
    worst_values: tuple[float, ...] = ()
    """The value of each of them."""
    worst_variants: tuple[int, ...] = ()
    """Which of its lights it is; empty where that says nothing."""
    image: str = "output"
    """The artifact that shows it."""
    near_bound: bool = True
    """Whether the worst image is beyond the threshold, or not far from it."""


def values_of(found: Sequence[Measured], name: str) -> list[tuple[Measured, float]]:
    """A metric of the images that have it."""
    values = ((each, getattr(each.metrics, name)) for each in found)
    return [(each, value) for each, value in values if value is not None]
