"""A light that would spoil the image is known before the image is made, and drawn again."""

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.stages.degraded import sampler as module
from relight_assets.stages.degraded.defects import (
    EVERY_SECOND,
    MAX_CRUSHED,
    MAX_RIM,
    MAX_STRENGTH,
    defect_score,
    gradient_correlation,
)
from relight_assets.stages.degraded.sampler import LIGHTS, relight
from relight_assets_tests.stages.degraded.scenes import portrait_scene

PHOTO_LIKE = {"strength": 0.5, "rim": 1.0}


def under(light: np.ndarray | float) -> list[np.ndarray]:
    scene = portrait_scene()
    return cv2.split(scene.albedo[EVERY_SECOND] * np.float32(light))


def photo() -> list[np.ndarray]:
    scene = portrait_scene()
    paint = np.maximum(scene.albedo[EVERY_SECOND] @ np.float32([0.2126, 0.7152, 0.0722]), 1e-6)
    return under((scene.photo_light[EVERY_SECOND] / paint)[..., None])


def stripes() -> np.ndarray:
    rows = np.arange(portrait_scene().albedo[EVERY_SECOND].shape[0])
    return np.where(rows % 8 < 4, 1.0, 0.02)[:, None, None]


def test_the_photos_own_light_has_none() -> None:
    assert defect_score(portrait_scene(), photo(), **PHOTO_LIKE) <= 1


def test_a_dense_pattern_in_which_the_face_is_lost_is_one() -> None:
    assert defect_score(portrait_scene(), under(stripes()), **PHOTO_LIKE) > 1


def test_a_person_that_turns_black_is_one() -> None:
    assert defect_score(portrait_scene(), under(0.001), **PHOTO_LIKE) > 1 / MAX_CRUSHED * 0.9


@pytest.mark.parametrize(
    "given", [{"strength": MAX_STRENGTH * 1.1, "rim": 1.0}, {"strength": 0.5, "rim": MAX_RIM * 1.1}]
)
def test_too_strong_a_pair_and_a_rim_are_reported_by_how_much(given: dict[str, float]) -> None:
    assert defect_score(portrait_scene(), photo(), **given) == pytest.approx(1.1)


def test_without_a_face_there_is_no_rim() -> None:
    assert defect_score(portrait_scene(), photo(), strength=0.5, rim=None) <= 1


def test_detail_is_the_same_whatever_the_contrast_and_nothing_is_no_loss() -> None:
    image = np.random.default_rng(3).random((40, 40), np.float32)
    everywhere = np.ones((40, 40), bool)
    assert gradient_correlation(image, image * 3 + 1, everywhere) == pytest.approx(1)
    assert gradient_correlation(image, -image, everywhere) == pytest.approx(-1)
    assert gradient_correlation(image, image, ~everywhere) == 1


def drawn(seed: int):
    degradation = Degradation()
    return relight(portrait_scene(), degradation, LightSampling(), lambda p: stream(seed, "", 0, p))


def test_a_light_with_artifacts_is_drawn_again_as_a_whole_in_its_own_family(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = drawn(4)
    assert plain.numbers["lights_drawn"] == 1
    scores = iter([1.5, 1.2, 0.9])
    monkeypatch.setattr(module, "defect_score", lambda *_: next(scores))
    again = drawn(4)
    assert (again.numbers["lights_drawn"], again.numbers["artifact_score"]) == (3, 0.9)
    assert again.family == plain.family
    assert again.direction != plain.direction
    assert again.numbers["exposure"] != plain.numbers["exposure"]


def test_of_lights_that_all_have_artifacts_the_least_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = drawn(4)
    scores = iter([1.2, 1.5, 1.4, 1.3, 1.6, 0.1])
    monkeypatch.setattr(module, "defect_score", lambda *_: next(scores))
    found = drawn(4)
    assert (found.numbers["lights_drawn"], found.numbers["artifact_score"]) == (LIGHTS, 1.2)
    assert found.direction == plain.direction
