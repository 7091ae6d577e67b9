"""Where the detector looks, and how it joins answers.  The network is tested in test_face_mesh."""

import itertools

import numpy as np
import pytest

from relight_assets.models.faces.detection import Detection, merged, overlap, search_areas, shrunk_by_whole


def detection(x: float, y: float, size: float, score: float) -> Detection:
    return Detection(np.array([x, y, size, size]), np.full((6, 2), x), score)


@pytest.mark.parametrize("shape", [(600, 800), (800, 600), (512, 512), (100, 3000), (1, 1)])
def test_the_squares_of_each_list_cover_the_image(shape: tuple[int, int]) -> None:
    height, width = shape
    lists = list(search_areas(height, width))
    assert lists
    for squares in lists:
        seen = np.zeros(shape, dtype=bool)
        for square in squares:
            top, left = max(0, int(np.floor(square.y))), max(0, int(np.floor(square.x)))
            seen[top : int(np.ceil(square.y + square.side)), left : int(np.ceil(square.x + square.side))] = True
        assert seen.all()
        assert len(squares) <= 36


def test_neighbouring_squares_share_a_third_so_that_no_face_is_cut_by_all() -> None:
    *_, smallest = search_areas(1000, 1000)
    starts = sorted({square.x for square in smallest})
    assert max(b - a for a, b in itertools.pairwise(starts)) <= smallest[0].side * 2 / 3


def test_overlap_is_intersection_over_union() -> None:
    box = np.array([10.0, 10.0, 4.0, 4.0])
    assert overlap(box, box) == pytest.approx(1.0)
    assert overlap(box, box + np.array([2, 0, 0, 0])) == pytest.approx(1 / 3)
    assert overlap(box, box + np.array([4, 0, 0, 0])) == 0.0
    assert overlap(box * 0, box * 0) == 0.0


def test_answers_for_one_face_become_one_by_their_weighted_mean() -> None:
    result = merged([detection(12, 10, 8, 0.25), detection(10, 10, 8, 0.75), detection(50, 50, 8, 0.6)])
    assert [each.score for each in result] == [0.75, 0.6]
    assert np.allclose(result[0].box, (10.5, 10, 8, 8))
    assert np.allclose(result[0].keypoints, 10.5)
    assert merged([]) == []


def test_the_roll_is_the_angle_of_the_line_through_the_eyes() -> None:
    eyes = np.array([[10.0, 10.0], [20.0, 20.0], *[[0.0, 0.0]] * 4])
    assert np.degrees(Detection(np.zeros(4), eyes, 1.0).roll) == pytest.approx(45)


def test_shrinking_by_a_whole_number_averages_and_drops_the_rest() -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    shrunk = shrunk_by_whole(image, 2)
    assert shrunk.shape == (2, 3, 3)
    assert abs(int(shrunk[0, 0, 0]) - image[:2, :2, 0].mean()) <= 0.5
    assert shrunk_by_whole(image, 1) is image
