"""Reading ``config/mvp_config.yaml``: safe, strict, and kind to files written for the earlier scripts.

``SCRIPT_KEYS`` is the fixed table of what becomes of every key that the scripts' configuration had.
A key that is in neither that table nor the recipe is an error that names the nearest known one.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.config.recipe.gobos import with_gobos
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.types import Part
from relight_assets.config.yaml_reader import hide_address, odd_character, printable, read_yaml_mapping
from relight_assets.config.yaml_reader import shown as shown_text
from relight_assets.errors import ConfigError

HIDDEN_FAULT = "hidden"
"""The type of a fault whose input no message shows."""
MAX_FAULTS = 20
"""More mistakes than this are counted and not told one by one."""
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class ScriptKey:
    """What becomes of one key of the scripts' configuration.  ``pattern`` is a dotted name, ``*`` any text."""

    pattern: str
    fate: Literal["honoured", "converted", "ignored"]
    why: str


SCRIPT_KEYS: tuple[ScriptKey, ...] = (
    ScriptKey("sam3.text_prompt", "honoured", "the prompt of the SAM3 segmenter; selfie takes none"),
    ScriptKey("sam3.enabled", "ignored", "`segmenter` names the segmenter"),
    ScriptKey("sam3.multimask_output", "ignored", "all instances are looked at"),
    ScriptKey("sam2", "ignored", "there is no silent fallback to another segmenter"),
    ScriptKey("albedo_extraction.methods.retinex.enabled", "honoured", "false is an error: nothing would be left"),
    ScriptKey("albedo_extraction.methods.retinex.scales", "honoured", "used with `surround: gaussian`"),
    ScriptKey("albedo_extraction.methods.intrinsic_anything", "ignored", "a network of yours is `methods.learned`"),
    ScriptKey("albedo_extraction.methods.lab", "ignored", "it bleaches; retinex needs no fallback"),
    ScriptKey("albedo_extraction.selection", "ignored", "`mix` says how often each method is drawn"),
    ScriptKey(
        "albedo_extraction.blend_with_original", "ignored", "`retinex.strength` below 1 keeps some light instead"
    ),
    ScriptKey("degradation.soft_shading.weight", "honoured", ""),
    ScriptKey("degradation.soft_shading.ambient_range", "converted", "display values to linear light (sRGB decoding)"),
    ScriptKey(
        "degradation.soft_shading.specular_intensity_range",
        "converted",
        "a display-value step to a gain of the skin lobe",
    ),
    ScriptKey("degradation.soft_shading.shininess_range", "converted", "Phong exponent to GGX roughness"),
    ScriptKey(
        "degradation.soft_shading.normal_estimation", "ignored", "`geometry.source` says where the shape comes from"
    ),
    ScriptKey(
        "degradation.soft_shading.add_subtle_patterns", "ignored", "patterns belong to `hard_shadow`, see `kinds`"
    ),
    ScriptKey("degradation.soft_shading.pattern_*", "ignored", "patterns belong to `hard_shadow`, see `kinds`"),
    ScriptKey("degradation.hard_shadow.weight", "honoured", ""),
    ScriptKey("degradation.hard_shadow.opacity_range", "converted", "display opacity to umbra over lit, linear"),
    ScriptKey("degradation.hard_shadow.shadow_softness", "ignored", "see `penumbra_range`, relative to the subject"),
    ScriptKey("degradation.hard_shadow.blur_range", "ignored", "see `penumbra_range`, relative to the subject"),
    ScriptKey("degradation.hard_shadow.num_patterns", "ignored", "every image draws a pattern of its own"),
    ScriptKey("degradation.hard_shadow.use_patterns", "ignored", "see `kinds`"),
    ScriptKey("degradation.specular.weight", "honoured", ""),
    ScriptKey("degradation.specular.intensity_range", "converted", "a display-value step to a gain of the skin lobe"),
    ScriptKey("degradation.specular.shininess_range", "converted", "Phong exponent to GGX roughness"),
    ScriptKey("degradation.advanced_shading", "ignored", "its effects are part of the three families"),
    ScriptKey("light_sampling.method", "honoured", "uniform on the sphere, not in degrees"),
    ScriptKey("light_sampling.elevation_range", "honoured", "90 degrees is toward the camera"),
    ScriptKey("light_sampling.azimuth_range", "honoured", ""),
    ScriptKey("background.use_gray", "honoured", ""),
    ScriptKey("background.gray_color", "honoured", ""),
    ScriptKey("memory", "ignored", "memory in flight is bounded by the workers"),
    ScriptKey("paths", "ignored", "folders are in config/platform.yaml"),
    ScriptKey("pipeline", "ignored", "the stages are the Dagster assets"),
)
"""The scripts' keys, in the order of their file."""


