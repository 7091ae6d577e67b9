"""The label table: every number of a record that is one value, as typed columns, a row for each pair."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from relight_assets.dataset.metrics import value_in
from relight_assets.dataset.record_types import Record
from relight_assets.exports.base import Caption
from relight_assets.exports.rows.best import quality_of
from relight_assets.exports.rows.captions import MIN_RELIABILITY, angles, direction_words
from relight_assets.stages.base import StageSpec
from relight_assets.stages.metric import Metric
from relight_assets.stages.registry import stages

_PLACE = ("azimuth_deg", "elevation_deg", "direction_word")
FIRST = (
    "stem", "split", "image_path", "number", "variant", "target", "condition", "mask", "foreground", "albedo",
    "width", "height", "source_sha256", "target_sha256", "condition_sha256", "family",
    *(f"light_{name}" for name in _PLACE),
    *(f"photo_light_{name}" for name in _PLACE),
    "target_variant", "target_family", *(f"target_light_{name}" for name in _PLACE), "quality",
    "caption", "caption_source", "seed", "package_version",
)  # fmt: skip
"""The columns before those of the metrics."""


@cache
def columns() -> tuple[str, ...]:
    """All columns of the table, in order."""
    return (*FIRST, *(scalar.column for scalar in _scalars()))


@cache
def types() -> Mapping[str, type]:
    """What a column holds where it holds something: text, whole numbers, numbers, or true and false."""
    known = dict.fromkeys(FIRST, str) | dict.fromkeys(_WHOLE, int) | dict.fromkeys(_NUMBERS, float)
    return {**known, **{scalar.column: _type_of(scalar.metric) for scalar in _scalars()}}


_WHOLE = ("number", "variant", "width", "height", "target_variant", "seed")
_NUMBERS = ("quality", *(name for name in FIRST if name.endswith("_deg")))
_TYPES: Mapping[str, type] = {"number": float, "integer": int, "boolean": bool}


def _type_of(metric: Metric) -> type:
    return _TYPES.get(str(metric.kind.schema.get("type")), str)


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A metric of one value: of a stage, or within an object of it."""

    spec: StageSpec
    metric: Metric
    within: str | None = None

    @property
    def column(self) -> str:
        return "_".join(filter(None, (self.spec.name, self.within, self.metric.name)))


@cache
def _scalars() -> tuple[_Scalar, ...]:
    return tuple(scalar for spec in stages() for metric in spec.metrics() for scalar in _scalars_of(spec, metric))


def _scalars_of(spec: StageSpec, metric: Metric) -> Iterator[_Scalar]:
    if metric.kind.parts:
        yield from (_Scalar(spec, part, metric.name) for part in metric.kind.parts if _is_scalar(part))
    elif _is_scalar(metric):
        yield _Scalar(spec, metric)


def _is_scalar(metric: Metric) -> bool:
    schema = metric.kind.schema
    return not metric.kind.parts and (
        "enum" in schema or schema.get("type") in {"number", "integer", "string", "boolean"}
    )


def metrics_of(record: Record, variant: int) -> Iterator[tuple[str, Any]]:
    """Column and value of every metric of one light of a record; None where it was not measured."""
    for scalar in _scalars():
        entry = record.stages.get(scalar.spec.name)
        lights = entry.lights if entry is not None else [{}]
        numbers = lights[min(variant, len(lights) - 1)]
        if scalar.within is not None:
            held = numbers.get(scalar.within)
            numbers = held if isinstance(held, dict) else {}
        yield scalar.column, value_in(scalar.metric, numbers)


def place_of(prefix: str, direction: Any) -> dict[str, Any]:
    """Azimuth, elevation and word of a direction; None where it is not known."""
    if direction is None:
        return dict.fromkeys(f"{prefix}_{name}" for name in _PLACE)
    azimuth, elevation = angles((direction[0], direction[1], direction[2]))
    words = " ".join(direction_words((direction[0], direction[1], direction[2]))[:1])
    return dict(
        zip((f"{prefix}_{name}" for name in _PLACE), (round(azimuth, 3), round(elevation, 3), words), strict=True)
    )


def labels_of(record: Record, variant: int, caption: Caption, given: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a pair, by column.

    Args:
        record: of the image.
        variant: of the light, from 0.
        caption: of the pair.
        given: what the record does not say: stem, split, files, sizes.
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
        "seed": record.seed,
        "package_version": record.package_version,
    } | dict(given)
    labels = {name: first.get(name) for name in FIRST} | dict(metrics_of(record, variant))
    labels["quality"] = quality_of(labels)
    return labels
