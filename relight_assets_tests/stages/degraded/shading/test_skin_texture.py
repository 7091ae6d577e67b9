import numpy as np
import pytest

from relight_assets.core.rng import stream
from relight_assets.stages.degraded.shading.skin_texture import STEEPEST, slopes

SKIN = np.ones((240, 200), np.bool_)


def drawn(light, seed=0, steepness=0.16):
    return slopes(light, SKIN, 240.0, steepness, stream(seed, "", 0, "texture"))


@pytest.mark.parametrize("contrast", [0.0, 0.05, 0.4])
def test_the_texture_is_as_steep_as_asked_on_smooth_and_on_rough_photos(contrast):
    light = np.exp(np.random.default_rng(1).normal(-1, contrast, SKIN.shape)).astype(np.float32)
    across, down = drawn(light)
    assert np.sqrt((across**2 + down**2).mean()) == pytest.approx(0.16, rel=0.05)
    assert abs(across.mean()) < 0.01


def test_a_mole_is_no_cliff():
    light = np.full(SKIN.shape, 0.3, np.float32)
    light[100:110, 90:100] = 0.01
    across, down = drawn(light)
    assert max(np.abs(across).max(), np.abs(down).max()) <= STEEPEST * 0.16 + 1e-4


def test_the_photo_s_wrinkles_are_in_it():
    rows = np.arange(240, dtype=np.float32)[:, None]
    light = np.broadcast_to(0.3 + 0.1 * np.sin(rows / 1.2), SKIN.shape).astype(np.float32)
    across, down = drawn(light)
    assert (down**2).mean() > 2 * (across**2).mean()


def test_the_same_key_gives_the_same_texture():
    light = np.full(SKIN.shape, 0.3, np.float32)
    assert np.array_equal(drawn(light)[0], drawn(light)[0])
    assert not np.array_equal(drawn(light)[0], drawn(light, seed=1)[0])


def test_where_no_skin_is_known_the_whole_counts():
    across, down = slopes(
        np.full((9, 7), 0.2, np.float32), np.zeros((9, 7), np.bool_), 20.0, 0.15, stream(0, "", 0, "")
    )
    assert np.sqrt((across**2 + down**2).mean()) == pytest.approx(0.15, rel=0.2)
