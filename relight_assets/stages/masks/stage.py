"""The stage ``masks`` as a StageSpec: segment the person, filter the photo, cut out both layers."""

from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.rounding import rounded
from relight_assets.stages.base import StageInputs, StageOutput, StageSpec
from relight_assets.stages.masks import mask, photo_filters, photo_tags
from relight_assets.stages.masks.metrics import METRICS
from relight_assets.stages.masks.perceptual_hash import fingerprint
from relight_assets.stages.masks.recorded_faces import packed

_FACES = ("face_detection", "face_landmark")


def _models(recipe: Recipe) -> tuple[str, ...]:
    return (recipe.segmenter, *_FACES)


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    sam3 = {"sam3": recipe.sam3.model_dump(mode="json")} if recipe.segmenter != "selfie" else {}
    return {
        "image_size": recipe.image_size,
        "segmenter": recipe.segmenter,
        "masks": recipe.masks.model_dump(mode="json"),
        "photo_qa": recipe.photo_qa.model_dump(mode="json"),
        "blend": recipe.background.blend,  # the foreground is estimated in the space it is blended in
        **sam3,
    }


def _make(inputs: StageInputs) -> StageOutput:
    """The person cut out of the photo.

    Raises:
        ImageError: nobody is there, or the photo is rejected.
    """
    recipe, photo, person, faces = inputs.recipe, inputs.photo(), inputs.person(), inputs.found_faces()
    found = mask.person_numbers(person.probability)
    scores: dict[str, Any] = {"score": rounded(found.score)}
    if person.scores is None:
        mask.require_person(found, len(faces), recipe.masks)
    else:
        mask.require_instances(person.scores, person.best_score, found.coverage, recipe)
        scores = {"score": rounded(person.scores[0]), "instance_scores": rounded(list(person.scores))}
    # A segmenter that tells persons apart has kept to the policy already; a person of it may be in several parts.
    persons = recipe.masks.persons if person.scores is None else "union"
    alpha = mask.clean_alpha(person.probability, photo.rgb, person.cells, persons)
    measured = photo_filters.measure_photo(photo.rgb, alpha, faces[0].points if faces else None)
    photo_filters.require(measured, recipe.photo_qa)
    tags = photo_tags.tags(
        photo.rgb,
        alpha,
        probability=person.probability,
        scores=person.scores,
        faces=[face.points for face in faces],
        chroma=measured.chroma,
    )
    mask.require_one_person(tags.second_person, persons)
    layers = mask.separate(photo.rgb, alpha, recipe.background.blend)
    return StageOutput(
        files={
            "input": photo.rgb if photo.verbatim is None else photo.verbatim,
            "foreground": layers.foreground,
            "background": layers.background,
        },
        metrics={
            **scores,
            **inputs.segmenter,
            **measured.plain(),
            **tags.plain(),
            **packed([face.points for face in faces]),
            "fingerprint": fingerprint(photo.rgb),
            "face_presence": round(float(faces[0].presence), 4) if faces else None,
        },
        pixels={"input": photo.rgb},
    )


MASKS = StageSpec(
    name="masks",
    code_version="4",
    artifacts=("input", "foreground", "background"),
    may_read=(),
    reads_photo=True,
    recipe_part=_recipe_part,
    make=_make,
    metrics=lambda: METRICS,
    description=(
        "The person of each photo, cut out. Per image: `NNNNN_input.png` (the photo, upright, 8-bit RGB), "
        "`NNNNN_foreground.png` and `NNNNN_background.png` (RGBA; the mask is the alpha of the foreground)."
    ),
    models=_models,
    kinds=frozenset({"python", "tensorflow"}),
    shown_metrics=("coverage", "score", "faces", "clipped", "sharpness", "light_contrast"),
)
