from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.stages.masks.matting.cut_out import cut_out
from relight_assets.stages.masks.matting.foreground import separate
from relight_assets_tests.stages.masks.matting.scenes import SKIN, with_brim
from relight_assets_tests.stages.portraits import portrait


def alpha_of(*args, **options):
    return cut_out(*args, **options).alpha


def test_alpha_is_the_mask():
    person = portrait(384, 320)
    alpha = alpha_of(person.probability, person.rgb)
    assert alpha.shape == (384, 320)
    assert alpha.dtype == np.uint8
    assert np.abs(alpha.astype(float) - person.alpha).mean() < 4
    assert not np.isin(alpha, (1, 254)).any()
    assert ((alpha > 0) & (alpha < 255)).any()


def test_islands_go_and_holes_are_filled():
    probability = np.zeros((128, 128), np.float32)
    cv2.circle(probability, (64, 64), 40, 1.0, -1)
    cv2.circle(probability, (64, 64), 2, 0.0, -1)
    cv2.circle(probability, (8, 8), 4, 1.0, -1)
    alpha = alpha_of(probability, np.full((256, 256, 3), 90, np.uint8))
    assert alpha[128, 128] == 255
    assert alpha[:40, :40].max() == 0


def test_a_large_hole_and_a_second_person_stay():
    probability = np.zeros((128, 128), np.float32)
    cv2.circle(probability, (44, 64), 40, 1.0, -1)
    cv2.circle(probability, (44, 64), 12, 0.0, -1)
    cv2.circle(probability, (108, 64), 16, 1.0, -1)
    rgb = np.where(probability[..., None] > 0.5, np.uint8(90), np.uint8(200)).repeat(3, axis=2)
    alpha = alpha_of(probability, rgb)
    assert alpha[64, 44] == 0
    assert alpha[64, 108] == 255
    assert alpha_of(probability, np.full_like(rgb, 90))[64, 44] < 40  # nothing shows where it ends
    alone = alpha_of(probability, rgb, persons="largest")
    assert alone[64, 108] == 0
    assert np.abs(alone[:, :80].astype(int) - alpha[:, :80]).mean() < 1


def strands(size: int = 384):
    """Dark hair with strands around it before a light wall: image, alpha, and a segmenter that is nearly blind."""
    large = 4 * size
    drawn = np.zeros((large, large), np.uint8)
    middle = large // 2
    cv2.circle(drawn, (middle, middle), large // 4, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 60):
        end = (round(middle + 0.28 * large * np.cos(angle)), round(middle + 0.28 * large * np.sin(angle)))
        cv2.line(drawn, (middle, middle), end, 255, 8)
    alpha = cv2.resize(drawn.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA)
    rgb = np.rint(alpha[..., None] * (50, 35, 30) + (1 - alpha[..., None]) * (200, 205, 210)).astype(np.uint8)
    cells = cv2.GaussianBlur(cv2.resize(alpha, (128, 128), interpolation=cv2.INTER_AREA), (0, 0), 2)
    return rgb, alpha, cells


def test_strands_that_the_segmenter_does_not_see_are_found():
    rgb, alpha, cells = strands()
    beyond = (np.hypot(*np.mgrid[-192:192, -192:192]) > 100) & (alpha > 0.5)
    enlarged = cv2.resize(cells, alpha.shape, interpolation=cv2.INTER_LINEAR)
    assert beyond.sum() > 500
    assert enlarged[beyond].mean() < 0.3
    found = alpha_of(cells, rgb) / 255
    assert found[beyond].mean() > 2 * enlarged[beyond].mean()
    assert np.abs(found - alpha).mean() < 0.25 * np.abs(enlarged - alpha).mean()


def test_a_large_photo_has_edges_of_its_own_sharpness():
    rgb, alpha, cells = strands(1200)
    found = alpha_of(cells, rgb) / 255
    assert np.abs(found - alpha).mean() < 0.003


def test_what_is_enlarged_is_refined_by_its_own_cells():
    rgb, alpha, cells = strands()
    enlarged = cv2.resize(cells, (384, 384), interpolation=cv2.INTER_LINEAR)
    found, by_cells, by_size = (
        alpha_of(cells, rgb),
        alpha_of(enlarged, rgb, (128, 128)),
        alpha_of(enlarged, rgb),
    )
    assert np.abs(by_cells / 255 - found / 255).mean() < 0.002
    assert np.abs(by_cells / 255 - alpha).mean() < np.abs(by_size / 255 - alpha).mean()


def test_a_mask_without_a_soft_edge_is_refined_too():
    rgb, alpha, _ = strands()
    hard = (np.hypot(*np.mgrid[-192:192, -192:192]) < 98).astype(np.float32)
    found = alpha_of(hard, rgb, (128, 128)) / 255
    assert np.abs(found - alpha).mean() < 0.5 * np.abs(hard - alpha).mean()


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(64, 64), (65, 301), (1, 1)])
def test_empty_and_full_masks(value, size):
    rgb = np.zeros((*size, 3), np.uint8)
    alpha = alpha_of(np.full((256, 256), value, np.float32), rgb)
    assert np.all(alpha == 255 * value)
    layers = separate(rgb, alpha)
    assert np.array_equal(layers.foreground[..., 3], alpha)


