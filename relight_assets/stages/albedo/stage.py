"""The stage ``albedo`` as a StageSpec: remove the photo's own light by the drawn method."""

from typing import Any

import numpy as np

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.stages.albedo import albedo, learned
from relight_assets.stages.albedo.evaluation import albedo_tags
from relight_assets.stages.albedo.evaluation.albedo_metrics import measure_albedo
from relight_assets.stages.albedo.evaluation.own_light_filter import require_own_light_removed
from relight_assets.stages.albedo.metrics import METRICS
from relight_assets.stages.base import StageInputs, StageOutput, StageSpec

_FACES = ("face_detection", "face_landmark")


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    part: dict[str, Any] = {"albedo_extraction": recipe.albedo_extraction.deciding()}
    if recipe.albedo_extraction.mix.draws:
        part["seed"] = recipe.seed
    if recipe.photo_qa.max_own_light != PhotoQa().max_own_light:  # so that rejected photos are tried again
        part["max_own_light"] = recipe.photo_qa.max_own_light
    return part


def _models(recipe: Recipe) -> tuple[str, ...]:
    extraction = recipe.albedo_extraction
    faces = extraction.mix.retinex > 0 and extraction.methods.retinex.surround == "edge_aware"
    return (*(_FACES if faces else ()), *(("albedo_model",) if extraction.mix.learned > 0 else ()))


def _make(inputs: StageInputs) -> StageOutput:
    foreground, chosen = inputs.read("foreground"), inputs.recipe.albedo_extraction
    method = albedo.draw_method(chosen.mix, inputs.recipe.seed, inputs.source_sha256)
    if method != "learned":
        faces = inputs.recorded_faces()
        parameters = albedo.with_strength(chosen.methods.retinex, inputs.source_sha256)
        made = albedo.extract(foreground, parameters, method, albedo.grain(inputs.source_sha256), faces)
    else:
        assert inputs.albedo_network is not None  # noqa: S101  (a recipe that draws it is not run without)
        made = learned.extract(foreground, inputs.albedo_network)
    return StageOutput({"albedo": made.image}, made.numbers)


def _measure(inputs: StageInputs, output: StageOutput) -> dict[str, Any]:
    """The metrics of the albedo beside the photo.

    Raises:
        OwnLightError: too much of the photo's own light is left.
    """
    foreground, made, faces = inputs.read("foreground"), output.files["albedo"], inputs.recorded_faces()
    assert isinstance(made, np.ndarray)  # noqa: S101  (what was made just now)
    found = measure_albedo(foreground, made, faces, inputs.face_triangles)
    face = faces[0] if faces else None
    require_own_light_removed(found.own_light_left, inputs.recipe.photo_qa, foreground, face)
    return {**output.metrics, **found.plain(), **albedo_tags.tags(found)}


def _not_replayable(recipe: Recipe, source_sha256: str) -> str | None:
    method = albedo.draw_method(recipe.albedo_extraction.mix, recipe.seed, source_sha256)
    return "its albedo was found by your own ONNX model, which is not in the record" if method == "learned" else None


ALBEDO = StageSpec(
    name="albedo",
    code_version="9",
    artifacts=("albedo",),
    may_read=("foreground",),
    recipe_part=_recipe_part,
    make=_make,
    measure=_measure,
    metrics=lambda: METRICS,
    description=(
        "The same person, evenly lit: multi-scale retinex whose surrounds are kept within skin, and within hair and "
        "cloth of one colour; the face keeps its level and its colour. "
        "Per image: `NNNNN_albedo.png` (RGB, black outside the mask)."
    ),
    models=_models,
    not_replayable=_not_replayable,
    kinds=frozenset({"python", "opencv"}),
)
