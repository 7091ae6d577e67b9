"""Every number that a record may hold of a stage: its name, type, unit and range, and whether it may be null.

This is the published schema of ``stages.<stage>.numbers``.  A metric that does not fit it says nothing: readers leave
it out, ``relight verify`` names it, and the picture that it was measured of stays current.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from relight_assets.config.recipe.lights import family_names
from relight_assets.stages.degraded.families.registry import second_names
from relight_assets.stages.registry import Stage

UNIT_TOLERANCE = 1e-3
"""By which the length of a unit vector may differ from 1."""
_SHOWN = 60
"""Characters of a value that a sentence about it shows."""


@dataclass(frozen=True)
class Kind:
    """What a value must be: as msgspec checks it, and in words.  An object has ``parts``."""

    type: Any
    words: str | Callable[[], str]
    parts: tuple["Metric", ...] = ()

    @property
    def text(self) -> str:
        """In words."""
        return self.words if isinstance(self.words, str) else self.words()


@dataclass(frozen=True)
class Metric:
    """One number of a record."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    null: bool = False
    """Whether it may be null: there was nothing to measure."""
    required: bool = False
    """Whether every record has it, whatever was drawn."""


class UnitVector(tuple[float, ...]):
    """Three finite numbers, of length 1 within ``UNIT_TOLERANCE``."""

    __slots__ = ()


