"""What the records of a split say, number by number: for charts, for its worst images, and to notice drift.

A metric that a record does not have, or that does not fit its schema, is not counted; all others of that image are.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from relight_assets.config.recipe.degradation import family_names
from relight_assets.dataset.metrics import fitted, fitted_family, is_drawn, lights_of, value_in, value_of
from relight_assets.dataset.record_types import Record
from relight_assets.engine.state.recorded import RecordedImage
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.light_distribution import Vector
from relight_assets.quality.measured import Measured
from relight_assets.stages.albedo.evaluation import albedo_tags
from relight_assets.stages.albedo.evaluation.albedo_metrics import AlbedoMetrics
from relight_assets.stages.base import Stage
from relight_assets.stages.degraded.metrics import MEASURED
from relight_assets.stages.image_metrics import ImageMetrics
from relight_assets.stages.masks import photo_tags
from relight_assets.stages.registry import all_stage_names

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
KEY_TEMPERATURE: tuple[Stage, str] = ("degraded", "key_temperature")
SOURCE_SOFTNESS: tuple[Stage, str] = ("degraded", "source_light_softness")
TAGS: dict[Stage, tuple[str, ...]] = {"masks": photo_tags.NAMES, "albedo": albedo_tags.NAMES}
"""The tags of a photo, and those of its albedo."""
MIN_IMAGES = 30
"""With fewer, a mean says little."""
_ROUNDING = 1e-6
"""What a spread that was kept may have lost."""


@dataclass
class StageSums:
    """The sums of every number that the records of one stage hold."""

    sums: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, numbers: dict[str, Any]) -> None:
        """Add an image's numbers, each that is one; text is left to whoever counts it."""
        for name, value in numbers.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self.sums[name] += value  # type: ignore[assignment]
                self.counts[name] += 1

    def mean(self, name: str) -> float | None:
        """The mean of a number over the images that have it."""
        return self.sums[name] / self.counts[name] if self.counts[name] else None


@dataclass
class RecordSums:
    """Sums over the current stages of records, added one after the other."""

    stages: dict[Stage, StageSums] = field(default_factory=lambda: {stage: StageSums() for stage in all_stage_names()})
    families: Counter[str] = field(default_factory=Counter)
    """Of light, over all drawn lights."""

    def add(self, image: RecordedImage) -> None:
        """Add one image."""
        for stage in image.current:
            for light in filter(is_drawn, lights_of(fitted(stage, image.record.stages[stage].numbers))):
                self.stages[stage].add(light)
                if stage == "degraded" and light.get("degradation_type") is not None:
                    self.families[light["degradation_type"]] += 1


@dataclass
class SplitStatistics:
    """What the records of a split say, added one after the other, so that none need be kept."""

    values: dict[tuple[Stage, str], dict[int, float]] = field(
        default_factory=lambda: {measure: {} for measure in (*MEASURES, KEY_TEMPERATURE, SOURCE_SOFTNESS)}
    )
    """Recorded numbers by the image's number; of several lights the first one's: they are drawn alike."""
    families: dict[int, str] = field(default_factory=dict)
    """The family of light of every image that has one, by the image's number."""
    tags: Counter[str] = field(default_factory=Counter)
    """How many of the images whose stage is current have each tag."""
    light_directions: list[Vector] = field(default_factory=list)
    """Unit vectors to the key lights of all drawn lights: x right, y down, z to the camera."""
    source_lights: dict[int, Vector] = field(default_factory=dict)
    """Those to the photos' own lights, where these are known, by the image's number."""

    def add(self, image: RecordedImage) -> None:
        """Add one image."""
        record = image.record
        for (stage, name), found in self.values.items():
            if stage in image.current:
                value = value_of(stage, _lights(record, stage)[0], name)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found[record.index] = float(value)
        for stage, names in TAGS.items():
            if stage in image.current:
                numbers = record.stages[stage].numbers
                self.tags.update(name for name in names if value_of(stage, numbers, name) is True)
        if "degraded" in image.current:
            if (family := fitted_family(record.degradation_type)) is not None:
                self.families[record.index] = family
            if (source := _vector(_lights(record, "degraded")[0], "source_light_direction")) is not None:
                self.source_lights[record.index] = source
            drawn = filter(is_drawn, _lights(record, "degraded"))
            lights = (_vector(light, "light_direction") for light in drawn)
            self.light_directions += [light for light in lights if light is not None]


def statistics_of(images: Iterable[RecordedImage]) -> SplitStatistics:
    """The statistics of some images."""
    statistics = SplitStatistics()
    for image in images:
        statistics.add(image)
    return statistics


def rejected_skins(state: SplitState) -> list[float]:
    """CIE L* of the face of each photo that the recipe's `photo_qa` rejected and that has one."""
    failures = (image.failure for image in state.images.values())
    return [each.skin_lightness for each in failures if each is not None and each.skin_lightness is not None]


def _lights(record: Record, stage: Stage) -> list[dict[str, Any]]:
    """The numbers of each light of a stage; of none where the record has not that stage."""
    return lights_of(record.stages[stage].numbers) if stage in record.stages else [{}]


def measured_of(record: Record, variant: int, metrics: ImageMetrics) -> Measured:
    """What was measured of one variant of an image, with what the record says of it."""
    lights = _lights(record, "degraded")
    light = lights[variant] if variant < len(lights) else {}
    masks, albedo = (record.stages[stage].numbers if stage in record.stages else {} for stage in ("masks", "albedo"))
    return Measured(
        record.index,
        value_of("degraded", light, "degradation_type"),
        _vector(light, "light_direction"),
        value_of("masks", masks, "skin_lightness"),
        metrics,
        source_light=_vector(light, "source_light_direction"),
        patterned=value_of("degraded", light, "has_pattern") is True,
        mask_rim=value_of("degraded", light, "mask_rim"),
        person_evidence=value_of("masks", masks, "person_evidence"),
        undecided=value_of("masks", masks, "undecided"),
        cutout_stairs=value_of("masks", masks, "cutout_stairs"),
        cutout_speckle=value_of("masks", masks, "cutout_speckle"),
        cutout_see_through=value_of("masks", masks, "cutout_see_through"),
        cutout_rim=value_of("masks", masks, "cutout_rim"),
        albedo=AlbedoMetrics(**{each.name: value_of("albedo", albedo, each.name) for each in fields(AlbedoMetrics)}),
        eye_overlaps=tuple(value_of("degraded", light, "eye_overlap") or ()),
        source_sha256=record.source.sha256,
        variant=variant,
    )


def _vector(light: dict[str, Any], name: str) -> Vector | None:
    found = value_of("degraded", light, name)
    if found is None:
        return None
    x, y, z = found
    return x, y, z


def recorded_metrics(image: RecordedImage) -> Iterator[Measured]:
    """What the record of an image says of its finished images, as measured at reduced size when they were made."""
    if "composites" not in image.current:
        return
    for variant, light in enumerate(_lights(image.record, "degraded")):
        recorded = light.get("metrics") if is_drawn(light) else None
        if isinstance(recorded, dict):  # none was measured of a person of a few pixels
            metrics = ImageMetrics(**{metric.name: value_in(metric, recorded) for metric in MEASURED})
            yield measured_of(image.record, variant, metrics)


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


def spreads(statistics: SplitStatistics) -> dict[str, Spread]:
    """The spread of every measure that the split has, and of each family of light as a share (1 or 0 per image)."""
    found = {name: list(statistics.values[stage, name].values()) for stage, name in MEASURES}
    drawn = list(statistics.families.values())
    found |= {f"share_{family}": [float(one == family) for one in drawn] for family in family_names()}
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
