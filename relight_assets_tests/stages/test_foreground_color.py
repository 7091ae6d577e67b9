import numpy as np

from relight_assets.stages.foreground_color import blur_fusion, sample, with_alpha


def test_alpha_is_joined_and_nothing_is_left_outside():
    rgb = np.full((4, 5, 3), 77, np.uint8)
    alpha = np.zeros((4, 5), np.uint8)
    alpha[1] = 3
    layer = with_alpha(rgb, alpha)
    assert layer[1].tolist() == [[77, 77, 77, 3]] * 5
    assert layer[0].max() == 0
    assert rgb.min() == 77


def test_both_colours_of_a_soft_edge_are_found():
    alpha = np.tile(np.clip(np.linspace(-9, 10, 240), 0, 1), (120, 1))
    front, back = np.array([200.0, 40.0, 40.0]), np.array([20.0, 60.0, 220.0])
    rgb = np.rint(alpha[..., None] * front + (1 - alpha[..., None]) * back).astype(np.uint8)
    found_front, found_back = blur_fusion(rgb, np.rint(alpha * 255).astype(np.uint8))
    edge = (alpha > 0.2) & (alpha < 0.8)
    assert np.abs(found_front - front)[edge].mean() < 25
    assert np.abs(found_back - back)[edge].mean() < 25


def test_sampling_is_bilinear():
    small = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    found = sample(small, (4, 4), np.array([0, 3, 1]), np.array([0, 3, 1]))
    assert found[0].tolist() == small[0, 0].tolist()
    assert found[1].tolist() == small[1, 1].tolist()
    assert np.allclose(found[2], small[0, 0] + 0.25 * (small[1, 1] - small[0, 0]))
