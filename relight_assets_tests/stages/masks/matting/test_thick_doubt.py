import cv2
import numpy as np

from relight_assets.stages.masks.matting.thick_doubt import DECIDED, decided, thick_doubt
from relight_assets_tests.stages.masks.matting.scenes import SIZE, at_guide, with_brim


def test_only_doubt_wider_than_a_softness_is_thick():
    probability = np.zeros((SIZE, SIZE), np.float32)
    probability[:, :100] = 1
    probability[:, 100:105] = 0.5  # the softness of an edge
    assert not thick_doubt(probability).any()
    probability[200:240, 100:150] = 0.5
    thick = thick_doubt(probability)
    assert thick[220, 125]
    assert not thick[:180].any()


def test_a_brim_is_decided_by_its_colours():
    rgb, alpha, cells = with_brim()
    lab, probability = at_guide(rgb, cells)
    thick = thick_doubt(probability)
    answer = decided(lab, probability, thick)
    assert thick.sum() > 2000
    assert np.abs(answer - alpha)[thick].mean() < 0.08 < np.abs(probability - alpha)[thick].mean()
    assert answer[130, 80] > 0.95
    assert answer[100, 45] < 0.05
    assert np.array_equal(answer[~thick], probability[~thick])
    assert (DECIDED[0] - 1e-6 <= answer[thick].min(), answer[thick].max() <= DECIDED[1] + 1e-6) == (True, True)


def test_nothing_is_decided_where_there_is_no_doubt_or_one_side_alone():
    rgb, _, cells = with_brim()
    lab, probability = at_guide(rgb, cells)
    sure = (probability > 0.5).astype(np.float32)
    assert decided(lab, sure, thick_doubt(sure)) is sure
    half = np.full_like(probability, 0.5)
    assert np.array_equal(decided(lab, half, thick_doubt(half)), half)


def test_the_seed_of_the_caller_does_not_matter():
    rgb, _, cells = with_brim()
    lab, probability = at_guide(rgb, cells)
    thick = thick_doubt(probability)
    answers = []
    for seed in (3, 99):
        cv2.setRNGSeed(seed)
        answers.append(decided(lab, probability, thick))
    assert np.array_equal(*answers)
