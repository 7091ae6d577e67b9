"""Small heads are asked for again, large ones never, and both answers are joined without a seam."""

import numpy as np
import pytest

from relight_assets.stages.masks.matting.second_look import CROP, MOST_FACES, SMALL_FACE, head_box, second_look

SHAPE = (400, 600, 3)


def face(height: float, x: float = 300.0, y: float = 200.0):
    """Points of a face of that height, in the middle unless said."""
    return np.array([[x - height / 3, y - height / 2], [x + height / 3, y + height / 2]], np.float32)


def photo():
    return np.random.default_rng(3).integers(0, 256, SHAPE, np.uint8)


def test_only_small_faces_are_asked_for_again():
    assert head_box(face(SMALL_FACE * 600 + 1), SHAPE) is None
    assert head_box(face(10), SHAPE) is None
    left, top, wide, tall = head_box(face(60), SHAPE)
    assert (wide, tall) == (pytest.approx(CROP * 60, abs=1), pytest.approx(CROP * 60, abs=1))
    assert left + wide / 2 == pytest.approx(300, abs=1)
    assert top + tall / 2 == pytest.approx(206, abs=1)  # lower: shoulders are part of it


def test_a_box_ends_at_the_photo_s_edges():
    assert head_box(face(60, x=10, y=390), SHAPE) == (0, 294, 112, 106)
    assert head_box(face(60, x=-500), SHAPE) is None


def test_without_a_small_face_nothing_is_asked():
    def never(_):
        raise AssertionError

    assert second_look(photo(), np.zeros((64, 64), np.float32), [face(200)], never) is None
    assert second_look(photo(), np.zeros((64, 64), np.float32), [], never) is None


def test_the_crop_is_the_photo_s_own_and_its_answer_counts_there_alone():
    rgb, asked = photo(), []

    def everywhere(crop):
        asked.append(crop)
        return np.ones((256, 256), np.float32)

    first = np.full((256, 256), 0.2, np.float32)
    joined = second_look(rgb, first, [face(60)], everywhere)
    left, top, wide, tall = head_box(face(60), SHAPE)
    assert np.array_equal(asked[0], rgb[top : top + tall, left : left + wide])
    assert joined.dtype == np.float32
    assert joined.shape == (256, 384)
    assert joined[128, 192] > 0.98
    outside = np.ones(joined.shape, bool)
    rows, columns = (round(top * 0.64), round((top + tall) * 0.64)), (round(left * 0.64), round((left + wide) * 0.64))
    outside[rows[0] - 1 : rows[1] + 2, columns[0] - 1 : columns[1] + 2] = False
    assert joined[outside] == pytest.approx(0.2, abs=1e-6)
    assert np.abs(np.diff(joined, axis=1)).max() < 0.12  # no seam


def test_an_answer_that_agrees_changes_nothing_and_a_weak_one_outvotes_no_sure_one():
    first = np.full((256, 256), 0.97, np.float32)
    same = second_look(photo(), first, [face(60)], lambda _: np.full((256, 256), 0.97, np.float32))
    assert same == pytest.approx(0.97, abs=1e-5)
    doubted = second_look(photo(), first, [face(60)], lambda _: np.full((256, 256), 0.5, np.float32))
    assert doubted.min() > 0.7


def test_so_many_faces_and_no_more():
    asked = []

    def counted(crop):
        asked.append(crop.shape)
        return np.zeros((8, 8), np.float32)

    many = [face(50, x=60.0 + 60 * number) for number in range(8)]
    second_look(photo(), np.zeros((64, 64), np.float32), many, counted)
    assert len(asked) == MOST_FACES
