import cv2
import numpy as np
import pytest

from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.stages.foreground_color import with_alpha
from relight_assets.stages.masks.cutout_metrics import measure_cutout, rim, see_through, speckle, stairs
from relight_assets.stages.masks.matting.foreground import separate
from relight_assets_tests.stages.portraits import portrait


def disc_alpha(size, softness=1.0):
    """A disc in the middle, with a soft edge."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    return np.rint(255 * np.clip((size / 3 - np.hypot(x, y)) / softness + 0.5, 0, 1)).astype(np.uint8)


def blended(alpha, person=(60, 40, 30), wall=(220, 230, 240)):
    share = alpha[..., None] / 255
    return np.rint(share * person + (1 - share) * wall).astype(np.uint8)


def exact_stairs(rgb, alpha):
    """By the definition, in double precision."""

    def gradient(plane):
        return np.hypot(*(cv2.Sobel(plane.astype(float), cv2.CV_64F, *order) / 8 for order in ((1, 0), (0, 1))))

    steep = gradient(alpha / 255)
    shown = np.max([gradient(rgb[..., channel]) for channel in range(3)], axis=0)
    near = cv2.dilate(shown, np.ones((5, 5)))
    return steep[(steep > 0.05) & (near < 4)].sum() / steep.sum()


def test_a_true_alpha_has_none_of_it():
    alpha = disc_alpha(600, softness=6)
    rgb = blended(alpha)
    found = measure_cutout(rgb, separate(rgb, alpha).foreground)
    assert found.cutout_stairs < 0.001
    assert found.cutout_speckle == 1
    assert found.cutout_see_through == 0
    assert abs(found.cutout_rim) < 0.05
    assert set(found.plain()) == {f"cutout_{name}" for name in ("stairs", "speckle", "see_through", "rim")}


def test_a_made_up_portrait_is_within_all_bounds():
    person = portrait(600, 500)
    found = measure_cutout(person.rgb, separate(person.rgb, person.alpha).foreground).plain()
    for name, value in found.items():
        assert value <= getattr(DEFAULT_QUALITY, f"max_{name}")


@pytest.mark.parametrize("shape", [(300, 257), (120, 500)])
def test_stairs_are_those_of_the_definition_across_all_parts(shape):
    rng = np.random.default_rng(4)
    alpha = cv2.resize(disc_alpha(64), shape[::-1], interpolation=cv2.INTER_NEAREST)
    noise = cv2.GaussianBlur(rng.normal(scale=90, size=(*shape, 3)), (0, 0), 6)
    rgb = np.clip(120 + noise + np.where(np.arange(shape[1])[:, None] % 90 > 60, 60, 0), 0, 255).astype(np.uint8)
    expected = exact_stairs(rgb, alpha)
    assert 0.02 < expected < 0.98
    assert stairs(rgb, alpha) == pytest.approx(expected, abs=1e-3)


def test_steps_where_the_photo_shows_none_are_stairs():
    alpha = disc_alpha(400)
    assert stairs(np.full((400, 400, 3), 20, np.uint8), alpha) > 0.9
    assert stairs(blended(alpha), alpha) < 0.001


def test_grain_of_a_large_photo_is_speckle():
    alpha = disc_alpha(2000, softness=120)
    soft = (alpha > 0) & (alpha < 255)
    noisy = np.clip(alpha + np.random.default_rng(1).normal(scale=20, size=alpha.shape) * soft, 0, 255).astype(np.uint8)
    assert speckle(alpha) < 1.01
    assert speckle(noisy) > DEFAULT_QUALITY.max_cutout_speckle
    assert speckle(disc_alpha(500)) == 1


def test_a_half_transparent_part_is_see_through_and_a_soft_edge_is_not():
    alpha = disc_alpha(800, softness=20)
    assert see_through(alpha) == 0
    cv2.circle(alpha, (400, 400), 60, 128, -1)
    assert see_through(alpha) == pytest.approx(60**2 / (800 / 3) ** 2, rel=0.1)
    assert see_through(np.full((50, 50), 128, np.uint8)) > 0.99


def test_the_walls_colour_in_the_edge_is_a_rim():
    alpha = disc_alpha(500, softness=12)
    rgb = blended(alpha)
    assert rim(rgb, separate(rgb, alpha).foreground) < 0.05
    assert rim(rgb, with_alpha(rgb, alpha)) > DEFAULT_QUALITY.max_cutout_rim
    like = blended(alpha, wall=(70, 50, 40))
    assert rim(like, with_alpha(like, alpha)) == 0  # nobody sees it


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (64, 3), (300, 130)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_alphas_have_numbers_too(shape, value):
    rgb = np.full((*shape, 3), 90, np.uint8)
    found = measure_cutout(rgb, with_alpha(rgb, np.full(shape, value, np.uint8)))
    assert (found.cutout_stairs, found.cutout_rim) == (0, 0)
    assert found.cutout_speckle == 1
    assert 0 <= found.cutout_see_through <= 1