class FamilyName(str):
    """A family of light that is registered when the name is checked."""

    __slots__ = ()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Those there are."""
        return family_names()


class SecondFamilyName(FamilyName):
    """A family that can be added to another's light; "" for none."""

    __slots__ = ()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Those there are."""
        return ("", *second_names())


def _number(low: float, high: float) -> Kind:
    # Bounds refuse what is not finite, too.
    return Kind(Annotated[float, Meta(ge=low, le=high)], f"number, {low:g} to {high:g}")


def _whole(low: int, high: int) -> Kind:
    return Kind(Annotated[int, Meta(ge=low, le=high)], f"whole number, {low} to {high}")


def _one_of(*names: str) -> Kind:
    return Kind(Literal[names], _one_of_text(names))


def _one_of_text(names: Sequence[str]) -> str:
    return "one of " + ", ".join(f"`{name}`" for name in names)


def _family(names: type[FamilyName]) -> Kind:
    return Kind(names, lambda: _one_of_text(names.names()))


def _list(each: Kind, least: int, most: int) -> Kind:
    count = f"{least}" if least == most else f"{least} to {most}"
    return Kind(Annotated[list[each.type], Meta(min_length=least, max_length=most)], f"list of {count}: {each.text}")  # type: ignore[name-defined]


def _object(name: str, parts: Sequence[Metric]) -> Kind:
    return Kind(_struct(name, parts), "object", tuple(parts))


def _struct(name: str, parts: Sequence[Metric]) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    # In the order of records, in which msgspec finds them soonest.
    for part in sorted(parts, key=lambda each: each.name):
        held = part.kind.type | None if part.null else part.kind.type
        fields.append((part.name, held) if part.required else (part.name, held | UnsetType, UNSET))
    return msgspec.defstruct(name, fields, kw_only=True, gc=False, forbid_unknown_fields=True)


_SHARE, _FLAG, _TEXT = _number(0, 1), Kind(bool, "true or false"), Kind(str, "text")
_PIXELS, _COUNT, _KELVIN = _number(0, 1e6), _whole(0, 10_000), _number(1667, 25_000)
_RATIO, _SIGNED, _SIZES = _number(0, 1e9), _number(-1, 1), _number(0, 10)
_HEX = Kind(Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")], "64 hexadecimal digits")
_UNIT = Kind(UnitVector, "unit vector: x right, y down, z to the camera")
_PATTERNS = _one_of("none", "foliage", "blinds", "window", "edge", "blob", "lattice", "custom")
_MESH = _object(
    "FaceMesh",
    [
        Metric(
            "origin", _list(_number(-1e6, 1e6), 2, 2), "x and y that points are counted from", "pixels", required=True
        ),
        Metric("step", _number(0, 1e6), "of which points are multiples", "pixels", required=True),
        Metric("points", _TEXT, "base64 of 468 times x, y and z, int16", "steps", required=True),
    ],
)

MASKS = (
    Metric("score", _SHARE, "Mean probability inside the mask; of SAM3 the first person's score", required=True),
    Metric("instance_scores", _list(_SHARE, 1, 10_000), "Of each person that SAM3 found"),
    Metric("segmenter", _TEXT, "Its name", required=True),
    Metric("segmenter_sha256", _TEXT, "Of its weights", required=True),
    Metric("coverage", _SHARE, "Share of the picture that is the person", required=True),
    Metric("subject_size", _PIXELS, "Root of the person's area", "pixels", required=True),
    Metric("soft_edge", _SHARE, "Share of the picture in which alpha is neither 0 nor 1", required=True),
    Metric("touches_top", _SHARE, "Share of the upper edge that is the person", required=True),
    Metric("clipped", _SHARE, "Share of the person of which a channel is at its end", required=True),
    Metric("face_clipped", _SHARE, "The same of the largest face", null=True, required=True),
    Metric("skin_lightness", _number(0, 100), "Median of the largest face", "CIE L*", null=True, required=True),
    Metric("lightness", _number(0, 100), "Median of the person", "CIE L*", required=True),
    Metric("chroma", _number(0, 200), "Mean of the person", "CIE chroma", required=True),
    Metric("face_size", _PIXELS, "Half of the largest face's height", "pixels", null=True, required=True),
    Metric("sharpness", _RATIO, "Variance of the Laplacian over the face's own", null=True, required=True),
    Metric("light_contrast", _number(0, 64), "How uneven the light on the face is", "stops", required=True),
    Metric("second_person", _FLAG, "There may be another person", required=True),
    Metric("truncated", _FLAG, "The person is cut off at the top, or at both sides", required=True),
    Metric("padded", _FLAG, "Filled up by a mirror image, with the person in it", required=True),
    Metric("monochrome", _FLAG, "Black and white", required=True),
    Metric("blocky", _FLAG, "The squares of a JPEG show", required=True),
    Metric("faces", _COUNT, "Faces that were found", required=True),
    Metric("face_meshes", _list(_MESH, 0, 10_000), "Their points", required=True),
    Metric(
        "face_presence", _number(-1e6, 1e6), "Of the largest face, by its network", "logit", null=True, required=True
    ),
    Metric("fingerprint", _HEX, "Difference hash of the photo", required=True),
)

ALBEDO = (
    Metric("method", _one_of("retinex", "retinex_fast", "msr_classic", "learned"), "How it was found", required=True),
    Metric("surround", _one_of("edge_aware", "gaussian"), "Of the retinex"),
    Metric("strength", _SHARE, "Share of the shading that is taken out"),
    Metric("color_strength", _SHARE, "Share of slow colour drifts that is taken out"),
    Metric("gain", _number(0, 1000), "That brings the median brightness back"),
    Metric("shading_spread", _number(0, 100), "Standard deviation of what was taken out", "nepers"),
    Metric("subject_size", _PIXELS, "Root of the person's area", "pixels"),
)

SEEN = (
    Metric("identity", _SIGNED, "Correlation of the gradients of log luminance, before and after"),
    Metric("strength", _number(0, 64), "Standard deviation of the change of light", "stops"),
    Metric("exposure", _number(-64, 64), "Mean of the change of light", "stops"),
    Metric("lit_exposure", _number(-64, 64), "Upper quartile of the change of light", "stops"),
    Metric("clipping", _SIGNED, "Share of the person that is clipped, beyond the photo's own"),
    Metric("crushed", _SIGNED, "Share of the person that is black, beyond the photo's own"),
    Metric("chroma", _number(0, 180), "Mean angle between the colours of albedo and photo", "degrees"),
    Metric("rim", _RATIO, "Brightness of the outermost band against the next, over the photo's own"),
    Metric(
        "recomposition", _whole(0, 255), "Largest difference of foreground over background from the photo", "levels"
    ),
    Metric("comb", _number(-4, 4), "How jagged the histogram of the dark half is, beyond the photo's own"),
)

_SHADOW = (
    Metric("has_pattern", _FLAG, "Something stands in the light's way"),
    Metric("pattern_type", _PATTERNS, "What"),
    Metric("pattern_file", _TEXT, "Which of the user's own patterns"),
    Metric("pattern_rotation", _number(0, 360), "Turn of the pattern", "degrees"),
    Metric("pattern_tilt", _SIGNED, "Its far side against its near one", "1 / subject size"),
    Metric("pattern_offset", _list(_SIGNED, 2, 2), "Its place against the head's", "subject size"),
    Metric("pattern_coverage", _SHARE, "Share of the person that it covers"),
    Metric("pattern_face_coverage", _SHARE, "Share of the head that it covers"),
    Metric("pattern_wavelength", _SIZES, "Of leaves and blobs", "subject size"),
    Metric("pattern_periods", _list(_SIZES, 1, 2), "Of stripes", "subject size"),
    Metric("pattern_phases", _list(_SHARE, 1, 2), "Of stripes", "periods"),
    Metric("pattern_bend", _SHARE, "How crooked lines are", "subject size"),
    Metric("pattern_size", _list(_SIZES, 2, 2), "Width and height of a window", "subject size"),
    Metric("pattern_panes", _list(_number(1, 10), 2, 2), "Panes of a window, across and down"),
    Metric("pattern_bar", _SHARE, "Width of a window's bars", "panes"),
    Metric("pattern_width", _SIZES, "Of one of the user's own patterns", "subject size"),
    Metric("pattern_corner", _list(_SHARE, 2, 2), "Place in it that lies over the head's middle"),
    Metric("penumbra", _SHARE, "Width of the shadow's edge", "subject size"),
    Metric("penumbra_widening", _number(1, 10), "By how much it widens over the picture"),
    Metric("self_shadow", _FLAG, "The head throws a shadow on itself"),
    Metric("lamp_size", _SHARE, "Angular half size of the lamp", "radians"),
    Metric("subsurface", _SHARE, "How far red bleeds into the shadow", "subject size"),
    Metric("shadow_coverage", _SHARE, "Share of the person in shadow"),
    Metric("shadow_level", _SHARE, "Umbra over lit, linear"),
)

_HIGHLIGHT = (
    Metric("roughness", _SHARE, "GGX roughness of the skin"),
    Metric("shininess", _number(0, 2000), "The same as a Phong exponent"),
    Metric("highlight_temperatures", _list(_KELVIN, 1, 2), "Of each lamp", "kelvin"),
    Metric("highlight_lights", _list(_SIGNED, 3, 6), "Unit vectors to the lamps, one after the other"),
    Metric("specular_gain", _number(0, 3), "Gain over the physical lobe of skin"),
)

DEGRADED = (
    Metric("degradation_type", _family(FamilyName), "Family of light", required=True),
    Metric("light_direction", _UNIT, "Toward the key light", required=True),
    Metric("mixed_with", _family(SecondFamilyName), "Second family", required=True),
    Metric("exposure", _number(-4, 4), "That was drawn", "EV", required=True),
    Metric("exposure_gain", _RATIO, "Factor of the light", required=True),
    Metric("strength", _number(0, 64), "Standard deviation of the change of light", "stops", required=True),
    Metric("strength_tries", _whole(1, 6), "Strengths that were drawn", required=True),
    Metric("lights_drawn", _whole(1, 5), "Lights that were drawn until one spoils nothing"),
    Metric("flaw", _RATIO, "Worst flaw of the light, in units of what is borne"),
    Metric(
        "mask_rim",
        _RATIO,
        "Slope of the light across the face mesh's outline, over beside it",
        null=True,
        required=True,
    ),
    Metric("has_specular", _FLAG, "There are highlights", required=True),
    Metric("geometry", _TEXT, "Where the shape is from", required=True),
    Metric("geometry_faces", _COUNT, "Faces that give it", required=True),
    Metric("source_light_direction", _UNIT, "Toward the photo's own light", null=True, required=True),
    Metric("source_light_reliability", _SHARE, "How sure that is", required=True),
    Metric("light_angle_deg", _number(0, 180), "Between both lights", "degrees", null=True, required=True),
    Metric("patterns_sha256", _HEX, "Of the user's own patterns"),
    Metric("seen", _object("Seen", SEEN), "What was measured of the picture, at 256 pixels"),
    Metric("ambient", _SHARE, "Light that is everywhere, linear"),
    Metric("key_share", _SHARE, "Key light against fill"),
    Metric("wrap", _SHARE, "How far the key reaches around"),
    Metric("falloff", _number(0.5, 4), "Exponent of the key against the angle of incidence"),
    Metric("key_temperature", _KELVIN, "Of the key light", "kelvin"),
    Metric("key_tint", _SHARE, "How much of that colour is seen"),
    Metric("ambient_temperature", _KELVIN, "Of the ambient light", "kelvin"),
    Metric("ambient_tint", _SHARE, "How much of that colour is seen"),
    Metric("fill_lights", _list(_number(-90, 360), 2, 4), "Azimuth and elevation of each fill light", "degrees"),
    Metric("fill_sizes", _list(_SHARE, 1, 2), "Brightness of each, relative"),
    Metric("fill_damping", _list(_SHARE, 2, 4), "Of its harmonics, first and second order"),
    *(replace(each, required=each.name == "has_pattern") for each in _SHADOW),
    *_HIGHLIGHT,
    *(
        replace(each, name=f"second_{each.name}", meaning=f"{each.meaning} (second family)")
        for each in (*_SHADOW, *_HIGHLIGHT)
    ),
)
"""Of one light.  With ``variants: N`` the stage's numbers are ``{"variants": [...]}``, one of these for each light."""

