"""What the records of a split say, number by number: for charts, for its worst images, and to notice drift.

A metric that a record does not have, or that does not fit its schema, is not counted; all others of that image are.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from relight_assets.dataset.metrics import fitted_family, lights_of, value_in, value_of
from relight_assets.dataset.records import Record
from relight_assets.engine.state.scan import Survey
from relight_assets.quality.light_distribution import Vector
from relight_assets.quality.thresholds import Measured
from relight_assets.stages.base import Stage
from relight_assets.stages.degraded.metrics import MEASURED
from relight_assets.stages.image_metrics import ImageMetrics
from relight_assets.stages.masks import photo_tags

MEASURES: tuple[tuple[Stage, str], ...] = (
    ("masks", "coverage"),
    ("masks", "score"),
    ("masks", "faces"),
    ("masks", "clipped"),
    ("albedo", "shading_spread"),
    ("degraded", "strength"),
    ("degraded", "exposure"),
)
"""The recorded numbers whose distribution a split should keep."""
MIN_IMAGES = 30
"""With fewer, a mean says little."""
_ROUNDING = 1e-6
"""What a spread that was kept may have lost."""


def values(survey: Survey, stage: Stage, name: str) -> dict[int, float]:
    """A recorded number of every image for which the stage is current, by the image's number.

    Of several lights the first one's: they are drawn alike.
    """
    found: dict[int, float] = {}
    for image in survey.images.values():
        if image.record is not None and stage in image.current:
            value = value_of(stage, _lights(image.record, stage)[0], name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[image.record.index] = float(value)
    return found


def families(survey: Survey) -> dict[int, str]:
    """The family of light of every image that has one, by the image's number."""
    return {
        image.record.index: family
        for image in survey.images.values()
        if image.record is not None
        and "degraded" in image.current
        and (family := fitted_family(image.record.degradation_type)) is not None
    }


def tags(survey: Survey) -> dict[str, int]:
    """How many of the images with a current mask have each tag."""
    found: Counter[str] = Counter()
    for image in survey.images.values():
        if image.record is not None and "masks" in image.current:
            numbers = image.record.stages["masks"].numbers
            found.update(name for name in photo_tags.NAMES if value_of("masks", numbers, name) is True)
    return {name: found[name] for name in photo_tags.NAMES}


def rejected_skins(survey: Survey) -> list[float]:
    """CIE L* of the face of each photo that the recipe's `photo_qa` turned away and that has one."""
    failures = (image.failure for image in survey.images.values())
    return [each.skin_lightness for each in failures if each is not None and each.skin_lightness is not None]


def _lights(record: Record, stage: Stage) -> list[dict[str, Any]]:
    """The numbers of each light of a stage that the record has."""
    return lights_of(record.stages[stage].numbers)


def measured_of(record: Record, variant: int, metrics: ImageMetrics) -> Measured:
    """What was measured of one light of an image, with what the record says of it."""
    lights = _lights(record, "degraded")
    light = lights[variant] if variant < len(lights) else {}
    return Measured(
        record.index,
        value_of("degraded", light, "degradation_type"),
        _vector(light, "light_direction"),
        value_of("masks", record.stages["masks"].numbers, "skin_lightness") if "masks" in record.stages else None,
        metrics,
        source_light=_vector(light, "source_light_direction"),
        mask_rim=value_of("degraded", light, "mask_rim"),
        variant=variant,
    )


def _vector(light: dict[str, Any], name: str) -> Vector | None:
    found = value_of("degraded", light, name)
    if found is None:
        return None
    x, y, z = found
    return x, y, z


def recorded_metrics(survey: Survey) -> list[Measured]:
    """What the records say of every finished picture, as measured at reduced size when it was made."""
    found = []
    for image in survey.images.values():
        if image.record is not None and "composites" in image.current:
            for variant, light in enumerate(_lights(image.record, "degraded")):
                recorded = light.get("metrics")
                if isinstance(recorded, dict):  # none was measured of a person of a few pixels
                    metrics = ImageMetrics(**{metric.name: value_in(metric, recorded) for metric in MEASURED})
                    found.append(measured_of(image.record, variant, metrics))
    return sorted(found, key=lambda each: each.index)


def light_directions(survey: Survey) -> Iterator[Vector]:
    """Unit vectors to the key lights of all variants: x right, y down, z to the camera."""
    for image in survey.images.values():
        if image.record is not None and "degraded" in image.current:
            lights = (_vector(light, "light_direction") for light in _lights(image.record, "degraded"))
            yield from (light for light in lights if light is not None)


@dataclass(frozen=True)
class Spread:
    """How a number is spread over the images of a split."""

    images: int
    mean: float
    deviation: float
    """Standard deviation."""

    @classmethod
    def of(cls, numbers: list[float]) -> "Spread":
        """The spread of at least one number."""
        mean = math.fsum(numbers) / len(numbers)
        variance = math.fsum((number - mean) ** 2 for number in numbers) / len(numbers)
        return cls(len(numbers), mean, math.sqrt(variance))


def spreads(survey: Survey, shares: tuple[str, ...]) -> dict[str, Spread]:
    """The spread of every measure that the split has, and of each family of light as a share (1 or 0 per image)."""
    found = {name: list(values(survey, stage, name).values()) for stage, name in MEASURES}
    drawn = list(families(survey).values())
    found |= {f"share_{family}": [float(one == family) for one in drawn] for family in shares}
    return {name: Spread.of(numbers) for name, numbers in found.items() if numbers}


def drift(before: Spread, now: Spread) -> float:
    """How far a mean has moved, in standard deviations (Cohen's d, of both spreads pooled); 0 where chance could do it.

    Chance: three standard errors of the difference of two means.  Pooled, because before a rare thing was first seen
    nothing was spread.  Where nothing is spread at all, any move is one of a whole deviation.
    """
    moved = abs(now.mean - before.mean)
    pooled = math.sqrt((before.deviation**2 + now.deviation**2) / 2)
    error = pooled * math.sqrt(1 / before.images + 1 / now.images)
    if min(before.images, now.images) < MIN_IMAGES or moved <= max(3 * error, _ROUNDING):
        return 0.0
    return moved / pooled if pooled > _ROUNDING else 1.0
