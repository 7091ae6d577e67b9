"""Which eyes can be seen, and what they mirror in the photo."""

import numpy as np
import pytest

from relight_assets.stages.degraded.eyes.own_lights import clear_eyes, quantile
from relight_assets_tests.stages.made_eyes import eye_points, face_of_skin, photo_of_eye


def place_of(mask: np.ndarray, distance_shape: tuple[int, int]) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0) / distance_shape


@pytest.mark.parametrize("radius", [6.0, 11.0, 24.0])
@pytest.mark.parametrize("place", [(0.35, -0.2), (-0.4, 0.1), (0.0, 0.3)])
def test_a_catch_light_is_found_where_it_is(radius: float, place: tuple[float, float]) -> None:
    photo, points = photo_of_eye(radius, 0.9, place)
    (clear,) = clear_eyes(photo, [points])
    spots = clear.catch_lights
    assert spots.any()
    rows, columns = np.nonzero(spots)
    y, x = (rows.mean() + 0.5) * clear.eye.step, (columns.mean() + 0.5) * clear.eye.step
    found = ((x + clear.eye.box[1].start - 0.5 - 100.25) / radius, (y + clear.eye.box[0].start - 0.5 - 80.5) / radius)
    assert found == pytest.approx(place, abs=0.12)
    area = np.count_nonzero(spots) * clear.eye.step**2 / (np.pi * radius**2)
    assert 0.03 < area < 0.35
    assert (clear.bright | ~spots).all()


def test_an_eye_that_mirrors_nothing_has_none_and_its_white_is_not_one() -> None:
    photo, points = photo_of_eye(catch_light=None)
    (clear,) = clear_eyes(photo, [points])
    assert not clear.catch_lights.any()
    beside = points.copy()
    beside[:5, 0] += 4  # the iris was found a fifth of its radius beside where it is
    (clear,) = clear_eyes(photo, [beside])
    assert np.count_nonzero(clear.catch_lights) < 0.02 * clear.catch_lights.size


@pytest.mark.parametrize(("radius", "is_clear"), [(4.9, False), (5.1, True)])
def test_an_iris_under_ten_pixels_is_left_alone(radius: float, is_clear: bool) -> None:
    photo, points = photo_of_eye(radius)
    assert bool(clear_eyes(photo, [points])) is is_clear


def test_a_closed_eye_is_left_alone() -> None:
    photo, points = photo_of_eye(aperture=0.25)
    assert not clear_eyes(photo, [points])


def test_lids_without_an_eye_between_them_are_left_alone() -> None:
    assert not clear_eyes(face_of_skin(), [eye_points(100, 80, 20)])


@pytest.mark.parametrize("glint", [False, True])
def test_an_eye_behind_sunglasses_is_left_alone(glint: bool) -> None:
    photo, points = photo_of_eye()
    photo[40:120, 30:170, :3] = 12
    if glint:
        photo[70:76, 90:130, :3] = 230
    assert not clear_eyes(photo, [points])


def test_an_eye_too_dark_to_be_seen_is_left_alone() -> None:
    photo, points = photo_of_eye()
    dark = photo.copy()
    dark[..., :3] //= 8
    assert clear_eyes(photo, [points])
    assert not clear_eyes(dark, [points])


def test_glare_over_the_iris_is_no_catch_light() -> None:
    photo, points = photo_of_eye(20, 0.9)
    photo[66:95, 82:119, :3] = 240
    assert not clear_eyes(photo, [points])


def test_an_eye_that_is_not_the_person_s_is_left_alone() -> None:
    photo, points = photo_of_eye()
    photo[:, 120:, 3] = 0
    assert not clear_eyes(photo, [points])


def test_a_quantile_is_a_value_below_which_so_many_are() -> None:
    values = np.random.default_rng(1).permutation(100).astype(np.float32)
    assert [quantile(values, share) for share in (0, 0.5, 0.8, 1)] == [0, 50, 80, 99]
