"""The stage ``albedo`` as a StageSpec: remove the photo's own light by the drawn method."""

from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.stages.albedo import albedo, learned
from relight_assets.stages.albedo.metrics import METRICS
from relight_assets.stages.base import StageInputs, StageOutput, StageSpec

_FACES = ("face_detection", "face_landmark")


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    seed = {"seed": recipe.seed} if recipe.albedo_extraction.mix.draws else {}
    return {"albedo_extraction": recipe.albedo_extraction.deciding(), **seed}


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


def _not_replayable(recipe: Recipe, source_sha256: str) -> str | None:
    method = albedo.draw_method(recipe.albedo_extraction.mix, recipe.seed, source_sha256)
    return "its albedo was found by your own ONNX model, which is not in the record" if method == "learned" else None


ALBEDO = StageSpec(
    name="albedo",
    code_version="5",
    artifacts=("albedo",),
    may_read=("foreground",),
    recipe_part=_recipe_part,
    make=_make,
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
