import numpy as np
import pytest

from relight_assets.models.faces.crops import Crop, level_square, rotation


def ramps(height: int = 200, width: int = 300) -> np.ndarray:
    """An image whose red is x / 2 and whose green is y / 2."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x // 2, y // 2, np.zeros_like(x)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("roll", [-0.6, 0.0, 0.3])
@pytest.mark.parametrize("side", [40.0, 90.0])
def test_a_square_shows_what_of_image_says(roll: float, side: float) -> None:
    crop = Crop(np.array([150.0, 100.0]), side, roll)
    square = level_square(ramps(), crop, 64)
    for u, v in ((10, 10), (32, 50), (60, 20)):
        ((x, y),) = crop.of_image(np.array([[u + 0.5, v + 0.5]]), 64)
        assert square[v, u, 0] * 255 == pytest.approx(x / 2, abs=1)
        assert square[v, u, 1] * 255 == pytest.approx(y / 2, abs=1)


def test_beyond_the_image_it_is_black() -> None:
    assert level_square(ramps(), Crop(np.array([-500.0, 50.0]), 40.0, 0.0), 64).max() == 0
    part = level_square(np.full((100, 100, 3), 200, np.uint8), Crop(np.array([0.0, 50.0]), 40.0, 0.0), 64)
    assert part[:, :30].max() == 0
    assert part[:, 34:].min() > 0.7


def test_a_rotation_keeps_lengths_and_turns_clockwise_on_screen() -> None:
    assert np.allclose(rotation(np.pi / 2) @ [1, 0], [0, 1])
    assert np.allclose(rotation(0.3) @ rotation(-0.3), np.eye(2))
