"""The stage ``masks`` as a StageSpec: segment the person, filter the photo, cut out both layers."""

from collections.abc import Sequence
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Points
from relight_assets.core.rounding import rounded
from relight_assets.stages.base import StageInputs, StageOutput, StageSpec
from relight_assets.stages.masks import mask, photo_filters, photo_tags
from relight_assets.stages.masks.cutout_metrics import measure_cutout
from relight_assets.stages.masks.matting.cut_out import cut_out
from relight_assets.stages.masks.matting.foreground import separate
from relight_assets.stages.masks.matting.second_look import second_look
from relight_assets.stages.masks.metrics import METRICS
from relight_assets.stages.masks.perceptual_hash import fingerprint
from relight_assets.stages.masks.person_mask import PersonMask
from relight_assets.stages.masks.persons import evidence
from relight_assets.stages.masks.persons.face_area import with_faces
from relight_assets.stages.masks.persons.head import Head, measure_head, require_upright
from relight_assets.stages.masks.persons.touching import others_removed
from relight_assets.stages.masks.photo_detail import is_monochrome
from relight_assets.stages.masks.recorded_faces import packed, packed_eyes

_PERSONS = ("face_detection", "face_landmark", "iris_landmark", "pose_detection")
_BESIDE = {"selfie_multiclass": ("selfie",)}
"""Segmenters that ask another one too."""


def _models(recipe: Recipe) -> tuple[str, ...]:
    return (recipe.segmenter, *_BESIDE.get(recipe.segmenter, ()), *_PERSONS)


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    sam3 = {"sam3": recipe.sam3.model_dump(mode="json")} if recipe.segmenter.startswith("sam3") else {}
    return {
        "image_size": recipe.image_size,
        "segmenter": recipe.segmenter,
        "masks": recipe.masks.model_dump(mode="json"),
        "photo_qa": recipe.photo_qa.model_dump(mode="json", exclude={"max_own_light"}),  # which judges the albedo
        "blend": recipe.background.blend,  # the foreground is estimated in the space it is blended in
        **sam3,
    }


def _make(inputs: StageInputs) -> StageOutput:
    """The person cut out of the photo.

    Raises:
        ImageError: nobody is there, or the photo is rejected.
    """
    recipe, photo, person, faces = inputs.recipe, inputs.photo(), inputs.person(), inputs.found_faces()
    sure_faces = [face for face in faces if evidence.is_face(face.presence, recipe.photo_qa)]
    sure = [face.points for face in sure_faces]
    head = _head(inputs, sure)
    require_upright(head, recipe.photo_qa)
    shown = _shown(inputs, person)
    # A segmenter that tells persons apart has kept to the policy already; a person of it may be in several parts.
    persons = recipe.masks.persons if person.scores is None else "union"
    # SAM3 has cells enough, and tells persons apart by the whole photo.
    again = second_look(photo.rgb, person.probability, sure, inputs.probability_of) if person.scores is None else None
    probability, cells = (person.probability, person.cells) if again is None else (again, None)
    alone = others_removed(probability, photo.rgb, sure) if persons == "largest" else None
    probability = with_faces(probability if alone is None else alone, sure, photo.rgb.shape)
    cut = cut_out(probability, photo.rgb, cells, persons)
    alpha = cut.alpha
    measured = photo_filters.measure_photo(
        photo.rgb, alpha, faces[0].points if faces else None, undecided=cut.undecided
    )
    photo_filters.require(measured, recipe.photo_qa)
    tags = photo_tags.tags(
        photo.rgb,
        alpha,
        probability=person.probability,
        scores=person.scores,
        faces=[face.points for face in faces],
        monochrome=is_monochrome(measured.chroma, measured.color_spread),
        head=head,
    )
    mask.require_one_person(tags.second_person, persons)
    layers = separate(photo.rgb, alpha, recipe.background.blend)
    return StageOutput(
        files={
            "input": photo.rgb if photo.verbatim is None else photo.verbatim,
            "foreground": layers.foreground,
            "background": layers.background,
        },
        metrics={
            **shown,
            **inputs.segmenter,
            **measured.plain(),
            **tags.plain(),
            **measure_cutout(photo.rgb, layers.foreground).plain(),
            **packed([face.points for face in faces]),
            **packed_eyes([eye for face in sure_faces for eye in inputs.found_eyes(face)]),
            "head_roll": None if head is None else rounded(head.roll),
            "face_proportion": None if head is None else rounded(head.proportion),
            "separated": alone is not None,
            "second_look": again is not None,
            "fingerprint": fingerprint(photo.rgb),
            "face_presence": round(float(faces[0].presence), 4) if faces else None,
        },
        pixels={"input": photo.rgb},
    )


def _head(inputs: StageInputs, sure: Sequence[Points]) -> Head | None:
    """The head of the largest sure face; where there is none, of one that the changed photo shows."""
    if sure:
        return measure_head(sure[0])
    hidden = inputs.hidden_face(inputs.recipe.photo_qa.min_face_presence)
    if hidden is None:
        return None
    change = hidden.change
    return measure_head(hidden.points, rotation=change.rotation, inverted=change.inverted, stretch=change.stretch)


def _shown(inputs: StageInputs, person: PersonMask) -> dict[str, Any]:
    """What shows that there is a person, for the record.

    Raises:
        NoPersonError, SeveralPersonsError: nobody is there, or more than are wanted.
    """
    seen = person.probability if person.evidence is None else person.evidence
    recipe, found = inputs.recipe, mask.person_numbers(seen)
    presence = max((float(face.presence) for face in inputs.found_faces()), default=None)
    is_face = evidence.is_face(presence, recipe.photo_qa)
    if person.scores is not None:
        mask.require_instances(person.scores, person.best_score, found.coverage, recipe)
        signs = evidence.Signs(presence, found)
        return {
            "score": rounded(person.scores[0]),
            "instance_scores": rounded(list(person.scores)),
            "shown_by": evidence.require_face(presence, recipe.photo_qa),
            "pose_score": None,
            "person_evidence": rounded(evidence.strength(signs)) if is_face else None,
        }
    pose_score = None if is_face or recipe.photo_qa.person == "face" else inputs.body_score()
    signs = evidence.Signs(presence, found, pose_score)
    return {
        "score": rounded(found.score),
        "shown_by": evidence.require_person(signs, recipe.masks, recipe.photo_qa),
        "pose_score": rounded(pose_score),
        "person_evidence": rounded(evidence.strength(signs)),
    }


MASKS = StageSpec(
    name="masks",
    code_version="10",
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
    shown_metrics=("coverage", "score", "faces", "clipped", "sharpness", "light_contrast"),
)
