"""What shows that there is a person: a face, a body that mask and pose detector see together, or the mask's score.

The segmenter always marks something, and is as sure of a cat as of a person.  Of 260 photos without people (one of
each of 260 ImageNet classes) the mask's score alone, or any face, lets 41 in; face or body 3, and all of 36 portraits.
"""

from dataclasses import dataclass
from typing import Literal

from relight_assets.config.recipe.masks import Masks, PhotoQa
from relight_assets.errors import NoPersonError
from relight_assets.stages.masks.mask import PersonNumbers

Kind = Literal["face", "body", "score", "segmenter"]
KINDS: tuple[Kind, ...] = ("face", "body", "score", "segmenter")
DEFAULTS = PhotoQa()
"""The bounds that the strength is counted in, whatever a recipe takes."""


@dataclass(frozen=True)
class Signs:
    """What the networks say of a photo."""

    presence: float | None
    """The highest logit of a face; None where none was found."""
    mask: PersonNumbers
    pose_score: float | None = None
    """Of the pose detector, 0..1; None: it was not asked, as there is a face or the recipe takes no body."""


def strength(signs: Signs) -> float:
    """How strong the signs are: 1 = the least that the default recipe takes, of a face or of a body."""
    face = 0.0 if signs.presence is None else signs.presence / DEFAULTS.min_face_presence
    bodies = (
        min(signs.mask.score / mask_score, (signs.pose_score or 0.0) / pose_score)
        for mask_score, pose_score in (DEFAULTS.sure_mask, DEFAULTS.sure_pose)
    )
    return max(0.0, face, *bodies)


def require_person(signs: Signs, masks: Masks, wanted: PhotoQa) -> Kind:
    """Say what shows that there is a person.

    Raises:
        NoPersonError: nothing does, or the mask is too small; says what was missing, and which key lets it in.
    """
    if signs.mask.coverage < masks.min_coverage:
        raise NoPersonError(
            f"the person mask covers {signs.mask.coverage:.1%} of the photo, less than "
            f"masks.min_coverage {masks.min_coverage:.1%}"
        )
    if wanted.person == "score":
        return _require_score(signs, masks)
    if is_face(signs.presence, wanted):
        return "face"
    if wanted.person == "face_or_body" and _is_body(signs, wanted):
        return "body"
    raise NoPersonError(_what_was_missing(signs, wanted))


def require_face(presence: float | None, wanted: PhotoQa) -> Kind:
    """Say what shows a person that the segmenter itself found: it, and a face where the recipe wants one.

    Raises:
        NoPersonError: there is no such face.
    """
    if is_face(presence, wanted):
        return "face"
    if wanted.person != "face":
        return "segmenter"
    raise NoPersonError(f"{_of_faces(presence, wanted)}, and photo_qa.person is `face`; face_or_body takes this photo")


def is_face(presence: float | None, wanted: PhotoQa) -> bool:
    """Whether a logit of the face network is that of a person's face."""
    return presence is not None and presence > wanted.min_face_presence


def _require_score(signs: Signs, masks: Masks) -> Kind:
    if signs.presence is not None:
        return "face"
    if signs.mask.score >= masks.min_score:
        return "score"
    raise NoPersonError(
        f"the person mask is unsure (score {signs.mask.score:.3f}, masks.min_score {masks.min_score:.3f}) and no face "
        f"was found; it covers {signs.mask.coverage:.1%} of the photo"
    )


def _is_body(signs: Signs, wanted: PhotoQa) -> bool:
    pose = signs.pose_score or 0.0
    return any(
        signs.mask.score >= mask_score and pose >= pose_score
        for mask_score, pose_score in (wanted.sure_mask, wanted.sure_pose)
    )


def _what_was_missing(signs: Signs, wanted: PhotoQa) -> str:
    face = _of_faces(signs.presence, wanted)
    if wanted.person == "face":
        return f"{face}, and photo_qa.person is `face`; face_or_body may take a person without a face"
    return (
        f"{face}, and no body: the mask scores {signs.mask.score:.3f} and the pose detector "
        f"{signs.pose_score or 0.0:.3f}, which reach neither photo_qa.sure_mask {list(wanted.sure_mask)} nor "
        f"photo_qa.sure_pose {list(wanted.sure_pose)}; if there is a person, lower these, or set photo_qa.person: score"
    )


def _of_faces(presence: float | None, wanted: PhotoQa) -> str:
    if presence is None:
        return "no face was found"
    return f"no sure face was found (presence {presence:.1f}, photo_qa.min_face_presence {wanted.min_face_presence:g})"
