"""The numbers of records against their published schema, which is the stages' metrics.

A metric that does not fit says nothing: readers leave it out, ``relight verify`` names it, and the image that it was
measured of stays current.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from relight_assets.config.recipe.degradation import family_names
from relight_assets.stages.base import Stage, StageSpec
from relight_assets.stages.metric import UNIT_TOLERANCE, Kind, Metric, RegisteredName, UnitVector, struct_of
from relight_assets.stages.registry import stage_spec

_SHOWN = 60
"""Characters of a value that a sentence about it shows."""
_MISFIT = (msgspec.ValidationError, RecursionError, OverflowError)


def lights_of(numbers: Any) -> list[dict[str, Any]]:
    """The numbers of each light of an entry: of each variant, or the entry's own; what is no object has none."""
    variants = numbers.get("variants") if isinstance(numbers, dict) else None
    lights = variants if isinstance(variants, list) and variants else [numbers]
    return [light if isinstance(light, dict) else {} for light in lights]


def is_drawn(light: Mapping[str, Any]) -> bool:
    """Whether the numbers are those of a drawn light, not of a picture that was made of one."""
    return light.get("variant_kind", "light") == "light"


def renamed(stage: Stage, numbers: Any) -> Any:
    """An entry's numbers under the names that metrics have now: the very same object where all do."""
    names = stage_spec(stage).former_names
    if not any(old in light for light in lights_of(numbers) for old in names):
        return numbers
    lights = [{names.get(name, name): value for name, value in light.items()} for light in lights_of(numbers)]
    return {**numbers, "variants": lights} if isinstance(numbers.get("variants"), list) else lights[0]


def fitted(stage: Stage, numbers: Any) -> dict[str, Any]:
    """An entry's numbers as far as they fit: the very same object where all do.

    A metric of a wrong type, out of range or not finite is None, one that is not known is left out.  Never raises.
    """
    spec = stage_spec(stage)
    types = _types_of(spec)
    if _fits(numbers, types.of(spec, numbers)):
        return numbers
    if not isinstance(numbers, dict):
        return {}
    if spec.per_light and numbers.get("variants") and isinstance(numbers["variants"], list):
        return {"variants": [_fitted(types.metrics, light) for light in lights_of(numbers)]}
    return _fitted(types.metrics, numbers)


def value_of(stage: Stage, numbers: Any, name: str) -> Any:
    """One metric of an entry, or of a light; None where it is absent, unknown, or does not fit.  Never raises."""
    metric = _types_of(stage_spec(stage)).by_name.get(name)
    return value_in(metric, numbers) if metric is not None and isinstance(numbers, dict) else None


def value_in(metric: Metric, numbers: dict[str, Any]) -> Any:
    """A metric of an object that may hold it; None as for :func:`value_of`."""
    value = numbers.get(metric.name)
    return value if value is not None and _fits(value, metric.kind.type) else None


def misfits(stage: Stage, numbers: Any) -> list[str]:
    """A short sentence for each metric of an entry that is missing, unknown, of a wrong type or out of range."""
    spec = stage_spec(stage)
    types = _types_of(spec)
    if _fits(numbers, types.of(spec, numbers)):
        return []
    if not isinstance(numbers, dict):
        return [f"the numbers of `{stage}` are no object"]
    if not spec.per_light or "variants" not in numbers:
        return list(_misfits(types.metrics, numbers, f"{stage}."))
    variants = numbers["variants"]
    if not isinstance(variants, list) or not variants:
        return [f"`{stage}.variants` is no list of lights"]
    found = [f"`{stage}.{name}` is not known" for name in numbers if name != "variants"]
    for number, light in enumerate(variants):
        where = f"{stage}.variants[{number}]"
        found += _misfits(types.metrics, light, f"{where}.") if isinstance(light, dict) else [f"`{where}` is no object"]
    return found


def fitted_direction(value: Any) -> list[float] | None:
    """A unit vector: three finite numbers whose length is 1 within ``UNIT_TOLERANCE``; None for all else."""
    try:
        return value if _unit_vector(UnitVector, value) else None
    except (ValueError, OverflowError):
        return None


