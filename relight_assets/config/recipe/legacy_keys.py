"""The keys that the earlier scripts' configuration had, and what becomes of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal


@dataclass(frozen=True)
class ScriptKey:
    """What becomes of one key of the scripts' configuration.  ``pattern`` is a dotted name, ``*`` any text."""

    pattern: str
    fate: Literal["honoured", "converted", "ignored"]
    why: str


SCRIPT_KEYS: tuple[ScriptKey, ...] = (
    ScriptKey("sam3.text_prompt", "honoured", "the prompt of the SAM3 segmenter; selfie takes none"),
    ScriptKey("sam3.enabled", "ignored", "`segmenter` names the segmenter"),
    ScriptKey("sam3.multimask_output", "ignored", "all instances are used"),
    ScriptKey("sam2", "ignored", "relight never falls back silently to another segmenter"),
    ScriptKey("albedo_extraction.methods.retinex.enabled", "honoured", "false is an error: no method would be left"),
    ScriptKey("albedo_extraction.methods.retinex.scales", "honoured", "used with `surround: gaussian`"),
    ScriptKey(
        "albedo_extraction.methods.intrinsic_anything", "ignored", "use `methods.learned` for your own ONNX model"
    ),
    ScriptKey("albedo_extraction.methods.lab", "ignored", "it bleaches colors; retinex needs no fallback"),
    ScriptKey("albedo_extraction.selection", "ignored", "`mix` sets how often each method is drawn"),
    ScriptKey("albedo_extraction.blend_with_original", "ignored", "use `retinex.strength` below 1 to keep some light"),
    ScriptKey("degradation.soft_shading.weight", "honoured", ""),
    ScriptKey("degradation.soft_shading.ambient_range", "converted", "display values to linear light (sRGB decoding)"),
    ScriptKey(
        "degradation.soft_shading.specular_intensity_range",
        "converted",
        "a display-value step to a gain of the skin lobe",
    ),
    ScriptKey("degradation.soft_shading.shininess_range", "converted", "Phong exponent to GGX roughness"),
    ScriptKey("degradation.soft_shading.falloff_range", "ignored", "of versions up to 0.2: the lamp has no falloff"),
    ScriptKey(
        "degradation.soft_shading.self_shadow_probability", "ignored", "of versions up to 0.2: it always shadows itself"
    ),
    ScriptKey("degradation.soft_shading.ambient_tint", "ignored", "of versions up to 0.2: it is 0.5"),
    ScriptKey("degradation.soft_shading.normal_estimation", "ignored", "`geometry.source` selects the shape"),
    ScriptKey(
        "degradation.soft_shading.add_subtle_patterns", "ignored", "patterns belong to `hard_shadow`, see `kinds`"
    ),
    ScriptKey("degradation.soft_shading.pattern_*", "ignored", "patterns belong to `hard_shadow`, see `kinds`"),
    ScriptKey("degradation.hard_shadow.weight", "honoured", ""),
    ScriptKey("degradation.hard_shadow.opacity_range", "converted", "display opacity to umbra over lit, linear"),
    ScriptKey("degradation.hard_shadow.shadow_softness", "ignored", "see `penumbra_range`, relative to the subject"),
    ScriptKey("degradation.hard_shadow.blur_range", "ignored", "see `penumbra_range`, relative to the subject"),
    ScriptKey("degradation.hard_shadow.num_patterns", "ignored", "every image draws its own pattern"),
    ScriptKey("degradation.hard_shadow.use_patterns", "ignored", "see `kinds`"),
    ScriptKey(
        "degradation.hard_shadow.self_shadow_probability", "ignored", "of versions up to 0.2: it always shadows itself"
    ),
    ScriptKey("degradation.specular.weight", "honoured", ""),
    ScriptKey("degradation.specular.intensity_range", "converted", "a display-value step to a gain of the skin lobe"),
    ScriptKey("degradation.specular.shininess_range", "converted", "Phong exponent to GGX roughness"),
    ScriptKey("degradation.advanced_shading", "ignored", "its effects are part of the other families"),
    ScriptKey("light_sampling.method", "honoured", "uniform on the sphere, not in degrees"),
    ScriptKey("light_sampling.elevation_range", "honoured", "90 degrees is toward the camera"),
    ScriptKey("light_sampling.azimuth_range", "honoured", ""),
    ScriptKey("background.use_gray", "honoured", ""),
    ScriptKey("background.gray_color", "honoured", ""),
    ScriptKey("memory", "ignored", "workers bound their own memory"),
    ScriptKey("paths", "ignored", "folders are in config/platform.yaml"),
    ScriptKey("pipeline", "ignored", "the stages are the Dagster assets"),
)
"""The scripts' keys, in the order of their file."""


def drop_ignored(data: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A recipe file's keys without those that are ignored; these, dotted, each with the reason."""
    kept: dict[str, Any] = {}
    ignored: list[tuple[str, str]] = []
    for key, value in data.items():
        dotted = f"{prefix}{key}"
        rule = next((k for k in SCRIPT_KEYS if k.fate == "ignored" and fnmatchcase(dotted, k.pattern)), None)
        if rule is not None:
            ignored.append((dotted, rule.why))
        elif isinstance(value, dict):
            kept[key], below = drop_ignored(value, f"{dotted}.")
            ignored.extend(below)
        elif value is not None or dotted == "image_size":
            kept[key] = value  # a key with nothing after it is a key left at its default
    return kept, ignored
