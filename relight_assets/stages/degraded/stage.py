"""The stage ``degraded`` as a StageSpec: light the albedo with each of the recipe's drawn lights."""

from dataclasses import asdict
from functools import partial
from typing import Any

import cv2
import numpy as np

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.variants import PlannedVariant
from relight_assets.core.hashing import canonical_digest
from relight_assets.core.rounding import rounded
from relight_assets.stages.base import FileContent, StageInputs, StageOutput, StageSpec, variant_name
from relight_assets.stages.degraded.degrade import Degraded, Further, degrade
from relight_assets.stages.degraded.metrics import metrics
from relight_assets.stages.image_metrics import measure_downsampled

GEOMETRY_FILE = "geometry_file"
"""What a photo's file of depth or normals is called among those that the stage reads."""
_LIGHTS = "lights"
"""What the drawn lights are handed on as."""
_FACES = ("face_detection", "face_landmark", "iris_landmark")


def _reads_outside(recipe: Recipe) -> tuple[str, ...]:
    return (GEOMETRY_FILE,) if recipe.geometry.from_file else ()


def _models(recipe: Recipe) -> tuple[str, ...]:
    return (*_FACES, "geometry_model") if recipe.geometry.from_model else _FACES


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    part = {
        "seed": recipe.seed,
        "degradation": recipe.degradation.content(),
        "light_sampling": recipe.light_sampling.model_dump(mode="json"),
    }
    if recipe.geometry.source != "face_mesh":
        part["geometry"] = recipe.geometry.deciding()
    if recipe.variants > 1:
        part["variants"] = recipe.variants
    if recipe.vary != "all":
        part["vary"] = recipe.vary
    if amounts := _amounts(recipe, 0):
        part["ladder"] = list(amounts)
    if recipe.no_gobo:
        part["no_gobo"] = True
    return part


def _amounts(recipe: Recipe, light: int) -> tuple[float, ...]:
    """Amounts of the ladder that are pictures of a light."""
    return tuple(each.amount for each in recipe.planned_variants if each.kind == "mix" and each.light == light)


def own_files_sha256(recipe: Recipe) -> dict[str, str]:
    """What tells one set of the user's own patterns and panoramas from another, by the record's name of each.

    Of names and content, as far as the recipe draws from them.
    """
    own = {
        "patterns_sha256": recipe.degradation.hard_shadow.gobos,
        "environments_sha256": recipe.degradation.environment.panoramas,
    }
    return {name: canonical_digest([list(file) for file in files]) for name, files in own.items() if files}


def _make(inputs: StageInputs) -> StageOutput:
    """The person under each of the recipe's drawn lights.

    Raises:
        WeakPairError: no drawn strength made a pair differ enough.
    """
    recipe, lights = inputs.recipe, drawn_lights(inputs)
    files: dict[str, FileContent] = {}
    numbers: list[dict[str, Any]] = []
    for number, planned in enumerate(recipe.planned_variants):
        light = lights[planned.light]
        made, role = _variant(light, planned, recipe)
        files[variant_name("degraded_fg", number, recipe.variant_count)] = made.image
        numbers.append(_numbers(recipe, made) | role)
    return StageOutput(files, numbers[0] if recipe.variant_count == 1 else {"variants": numbers})


def drawn_lights(inputs: StageInputs) -> list[Degraded]:
    """The drawn lights, and what is made of them; where the light itself is kept, they are drawn once for both stages.

    Raises:
        WeakPairError: no drawn strength made a pair differ enough.
    """
    if not inputs.recipe.keep_light:
        return _draw(inputs)
    # Once: the second stage that asks is the last one.
    lights: list[Degraded] | None = inputs.handed_on.pop(_LIGHTS, None)
    if lights is None:
        lights = inputs.handed_on[_LIGHTS] = _draw(inputs)
    return lights


