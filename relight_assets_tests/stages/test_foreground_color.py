import cv2
import numpy as np
import pytest

from relight_assets.stages.foreground_color import (
    at_edge,
    mix_colors,
    sample,
    soft_edge,
    split_colors,
    to_blend,
    with_alpha,
)


def test_alpha_is_joined_and_nothing_is_left_outside():
    rgb = np.full((4, 5, 3), 77, np.uint8)
    alpha = np.zeros((4, 5), np.uint8)
    alpha[1] = 3
    layer = with_alpha(rgb, alpha)
    assert layer[1].tolist() == [[77, 77, 77, 3]] * 5
    assert layer[0].max() == 0
    assert rgb.min() == 77


def test_sampling_is_bilinear():
    small = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    found = sample(small, (4, 4), np.array([0, 15, 5]))
    assert found[0].tolist() == small[0, 0].tolist()
    assert found[1].tolist() == small[1, 1].tolist()
    assert np.allclose(found[2], small[0, 0] + 0.25 * (small[1, 1] - small[0, 0]))


@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_split_colours_mix_to_the_photo_whatever_was_estimated(blend):
    rng = np.random.default_rng(11)
    photo = rng.integers(0, 256, (254_000, 3), dtype=np.uint8)
    photo[::2] //= 16  # dark codes, where linear light is finest
    opacity = np.tile(np.arange(1, 255, dtype=np.float32)[:, None] * np.float32(1 / 255), (1000, 1))
    front = to_blend(rng.uniform(0, 255, photo.shape).astype(np.float32), blend)
    decoded = to_blend(photo, blend)
    behind, person = split_colors(decoded=decoded, opacity=opacity, front=front, blend=blend)
    assert cv2.absdiff(mix_colors(person, behind, opacity, blend), photo).max() <= 1


def test_far_more_soft_pixels_than_an_image_has_rows():
    rng = np.random.default_rng(3)
    small = rng.random((40, 30, 3), np.float32)
    edge = np.arange(300 * 400)
    found = sample(small, (400, 300), edge).reshape(400, 300, 3)
    assert found.shape == (400, 300, 3)
    assert np.abs(found - cv2.resize(small, (300, 400), interpolation=cv2.INTER_LINEAR)).max() < 0.05


def test_soft_pixels_are_those_between():
    alpha = np.array([[0, 1, 254], [255, 128, 0]], np.uint8)
    edge = soft_edge(alpha)
    assert edge.tolist() == [1, 2, 4]
    assert at_edge(alpha, edge).tolist() == [[1], [254], [128]]
