import numpy as np
import pytest

from relight_assets.stages.degraded.eyes.region import FINE_RADIUS, offsets, opening, region
from relight_assets_tests.stages.made_eyes import eye_points


@pytest.mark.parametrize("radius", [6.0, 20.0, 45.0])
def test_an_eye_is_where_its_points_are(radius: float) -> None:
    eye = region(eye_points(300, 200, radius), (400, 600))
    assert eye is not None
    assert eye.radius == pytest.approx(radius, rel=1e-4)
    assert eye.radius / eye.step <= FINE_RADIUS
    row, column = np.unravel_index(int(eye.distance.argmin()), eye.shape)
    assert eye.box[0].start + (row + 0.5) * eye.step == pytest.approx(200.5, abs=eye.step)
    assert eye.box[1].start + (column + 0.5) * eye.step == pytest.approx(300.5, abs=eye.step)
    inside = eye.opening > 0.5
    assert inside.sum() * eye.step**2 == pytest.approx(np.pi * 2.3 * 0.8 * radius**2, rel=0.15)
    assert eye.opening[row, column] > 0.95
    assert eye.opening[0].max() == 0


@pytest.mark.parametrize("aperture", [0.1, 0.35, 0.9])
@pytest.mark.parametrize("roll", [-40.0, 0.0, 25.0])
def test_the_aperture_is_that_of_the_lids_however_the_head_is_rolled(aperture: float, roll: float) -> None:
    points = eye_points(0, 0, 20, aperture)
    angle = np.radians(roll)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    eye = region((turned + 100).astype(np.float32), (200, 200))
    assert eye is not None
    assert eye.aperture == pytest.approx(aperture, rel=0.03)


@pytest.mark.parametrize("place", [(5, 100), (100, 5), (196, 100), (100, -20)])
def test_an_iris_that_is_not_whole_in_the_image_is_no_eye(place: tuple[float, float]) -> None:
    assert region(eye_points(*place, 20), (200, 200)) is None


def test_offsets_and_opening_of_a_part_are_those_of_the_whole() -> None:
    points = eye_points(50, 40, 10)
    whole, part = (slice(0, 80), slice(0, 100)), (slice(30, 50), slice(35, 70))
    for one, other in zip(offsets(points, 10, whole), offsets(points, 10, part), strict=True):
        assert np.allclose(one[part], other, atol=1e-5)
    across, down = offsets(points, 10, whole)
    assert across[40, 60] == pytest.approx(1)
    assert down[30, 50] == pytest.approx(-1)
    assert np.abs(opening(points, 10, whole)[part] - opening(points, 10, part))[3:-3, 3:-3].max() < 0.02