COMPOSITES = (Metric("background", _one_of("gray", "original"), "What is behind the person", required=True),)

METRICS: dict[Stage, tuple[Metric, ...]] = {
    "masks": MASKS,
    "albedo": ALBEDO,
    "degraded": DEGRADED,
    "composites": COMPOSITES,
}
_BY_NAME = {stage: {metric.name: metric for metric in metrics} for stage, metrics in METRICS.items()}
_STRUCTS = {stage: _struct(stage.capitalize(), metrics) for stage, metrics in METRICS.items()}
_LIGHT: Any = _STRUCTS["degraded"]
_VARIANTS = msgspec.defstruct(
    "Variants", [("variants", Annotated[list[_LIGHT], Meta(min_length=1)])], gc=False, forbid_unknown_fields=True
)
_MISFIT = (msgspec.ValidationError, RecursionError, OverflowError)


def lights_of(numbers: Any) -> list[dict[str, Any]]:
    """The numbers of each light of an entry: of each variant, or the entry's own; what is no object has none."""
    variants = numbers.get("variants") if isinstance(numbers, dict) else None
    lights = variants if isinstance(variants, list) and variants else [numbers]
    return [light if isinstance(light, dict) else {} for light in lights]


def fitted(stage: Stage, numbers: Any) -> dict[str, Any]:
    """An entry's numbers as far as they fit: the very same object where all do.

    A metric of a wrong type, out of range or not finite is None, one that is not known is left out.  Never raises.
    """
    if _fits(numbers, _whole_of(stage, numbers)):
        return numbers
    if not isinstance(numbers, dict):
        return {}
    if stage == "degraded" and numbers.get("variants") and isinstance(numbers["variants"], list):
        return {"variants": [_fitted(DEGRADED, light) for light in lights_of(numbers)]}
    return _fitted(METRICS[stage], numbers)


