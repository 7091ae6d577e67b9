"""Eyes without what they mirrored."""

import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.eyes.cleared import ClearedEye, cleared
from relight_assets.stages.degraded.eyes.own_lights import clear_eyes
from relight_assets_tests.stages.made_eyes import WHITE, photo_of_eye


def made(radius: float, place: tuple[float, float] | None) -> tuple[ClearedEye, np.ndarray]:
    photo, points = photo_of_eye(radius, 0.9, place)
    (clear,) = clear_eyes(photo, [points])
    return cleared(np.ascontiguousarray(photo[..., :3]), clear), photo[..., :3]


@pytest.mark.parametrize("radius", [6.0, 11.0, 24.0])
@pytest.mark.parametrize("place", [(0.45, -0.1), (-0.6, 0.1)])
def test_the_iris_is_as_it_would_be_without_the_lamp(radius: float, place: tuple[float, float]) -> None:
    eye, photo = made(radius, place)
    truth, points = photo_of_eye(radius, 0.9, None)
    assert eye.patch is not None
    before, after, wanted = (
        image[..., :3].astype(float) for image in (photo[eye.eye.box], eye.patch, truth[eye.eye.box])
    )
    assert before.max() > 240
    y, x = np.mgrid[eye.eye.box[0], eye.eye.box[1]]
    within = np.hypot(x - points[0, 0], y - points[0, 1]) < 0.85 * radius
    error = np.abs(after - wanted)[within]
    assert np.abs(before - wanted)[within].max() > 180
    assert np.quantile(error, 0.99) < 40
    assert error.mean() < 6
    beyond = np.hypot(x - points[0, 0], y - points[0, 1]) > 1.3 * radius
    assert np.array_equal(after[beyond], before[beyond])


@pytest.mark.parametrize("radius", [6.0, 11.0, 24.0])
@pytest.mark.parametrize("place", [(0.0, 0.0), (0.12, -0.1)])
def test_a_pupil_that_a_lamp_covered_is_dark_again(radius: float, place: tuple[float, float]) -> None:
    eye, _ = made(radius, place)
    truth, points = photo_of_eye(radius, 0.9, None)
    assert eye.patch is not None
    y, x = np.mgrid[eye.eye.box[0], eye.eye.box[1]]
    distance = np.hypot(x - points[0, 0], y - points[0, 1]) / radius
    error = np.abs(eye.patch.astype(float) - truth[eye.eye.box][..., :3])
    assert error[distance < 0.2].max() < 30  # of a pupil at 4 and an iris at 50 to 70
    assert error[distance < 0.9].mean() < 5


def test_an_eye_that_mirrors_nothing_stays() -> None:
    eye, _ = made(20, None)
    assert eye.patch is None


def test_the_iris_and_the_white_are_told_apart() -> None:
    eye, _ = made(20, (0.3, 0.0))
    within, beside = (eye.eye.distance < 0.8) & (eye.eye.opening > 0.9), eye.eye.distance > 1.3
    assert eye.iris[within].min() > 0.6
    assert eye.iris[beside].max() < 0.2
    assert eye.white == pytest.approx(float(luminance(np.array(WHITE, np.float32).reshape(1, 1, 3)).item()), rel=0.05)