@dataclass(frozen=True)
class LoadedRecipe:
    """A validated recipe and the warnings that reading it gave, one per ignored key."""

    recipe: Recipe
    warnings: tuple[str, ...]
    quality: Quality = DEFAULT_QUALITY
    """The thresholds that its file gives, in a section that belongs in ``config/platform.yaml``; no part of the recipe.

    ``model_fields_set`` says which it gives.
    """


def load_recipe(path: Path) -> LoadedRecipe:
    """Read and check a recipe file.

    Raises:
        ConfigError: names the file, the key, what was found, what is allowed and the nearest known key.
    """
    return parse_recipe(read_yaml_mapping(path), printable(path), path.absolute().parent)


def parse_recipe(data: Mapping[str, Any], origin: str, base: Path) -> LoadedRecipe:
    """Check a mapping with a recipe's keys; ``origin`` names it in messages, paths are relative to ``base``.

    Raises:
        ConfigError: see :func:`load_recipe`.
    """
    kept, ignored = _drop_ignored(data)
    warnings = [f"{origin}: `{key}` is ignored: {why}" for key, why in ignored]
    section = kept.pop("quality", None)
    if section is not None:
        warnings.append(
            f"{origin}: `quality` belongs in config/platform.yaml now and is no part of the recipe; move it there "
            f"(until then its values here go before those there)"
        )
    quality = parse_quality(section if section is not None else {}, origin)
    recipe = with_gobos(validate(Recipe, kept, origin), base, origin)
    retinex = recipe.albedo_extraction.methods.retinex
    if retinex.surround == "edge_aware" and retinex.scales != type(retinex)().scales:
        warnings.append(
            f"{origin}: `albedo_extraction.methods.retinex.scales` has no effect with `surround: edge_aware`, "
            f"whose radii follow the size of the subject; set `surround: gaussian` to use it"
        )
    extraction = recipe.albedo_extraction
    if extraction.mix.learned == 0 and extraction.methods.learned != type(extraction.methods.learned)():
        warnings.append(
            f"{origin}: `albedo_extraction.methods.learned` has no effect: `albedo_extraction.mix.learned` is 0"
        )
    shape = recipe.geometry
    warnings += [
        f"{origin}: `geometry.{key}` has no effect with `geometry.source: {shape.source}`"
        for key in type(shape).model_fields
        if key in shape.idle and getattr(shape, key) != getattr(type(shape)(), key)
    ]
    hard = recipe.degradation.hard_shadow
    if hard.gobo_dir is not None and hard.kinds.custom == 0:
        warnings.append(
            f"{origin}: `degradation.hard_shadow.gobo_dir` has no effect with `kinds.custom: 0`; give it a weight"
        )
    if recipe.segmenter == "selfie":
        idle = {
            "sam3.text_prompt": recipe.sam3.text_prompt != "person",
            "sam3.min_score": recipe.sam3.min_score != type(recipe.sam3)().min_score,
        }
        warnings += [f"{origin}: `{key}` has no effect with `segmenter: selfie`" for key in idle if idle[key]]
    return LoadedRecipe(recipe, tuple(warnings), quality)


