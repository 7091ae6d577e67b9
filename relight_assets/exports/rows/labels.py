"""The label table: every number of a record that is one value, as typed columns, a row for each pair."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from relight_assets.dataset.record_types import Record
from relight_assets.exports.base import Caption
from relight_assets.exports.rows.best import quality_of
from relight_assets.exports.rows.captions import MIN_RELIABILITY, angles, direction_words
from relight_assets.stages.base import Stage, StageSpec
from relight_assets.stages.metric import Metric
from relight_assets.stages.registry import stage_names, stage_spec

_PLACE = ("azimuth_deg", "elevation_deg", "direction_word")
FIRST = (
    "stem", "split", "image_path", "number", "variant", "target", "condition", "mask", "foreground", "albedo",
    "width", "height", "source_sha256", "target_sha256", "condition_sha256", "family",
    *(f"light_{name}" for name in _PLACE),
    *(f"photo_light_{name}" for name in _PLACE),
    "target_variant", "target_family", *(f"target_light_{name}" for name in _PLACE), "quality",
    "caption", "caption_source", "licence", "seed", "package_version",
)  # fmt: skip
"""The columns before those of the metrics."""


@cache
def metric_columns() -> Mapping[str, Metric]:
    """The columns of metrics, in order, and the metric of each."""
    return {column: metric for group in _groups() for column, metric in group.metrics}


@cache
def columns() -> tuple[str, ...]:
    """All columns of the table, in order."""
    return (*FIRST, *metric_columns())


@cache
def types() -> Mapping[str, type]:
    """What a column holds where it holds something: text, whole numbers, numbers, or true and false."""
    known = dict.fromkeys(FIRST, str) | dict.fromkeys(_WHOLE, int) | dict.fromkeys(_NUMBERS, float)
    return {**known, **{column: _type_of(metric) for column, metric in metric_columns().items()}}


_WHOLE = ("number", "variant", "width", "height", "target_variant", "seed")
_NUMBERS = ("quality", *(name for name in FIRST if name.endswith("_deg")))
_TYPES: Mapping[str, type] = {"number": float, "integer": int, "boolean": bool}


def _type_of(metric: Metric) -> type:
    return _TYPES.get(str(metric.kind.schema.get("type")), str)


@dataclass(frozen=True, slots=True)
class _Group:
    """The metrics of one value that a stage records, or an object within what it records."""

    stage: Stage
    within: str | None
    metrics: tuple[tuple[str, Metric], ...]
    """With their columns."""

    @classmethod
    def of(cls, spec: StageSpec, metrics: Iterable[Metric], within: str | None = None) -> "_Group":
        prefix = f"{spec.name}_{within}" if within is not None else spec.name
        return cls(spec.name, within, tuple((f"{prefix}_{each.name}", each) for each in metrics if _is_scalar(each)))

    def numbers(self, record: Record, variant: int) -> Mapping[str, Any]:
        """What one light of a record has of them; records have what fits alone."""
        entry = record.stages.get(self.stage)
        lights = entry.lights if entry is not None else [{}]
        light = lights[min(variant, len(lights) - 1)]
        return light if self.within is None else light.get(self.within) or {}


@cache
def _groups() -> tuple[_Group, ...]:
    # Of stages that every recipe asks for: the columns are the same for all splits.
    return tuple(group for stage in stage_names() for group in _groups_of(stage_spec(stage)))


def _groups_of(spec: StageSpec) -> Iterator[_Group]:
    yield _Group.of(spec, spec.metrics())
    yield from (_Group.of(spec, metric.kind.parts, metric.name) for metric in spec.metrics() if metric.kind.parts)


def _is_scalar(metric: Metric) -> bool:
    schema = metric.kind.schema
    return not metric.kind.parts and (
        "enum" in schema or schema.get("type") in {"number", "integer", "string", "boolean"}
    )


def metrics_of(record: Record, variant: int) -> Iterator[tuple[str, Any]]:
    """Column and value of every metric of one light of a record; None where it was not measured."""
    for group in _groups():
        numbers = group.numbers(record, variant)
        yield from ((column, numbers.get(metric.name)) for column, metric in group.metrics)


def place_of(prefix: str, direction: Any) -> dict[str, Any]:
    """Azimuth, elevation and word of a direction; None where it is not known."""
    if direction is None:
        return dict.fromkeys(f"{prefix}_{name}" for name in _PLACE)
    azimuth, elevation = angles((direction[0], direction[1], direction[2]))
    words = " ".join(direction_words((direction[0], direction[1], direction[2]))[:1])
    return dict(
        zip((f"{prefix}_{name}" for name in _PLACE), (round(azimuth, 3), round(elevation, 3), words), strict=True)
    )


def _fitting(number: int | None) -> int | None:
    """A whole number that tables can hold, in 64 bits; None for another, which only a damaged record has."""
    return number if number is not None and -(2**63) <= number < 2**63 else None


def labels_of(record: Record, variant: int, caption: Caption, given: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a pair, by column.

    Args:
        record: of the image.
        variant: of the light, from 0.
        caption: of the pair.
        given: what the record does not say: stem, split, files, sizes, licence.
    """
    lights = record.stages["degraded"].lights if "degraded" in record.stages else []
    light = lights[variant] if lights else {}
    target = lights[given["target_variant"]] if given.get("target_variant") is not None else {}
    reliable = (light.get("source_light_reliability") or 0.0) >= MIN_RELIABILITY
    first = {
        "image_path": record.image_path,
        "number": record.index,
        "variant": variant,
        "source_sha256": record.source.sha256,
        "family": light.get("degradation_type", record.degradation_type),
        **place_of("light", light.get("light_direction", record.light_direction)),
        **place_of("photo_light", light.get("source_light_direction") if reliable else None),
        "target_family": target.get("degradation_type"),
        **place_of("target_light", target.get("light_direction")),
        "caption": caption.text,
        "caption_source": caption.source,
        "seed": _fitting(record.seed),
        "package_version": record.package_version,
    } | dict(given)
    labels = {name: first.get(name) for name in FIRST} | dict(metrics_of(record, variant))
    labels["quality"] = quality_of(labels)
    return labels
