import numpy as np
import pytest

from relight_assets.stages.masks.matting.surroundings import local_colors, surroundings

SHAPE = (384, 96)


def test_deviations_are_counted_from_the_mean_around():
    small = np.full((*SHAPE, 3), 100, np.float32)
    side = np.ones(SHAPE, np.float32)
    around = surroundings(small, side, 3)
    assert around.count.reshape(SHAPE)[50, 50] == 49
    there = around.at(np.array([50 * SHAPE[1] + 50]))
    assert there.off(np.array([[100, 100, 100]], np.float32))[0] == pytest.approx(0, abs=1e-3)
    assert there.off(np.array([[106, 100, 100]], np.float32))[0] == pytest.approx(1, abs=1e-2)  # one grain
    assert around.off(small.reshape(-1, 3)) == pytest.approx(0, abs=1e-3)


def test_each_place_is_compared_with_both_sides_near_it():
    lab = np.full((*SHAPE, 3), 60, np.uint8)
    lab[:, 48:] = 180
    person, back = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    person[:, :46], back[:, 50:] = True, True
    places = np.array([40 * SHAPE[1] + 46, 40 * SHAPE[1] + 49])
    around = local_colors(lab, person, back, places)
    assert around.enough.all()
    assert (around.off_person < 9).tolist() == [True, False]
    assert (around.off_back < 9).tolist() == [False, True]
    of_person, of_back = around.sides_at(np.array([1]))
    assert of_person[0] == pytest.approx(60, abs=1)
    assert of_back[0] == pytest.approx(180, abs=1)


def test_what_of_the_person_looks_like_the_wall_does_not_count():
    lab = np.full((*SHAPE, 3), 60, np.uint8)
    person, back = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    person[:, 38:46], back[:, 50:] = True, True
    around = local_colors(lab, person, back, np.array([40 * SHAPE[1] + 48]))
    assert not around.enough.any()
    assert (around.off_back < 9).all()


def test_of_hair_with_wall_in_it_the_hair_is_the_persons_color():
    lab = np.full((*SHAPE, 3), 60, np.uint8)
    lab[:, 20:46][:, np.arange(26) % 8 < 2] = 130  # half wall
    lab[:, 48:] = 200
    person, back = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    person[:, :46], back[:, 50:] = True, True
    around = local_colors(lab, person, back, np.array([40 * SHAPE[1] + 44]))
    of_person, _ = around.sides_at(np.array([0]))
    assert of_person[0].max() < 75  # the mean of all is 79