def value_of(stage: Stage, numbers: Any, name: str) -> Any:
    """One metric of an entry, or of a light; None where it is absent, unknown, or does not fit.  Never raises."""
    metric = _BY_NAME[stage].get(name)
    return value_in(metric, numbers) if metric is not None and isinstance(numbers, dict) else None


def value_in(metric: Metric, numbers: dict[str, Any]) -> Any:
    """A metric of an object that may hold it; None as for :func:`value_of`."""
    value = numbers.get(metric.name)
    return value if value is not None and _fits(value, metric.kind.type) else None


def misfits(stage: Stage, numbers: Any) -> list[str]:
    """A short sentence for each metric of an entry that is missing, unknown, of a wrong type or out of range."""
    if _fits(numbers, _whole_of(stage, numbers)):
        return []
    if not isinstance(numbers, dict):
        return [f"the numbers of `{stage}` are no object"]
    if stage != "degraded" or "variants" not in numbers:
        return list(_misfits(METRICS[stage], numbers, f"{stage}."))
    variants = numbers["variants"]
    if not isinstance(variants, list) or not variants:
        return ["`degraded.variants` is no list of lights"]
    found = [f"`degraded.{name}` is not known" for name in numbers if name != "variants"]
    for number, light in enumerate(variants):
        where = f"degraded.variants[{number}]"
        found += _misfits(DEGRADED, light, f"{where}.") if isinstance(light, dict) else [f"`{where}` is no object"]
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


def _whole_of(stage: Stage, numbers: Any) -> type[msgspec.Struct]:
    several = stage == "degraded" and isinstance(numbers, dict) and "variants" in numbers
    return _VARIANTS if several else _STRUCTS[stage]


def _fits(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted, dec_hook=_custom)
    except _MISFIT:
        return False
    return True


def _custom(wanted: type, value: Any) -> UnitVector | FamilyName:
    if not issubclass(wanted, FamilyName):
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
