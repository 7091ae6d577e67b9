import cv2
import numpy as np

from relight_assets.stages.masks.matting.color_votes import color_votes, is_background, overruled, sides_of_colors
from relight_assets.stages.masks.matting.thick_doubt import thick_doubt
from relight_assets_tests.stages.masks.matting.scenes import SIZE, SKIN, at_guide, with_brim

HAIR, WATER, HALF = (60, 40, 30), (165, 200, 197), (112, 120, 113)


def wedge():
    """A wedge of wall in the person that the segmenter does not see, and an ear that it does not see either."""
    rgb, alpha, _ = with_brim()
    cells = cv2.resize(alpha, (128, 128), interpolation=cv2.INTER_AREA)
    rgb[225:235, 265:282] = rgb[10:20, 10:27]
    rgb[276:284, 116:124] = rgb[200:208, 150:158]
    return rgb, cells


def test_a_wedge_of_wall_and_a_part_of_the_person_are_found():
    rgb, cells = wedge()
    lab, probability = at_guide(rgb, cells)
    probability[276:284, 116:124] = 0.3
    votes = color_votes(lab, probability, thick_doubt(probability))
    assert votes.background[226:234, 266:280].mean() > 0.9
    assert votes.person[277:283, 117:120].mean() > 0.7
    assert votes.background.sum() < 400
    assert votes.person.sum() < 400
    prior = overruled(probability.copy(), votes)
    assert prior[230, 272] < 0.1
    assert prior[280, 118] > 0.9


def test_hair_with_half_of_the_wall_in_it_is_mixed_and_unknown():
    rgb, _, cells = with_brim(person=HAIR, wall=WATER)
    rgb[200:210, 262:276] = HALF
    lab, probability = at_guide(rgb, cells)
    votes = color_votes(lab, probability, thick_doubt(probability))
    there = votes.mixed[202:208, 264:274]
    assert 0.2 < there.mean() < 0.8
    assert votes.unknown[199:211, 261:277].mean() > 0.9
    assert overruled(probability.copy(), votes)[204, 268] == votes.mixed[204, 268]
    assert (votes.mixed[180:260, 150:230] == 1).all()  # deep in the person
    assert (votes.mixed[probability <= 0.5] == 1).all()


def test_a_color_that_the_person_has_elsewhere_is_not_mixed():
    rgb, _, cells = with_brim(person=HAIR, wall=WATER)
    rgb[200:210, 262:276] = HALF
    rgb[190:250, 160:220] = HALF
    lab, probability = at_guide(rgb, cells)
    votes = color_votes(lab, probability, thick_doubt(probability))
    assert (votes.mixed[202:208, 264:274] == 1).all()


def test_colours_that_both_have_vote_for_nobody():
    rgb, _, cells = with_brim(wall=SKIN)
    lab, probability = at_guide(rgb, cells)
    thick = thick_doubt(probability)
    votes = color_votes(lab, probability, thick)
    assert not votes.person.any()
    assert not votes.background.any()
    assert votes.alike.sum() > 900  # near the head: farther away there is nothing to compare with
    assert not votes.alike[~thick].any()


def test_one_side_alone_votes_for_nothing():
    lab = np.full((SIZE, SIZE, 3), 90, np.uint8)
    for value in (0.0, 0.5, 1.0):
        probability = np.full((SIZE, SIZE), value, np.float32)
        votes = color_votes(lab, probability, thick_doubt(probability))
        assert not np.stack([votes.person, votes.background, votes.alike]).any()


def test_a_part_is_background_by_its_colors_alone_where_they_are_the_backgrounds() -> None:
    lab = np.full((40, 40, 3), (60, 128, 128), np.uint8)
    lab[:, 20:] = (180, 150, 150)
    lab[:4] = (120, 90, 90)  # on both sides
    sure_back, sure_person = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    sure_back[:, :20], sure_person[:, 20:] = True, True
    of_person, of_back = sides_of_colors(lab, sure_person, sure_back)
    assert of_back[10:, :20].all()
    assert of_person[10:, 20:].all()
    assert not (of_back | of_person)[:4].any()
    assert is_background(of_person=0.02, of_back=0.4)
    assert not is_background(of_person=0.1, of_back=0.5)  # walls do not have so much of the person
    assert not is_background(of_person=0.0, of_back=0.05)  # a helmet
