"""Reading ``config/mvp_config.yaml``: safe, strict, and kind to files written for the earlier scripts.

A key that is neither the recipe's nor one of :data:`~relight_assets.config.recipe.legacy_keys.SCRIPT_KEYS` is an error
that names the nearest known one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relight_assets.config.parsing.validation import validate
from relight_assets.config.parsing.yaml_reader import printable, read_yaml_mapping
from relight_assets.config.quality import Quality
from relight_assets.config.recipe.legacy_keys import drop_ignored
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.own_files import with_own_files
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.types import Part


def load_recipe(path: Path, content: bytes | None = None) -> LoadedRecipe:
    """Read and check a recipe file; ``content`` is what it holds, if somebody has read it.

    Raises:
        ConfigError: names the file, the key, what was found, what is allowed and the nearest known key.
    """
    return parse_recipe(read_yaml_mapping(path, content), printable(path), path.absolute().parent)


def parse_recipe(data: Mapping[str, Any], origin: str, base: Path) -> LoadedRecipe:
    """Check a mapping with a recipe's keys; ``origin`` names it in messages, paths are relative to ``base``.

    Raises:
        ConfigError: see :func:`load_recipe`.
    """
    kept, ignored = drop_ignored(data)
    warnings = [f"{origin}: `{key}` is ignored: {why}" for key, why in ignored]
    section = kept.pop("quality", None)
    if section is not None:
        warnings.append(
            f"{origin}: `quality` belongs in config/platform.yaml now and is no part of the recipe; move it there "
            f"(until then its values here go before those there)"
        )
    quality = parse_quality(section if section is not None else {}, origin)
    recipe = with_own_files(validate(Recipe, kept, origin), base, origin)
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
    environment = recipe.degradation.environment
    if environment.environment_dir is not None and environment.weight == 0:
        warnings.append(
            f"{origin}: `degradation.environment.environment_dir` has no effect with `weight: 0`; give it a weight"
        )
    if not recipe.segmenter.startswith("sam3"):
        idle = {
            "sam3.text_prompt": recipe.sam3.text_prompt != "person",
            "sam3.min_score": recipe.sam3.min_score != type(recipe.sam3)().min_score,
        }
        warnings += [
            f"{origin}: `{key}` has no effect with `segmenter: {recipe.segmenter}`" for key in idle if idle[key]
        ]
    return LoadedRecipe(recipe, tuple(warnings), quality)


class _WithQuality(Part):
    quality: Quality


def parse_quality(section: Any, origin: str) -> Quality:
    """Check a section ``quality``; ``origin`` names where it stands.

    Raises:
        ConfigError: see :func:`load_recipe`.
    """
    return validate(_WithQuality, {"quality": section}, origin).quality
