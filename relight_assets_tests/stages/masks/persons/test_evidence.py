"""What counts as a person, by which rule, and what is said of what does not."""

import pytest

from relight_assets.config.recipe.masks import Masks, PhotoQa
from relight_assets.errors import NoPersonError
from relight_assets.stages.masks.mask import PersonNumbers
from relight_assets.stages.masks.persons.evidence import Signs, is_face, require_face, require_person, strength

DEFAULT = PhotoQa()
FACE, SCORE = PhotoQa(person="face"), PhotoQa(person="score")


def signs(presence: float | None, score: float, pose: float | None = None, coverage: float = 0.5) -> Signs:
    return Signs(presence, PersonNumbers(score, coverage), pose)


def shown_by(found: Signs, wanted: PhotoQa) -> str:
    return require_person(found, Masks(), wanted)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (signs(12.1, 0.6), "face"),
        (signs(14.5, 0.97), "face"),
        (signs(None, 0.98, 0.2), "body"),
        (signs(3.0, 0.98, 0.2), "body"),
        (signs(None, 0.9, 0.65), "body"),
        (signs(13.0, 0.97, coverage=0.05), "face"),
    ],
)
def test_a_sure_face_or_a_body_that_mask_and_pose_detector_see_is_a_person(found: Signs, kind: str) -> None:
    assert shown_by(found, DEFAULT) == kind
    assert strength(found) >= 1


@pytest.mark.parametrize(
    "found",
    [
        signs(12.0, 0.97, 0.1),  # a toy
        signs(None, 0.997, 0.19),  # an ashcan: the mask alone
        signs(None, 0.97, 0.64),  # a cat
        signs(None, 0.89, 0.9),  # the pose detector alone
        signs(None, 0.0, 0.0),
        signs(None, 0.99),
    ],
)
def test_what_is_neither_is_turned_away_and_its_message_says_what_was_missing_and_the_way_in(found: Signs) -> None:
    assert strength(found) <= 1
    with pytest.raises(
        NoPersonError, match=r"no (sure )?face was found.*no body.*photo_qa\.sure_mask.*sure_pose"
    ) as told:
        shown_by(found, DEFAULT)
    assert f"{found.mask.score:.3f}" in str(told.value)
    assert "photo_qa.person: score" in str(told.value)
    assert ("photo_qa.min_face_presence 12" in str(told.value)) == (found.presence is not None)


def test_a_small_mask_is_nobody_s_whatever_else_there_is() -> None:
    for wanted in (DEFAULT, FACE, SCORE):
        with pytest.raises(NoPersonError, match=r"3\.0%.*masks\.min_coverage"):
            shown_by(signs(20.0, 0.99, 0.9, coverage=0.03), wanted)


def test_where_the_recipe_wants_faces_a_body_is_not_enough() -> None:
    assert shown_by(signs(12.1, 0.6), FACE) == "face"
    with pytest.raises(NoPersonError, match=r"photo_qa\.person is `face`; face_or_body"):
        shown_by(signs(None, 0.99, 0.9), FACE)
    assert require_face(13.0, FACE) == "face"
    assert require_face(None, DEFAULT) == "segmenter"
    with pytest.raises(NoPersonError, match=r"presence 5\.0.*photo_qa\.person is `face`"):
        require_face(5.0, FACE)


@pytest.mark.parametrize(
    ("found", "kind"), [(signs(None, 0.96), "score"), (signs(0.1, 0.6), "face"), (signs(None, 0.997, 0.0), "score")]
)
def test_by_the_former_rule_any_face_or_the_mask_s_score_is_enough(found: Signs, kind: str) -> None:
    assert shown_by(found, SCORE) == kind
    assert strength(found) < 1  # which `relight verify` tells


def test_by_the_former_rule_an_unsure_mask_without_a_face_is_not() -> None:
    with pytest.raises(NoPersonError, match=r"0\.945.*masks\.min_score"):
        shown_by(signs(None, 0.945, 0.9), SCORE)


def test_the_bounds_are_the_recipe_s_and_the_strength_is_not() -> None:
    loose = PhotoQa(min_face_presence=2, sure_pose=(0.5, 0.1))
    assert is_face(2.5, loose)
    assert not is_face(2.5, DEFAULT)
    assert not is_face(None, loose)
    assert shown_by(signs(None, 0.6, 0.2), loose) == "body"
    assert strength(signs(2.5, 0.6, 0.2)) < 1
    assert strength(signs(-5.0, 0.0, 0.0)) == 0
