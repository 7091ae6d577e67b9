import cv2
import numpy as np
import pytest

from relight_assets.stages.masks.matting.sizes import FIRST_SIDE, disc, fitted, scaled, shrunk


def test_pictures_are_shrunk_to_a_side_and_never_enlarged():
    assert fitted((4000, 1000, 3), 400) == (100, 400)
    assert fitted((30, 20), 400) == (20, 30)
    assert fitted((4000, 1), 400) == (1, 400)


@pytest.mark.parametrize(
    "shape", [(1024, 1024, 3), (1600, 1200, 3), (1023, 900, 3), (4096, 2048), (300, 200, 3), (1, 700)]
)
def test_an_image_is_shrunk_by_halves_where_it_can_be(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = cv2.blur(image, (31, 31))
    small = shrunk(image, 400)
    assert small.shape[1::-1] == fitted(shape, 400)
    at_once = cv2.resize(image, fitted(shape, 400), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - at_once).max() <= 2


def test_lengths_follow_the_guide():
    assert scaled(20, (FIRST_SIDE, 100)) == 20
    assert scaled(20, (FIRST_SIDE // 2, 10)) == 10
    assert scaled(1, (8, 8)) == 1


def test_a_disc_is_round():
    assert disc(3).shape == (7, 7)
    assert disc(3)[3].all()
    assert not disc(3)[0, 0]