class _WithQuality(Part):
    quality: Quality


def parse_quality(section: Any, origin: str) -> Quality:
    """Check a section ``quality``; ``origin`` names where it stands.

    Raises:
        ConfigError: see :func:`load_recipe`.
    """
    return validate(_WithQuality, {"quality": section}, origin).quality


def _drop_ignored(data: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    kept: dict[str, Any] = {}
    ignored: list[tuple[str, str]] = []
    for key, value in data.items():
        dotted = f"{prefix}{key}"
        rule = next((k for k in SCRIPT_KEYS if k.fate == "ignored" and fnmatchcase(dotted, k.pattern)), None)
        if rule is not None:
            ignored.append((dotted, rule.why))
        elif isinstance(value, dict):
            kept[key], below = _drop_ignored(value, f"{dotted}.")
            ignored.extend(below)
        elif value is not None or dotted == "image_size":
            kept[key] = value  # a key with nothing after it is a key left at its default
    return kept, ignored


def validate(model: type[ModelT], data: Mapping[str, Any], origin: str) -> ModelT:
    """Check ``data`` strictly (no text for numbers) against a model.

    Raises:
        ConfigError: one line per fault, each with file, key, what was found and what is allowed; the first few.
    """
    try:
        # By way of JSON: pydantic's strict mode then takes lists for tuples and integers for floats, no more.
        return model.model_validate_json(_as_json(data, origin), strict=True)
    except ValidationError as error:
        known = sorted(_known_keys(model))
        faults = error.errors(include_url=False)
        lines = [_fault(fault, known) for fault in faults[:MAX_FAULTS]]
        if len(faults) > MAX_FAULTS:
            lines.append(f"and {len(faults) - MAX_FAULTS} more mistakes")
        raise ConfigError("\n".join(f"{origin}: {line}" for line in lines)) from None


def _as_json(data: Mapping[str, Any], origin: str) -> str:
    try:
        text = json.dumps(data, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):  # a number of thousands of digits, or what holds itself
        raise ConfigError(f"{origin}: a value in it is no plain data, or too large") from None
    if (odd := odd_character(text)) is not None:
        raise ConfigError(f"{origin}: a text in it holds {odd}")
    return text


_PLAIN_WORDS = {
    "missing": "a value is missing here",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "tuple_type": "must be a list, such as [0.1, 0.5]",
    "model_type": "must be a section of `key: value` lines",
    "model_attributes_type": "must be a section of `key: value` lines",
    "too_long": "has too many values",
}


def _fault(fault: Mapping[str, Any], known: list[str]) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{shown_text(part)}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "extra_forbidden":
        return f"unknown key `{key}`{_nearest(key, known)}"
    rule = _PLAIN_WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    rule = rule.replace("Input should be", "must be")
    # A rule over a whole section names its values itself; the section in full would drown it.
    over_section = fault["type"] == "value_error" and isinstance(fault["input"], dict)
    found = "" if over_section or fault["type"] == HIDDEN_FAULT else f"found {_shown(fault['input'])}; "
    return f"`{key}`: {found}{rule}" if key else f"{found}{rule}"


def _nearest(key: str, known: list[str]) -> str:
    parent, _, name = key.rpartition(".")
    siblings = [k for k in known if k.rpartition(".")[0] == parent]
    by_name = {k.rpartition(".")[2]: k for k in [*known, *siblings]}
    close = difflib.get_close_matches(name, by_name, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{by_name[close[0]]}`?"
    allowed = ", ".join(f"`{k.rpartition('.')[2]}`" for k in siblings)
    return f"; allowed here: {allowed}" if allowed else ""


def _known_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _known_keys(field.annotation, f"{prefix}{name}.")


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(value, default=str)
    if hide_address(text) != text:
        return "an address, which is not shown"
    return text if len(text) <= 80 else f"{text[:77]}..."