def _draw(inputs: StageInputs) -> list[Degraded]:
    recipe, foreground = inputs.recipe, inputs.read("foreground")
    light_this = partial(
        degrade,
        input_rgb=cv2.cvtColor(foreground, cv2.COLOR_RGBA2RGB),
        foreground=foreground,
        albedo=inputs.read("albedo"),
        faces=inputs.recorded_faces(),
        triangles=inputs.face_triangles,
        eyes=inputs.recorded_eyes(),
        degradation=recipe.degradation,
        lights=recipe.light_sampling,
        seed=recipe.seed,
        source_sha256=inputs.source_sha256,
        gobos=inputs.gobos,
        environments=inputs.environments,
        shape_map=inputs.shape_map(),
        join_faces=recipe.geometry.join_faces,
    )
    if recipe.vary == "one":
        first = light_this(further=Further(_amounts(recipe, 0), recipe.no_gobo, recipe.variants - 1, recipe.keep_light))
        return [first, *first.alike]
    return [
        light_this(variant=variant, further=Further(_amounts(recipe, variant), recipe.no_gobo, maps=recipe.keep_light))
        for variant in range(recipe.variants)
    ]


def _variant(light: Degraded, planned: PlannedVariant, recipe: Recipe) -> tuple[Degraded, dict[str, Any]]:
    """A variant of a photo, and what the record says of its part; nothing where all variants are drawn lights."""
    first = {"variant_of": planned.light + 1}
    if planned.kind == "mix":
        return light.mixes[planned.amount], {"variant_kind": "mix"} | first
    if planned.kind == "no_gobo":
        # A light that has no pattern is its own.
        return light.no_gobo or light, {"variant_kind": "no_gobo" if light.no_gobo else "same"} | first
    role: dict[str, Any] = {"variant_kind": "light"} if recipe.variant_count > recipe.variants else {}
    if light.no_gobo is not None:
        role |= {"no_gobo": 1 + recipe.planned_variants.index(PlannedVariant("no_gobo", planned.light))}
    return light, role


def _numbers(recipe: Recipe, made: Degraded) -> dict[str, Any]:
    return {
        "degradation_type": made.degradation_type,
        "light_direction": list(made.light_direction),
        **made.numbers,
        **({"geometry": recipe.geometry.source} if recipe.geometry.kind is not None else {}),
        **own_files_sha256(recipe),
    }


def _measure(inputs: StageInputs, output: StageOutput) -> dict[str, Any]:
    """The metrics of the stage's lights, each with what is measured of its output, at reduced size."""
    photo = [inputs.read(name) for name in ("input", "foreground", "background", "albedo")]
    lights = output.metrics.get("variants") or [output.metrics]
    for light, person in zip(lights, output.files.values(), strict=True):
        assert isinstance(person, np.ndarray)  # noqa: S101  (what was made just now)
        measured = measure_downsampled(*(*photo, person), blend=inputs.recipe.background.blend)
        if measured is not None:
            light["metrics"] = rounded(asdict(measured))
    return output.metrics


def _not_replayable(recipe: Recipe, _source_sha256: str) -> str | None:
    if recipe.geometry.kind is None:
        return None
    return f"its light fell on a shape from `{recipe.geometry.source}`, which is not in the record"


DEGRADED = StageSpec(
    name="degraded",
    code_version="14",
    artifacts=("degraded_fg",),
    may_read=("input", "foreground", "albedo"),
    reads_outside=_reads_outside,
    recipe_part=_recipe_part,
    make=_make,
    measure=_measure,
    metrics=metrics,
    former_names={"seen": "metrics", "flaw": "artifact_score"},
    description=(
        "The albedo under another light: soft shading, hard shadows, specular reflection or a studio light, drawn per "
        "image. Per image: `NNNNN_degraded_fg.png` (RGBA). The record holds every drawn number."
    ),
    per_light=True,
    models=_models,
    not_replayable=_not_replayable,
    kinds=frozenset({"python", "opencv"}),
    shown_metrics=("strength", "exposure"),
)
