import cv2
import numpy as np

from relight_assets.stages.masks.matting.smooth import boxes, smooth_where_flat

SIZE = 300


def stairs():
    """The squares of a mask: steps of a quarter, five pixels wide."""
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    for step in range(4):
        alpha[:, 120 + 16 * step :] = 64 * (step + 1) - 1
    return cv2.blur(alpha, (5, 5))


def steepest(alpha):
    return np.abs(np.diff(alpha.astype(int), axis=1)).max()


def test_stairs_that_the_photo_does_not_show_become_a_ramp():
    alpha = stairs()
    found = smooth_where_flat(alpha, np.full((SIZE, SIZE, 3), 20, np.uint8))
    assert steepest(alpha) >= 12
    assert steepest(found) < 9
    assert np.array_equal(found[:, :90], alpha[:, :90])
    assert np.array_equal(found[:, 210:], alpha[:, 210:])


def test_edges_that_the_photo_shows_stay():
    alpha = np.where(np.arange(SIZE)[None] < 150, np.uint8(0), np.uint8(255)).repeat(SIZE, axis=0)
    rgb = np.where(alpha[..., None] > 0, np.uint8(30), np.uint8(90)).repeat(3, axis=2)
    assert smooth_where_flat(alpha, rgb) is alpha


def test_nothing_to_smooth():
    for value in (0, 255):
        alpha = np.full((5, 7), value, np.uint8)
        assert smooth_where_flat(alpha, np.zeros((5, 7, 3), np.uint8)) is alpha


def test_boxes_are_those_of_connected_components_in_their_order():
    rng = np.random.default_rng(0)
    for count in (1, 5, 20, 60, 200):
        for side in (3, 9, 21, 33):
            squares = np.zeros((SIZE, 240), np.uint8)
            squares[rng.integers(0, SIZE, count), rng.integers(0, 240, count)] = 255
            squares = cv2.dilate(squares, np.ones((side, side), np.uint8))
            _, _, found, _ = cv2.connectedComponentsWithStats(squares)
            assert boxes(squares) == [tuple(box[:4]) for box in found[1:].tolist()]