def fitted_family(value: Any) -> str | None:
    """A family of light; None for all else."""
    return value if isinstance(value, str) and value in family_names() else None


def fitted_timings(value: Any) -> dict[str, float]:
    """Milliseconds by step, those that are finite numbers of 0 or more."""
    # By hand, as 12,000 records are read for a plan.
    steps = value.items() if isinstance(value, dict) else ()
    return {step: spent for step, spent in steps if type(spent) in _NUMBERS and 0 <= spent <= _LONGEST_MS}


class _Types:
    """What the numbers of a stage are checked by."""

    def __init__(self, name: Stage, metrics: tuple[Metric, ...]) -> None:
        self.metrics = metrics
        self.by_name = {metric.name: metric for metric in metrics}
        self._one: Any = struct_of(name.capitalize(), metrics)
        lights = Annotated[list[self._one], Meta(min_length=1)]  # type: ignore[name-defined]
        self._variants = msgspec.defstruct("Variants", [("variants", lights)], gc=False, forbid_unknown_fields=True)
        # msgspec looks at a struct's fields when it is first used, and a second thread that meets it half-way crashes.
        for kind in (self._one, self._variants):
            msgspec.json.Decoder(kind, dec_hook=_custom)

    def of(self, spec: StageSpec, numbers: Any) -> Any:
        """The type of an entry's numbers: of one light, or of several variants."""
        return self._variants if spec.per_light and isinstance(numbers, dict) and "variants" in numbers else self._one


_types: dict[Stage, _Types] = {}
_MAKING = Lock()


def _types_of(spec: StageSpec) -> _Types:
    """The types of a stage, made anew where a family or a stage with other metrics was registered."""
    metrics, types = spec.metrics(), _types.get(spec.name)
    if types is not None and types.metrics is metrics:
        return types
    with _MAKING:
        types = _types.get(spec.name)
        if types is None or types.metrics is not metrics:
            types = _types[spec.name] = _Types(spec.name, metrics)
        return types


def _fits(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted, dec_hook=_custom)
    except _MISFIT:
        return False
    return True


def _custom(wanted: type, value: Any) -> UnitVector | RegisteredName:
    if not issubclass(wanted, RegisteredName):
        return _unit_vector(wanted, value)
    if not isinstance(value, str) or value not in wanted.names():
        raise ValueError("no family")
    return wanted(value)


def _unit_vector(_wanted: type, value: Any) -> UnitVector:
    if not (isinstance(value, list) and len(value) == 3):
        raise ValueError("no list of three")
    x, y, z = value
    if not (type(x) in _NUMBERS and type(y) in _NUMBERS and type(z) in _NUMBERS):
        raise ValueError("not of numbers")
    if not abs(math.hypot(x, y, z) - 1) <= UNIT_TOLERANCE:  # what is not a number, too
        raise ValueError("not of length 1")
    return UnitVector(value)


_NUMBERS = (float, int)
_LONGEST_MS = 1e9


def _fitted(metrics: Sequence[Metric], numbers: dict[str, Any]) -> dict[str, Any]:
    known = {metric.name: metric.kind for metric in metrics}
    return {name: _mended(known[name], value) for name, value in numbers.items() if name in known}


def _mended(kind: Kind, value: Any) -> Any:
    if _fits(value, kind.type):
        return value
    return _fitted(kind.parts, value) if kind.parts and isinstance(value, dict) else None


def _misfits(metrics: Sequence[Metric], numbers: dict[str, Any], prefix: str) -> Iterator[str]:
    known = {metric.name: metric for metric in metrics}
    for metric in metrics:
        if metric.required and metric.name not in numbers:
            yield f"`{prefix}{metric.name}` is missing"
    for name, value in numbers.items():
        if name not in known:
            yield f"`{prefix}{name}` is not known"
            continue
        kind, null = known[name].kind, known[name].null
        if _fits(value, kind.type) or (value is None and null):
            continue
        if kind.parts and isinstance(value, dict):
            yield from _misfits(kind.parts, value, f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}` is {_shown(value)}, wanted: {kind.text}{' or null' * null}"


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