def test_a_brim_is_the_persons_and_the_wall_around_it_is_not():
    rgb, alpha, cells = with_brim()
    cut = cut_out(cells, rgb)
    assert np.abs(cut.alpha / 255 - alpha).mean() < 0.01
    assert cut.undecided < 0.001


def test_what_nothing_can_decide_is_counted():
    rgb, _, cells = with_brim(wall=SKIN)
    assert cut_out(cells, rgb).undecided > 2 * PhotoQa().max_undecided


def test_gray_photos_are_cut_out_as_well():
    rgb, alpha, cells = with_brim(wall=(20, 45, 80))
    gray = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert np.abs(cut_out(cells, gray).alpha / 255 - alpha).mean() < 0.012


@pytest.mark.parametrize(("size", "most"), [(256, 0.02), (1500, 0.015)])
def test_at_every_size(size, most):
    rgb, alpha, cells = with_brim()
    photo = cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA if size < 384 else cv2.INTER_CUBIC)
    true = cv2.resize(alpha, (size, size), interpolation=cv2.INTER_AREA if size < 384 else cv2.INTER_LINEAR)
    assert np.abs(cut_out(cells, photo).alpha / 255 - true).mean() < most


def test_the_grain_of_a_large_photo_does_not_become_speckle():
    rgb, _, cells = with_brim(noise=0)
    large = cv2.resize(rgb, (4000, 4000), interpolation=cv2.INTER_LINEAR)
    grain = np.random.Generator(np.random.Philox(4)).normal(scale=6, size=(500, 500, 3)).astype(np.float32)
    noisy = np.clip(large + np.tile(grain, (8, 8, 1)), 0, 255).astype(np.uint8)
    noisy_alpha, alpha = (cut_out(cells, photo).alpha for photo in (noisy, large))
    assert cv2.absdiff(noisy_alpha, alpha).mean() < 1.0


def test_the_grid_of_sam3():
    rgb, alpha, cells = with_brim()
    grid = np.clip(cv2.resize(cells, (288, 288), interpolation=cv2.INTER_CUBIC), 0, 1)
    large = cv2.resize(grid, (384, 384), interpolation=cv2.INTER_LINEAR)
    for probability, given in ((grid, None), (large, (288, 288))):
        assert np.abs(cut_out(probability, rgb, given).alpha / 255 - alpha).mean() < 0.01


def test_threads_and_seeds_do_not_matter():
    rgb, _, cells = with_brim(noise=12.0)

    def once(seed):
        cv2.setRNGSeed(seed)
        return cut_out(cells, rgb).alpha.tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(once, range(8)))) == 1
