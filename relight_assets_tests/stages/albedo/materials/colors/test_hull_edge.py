from dataclasses import replace

import numpy as np

from relight_assets.stages.albedo.materials.colors.hull_edge import REACH, join
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets_tests.stages.albedo.materials.heads import head


def sides(face, plane):
    """Medians of a plane close to the chin's edge, where there is skin on both sides: inside and outside."""
    chin = face.downward > 0.85
    bands = (face.inward > 0.03) & (face.inward < 0.08), (face.outward > 0.02) & (face.outward < 0.05)
    neck = np.abs(np.indices(plane.shape)[1] - face.points[:, 0].mean()) < 0.1 * face.height
    return tuple(float(np.median(plane[band & chin & neck])) for band in bands)


def joined(inside, outside):
    person, face = head().small
    skin = find_skin(person, face)
    assert skin is not None
    change = np.where(face.hull > 0, np.float32(inside), np.float32(outside))
    red, blue = join(person, skin, [change, -change])
    assert np.array_equal(red, -blue)
    return face, change, red


def test_skin_beyond_the_edge_follows_what_is_inside():
    face, _, red = joined(0.2, 0.0)
    within, beyond = sides(face, red)
    assert within > 0.14
    assert within - beyond < 0.08


def test_a_change_that_is_the_same_on_both_sides_stays():
    face, change, red = joined(0.2, 0.2)
    assert np.abs(red - change)[face.outward < 0.3].max() < 0.02


def test_what_is_far_from_the_edge_is_let_be():
    face, change, red = joined(0.2, 0.0)
    far = (face.inward > 0.2) | (face.outward > REACH)
    assert np.array_equal(red[far], change[far])


def test_where_hair_is_beside_the_face_nothing_changes():
    face, change, red = joined(0.2, 0.0)
    forehead = (face.downward < 0.05) & (face.inward > 0.03)
    person, _ = head().small
    hair = (person.light < 0.03) & (face.downward < 0) & (face.outward > 0.03)
    assert np.abs(red - change)[forehead].max() < 0.15 * 0.2
    assert np.abs(red)[hair].max() < 0.05


def test_sheen_at_the_edge_keeps_the_change_that_it_needs():
    # The mean with the matt skin around it would leave it pale.
    person, face = head().small
    skin = find_skin(person, face)
    assert skin is not None
    skin = replace(skin, distance=np.zeros_like(skin.distance))  # a face whose colors vary widely
    columns = np.abs(np.indices(face.shape)[1] - face.points[:, 0].mean())
    spot = (face.downward > 0.85) & (columns < 0.06 * face.height)
    rgb = person.rgb.copy()
    rgb[spot] = 5 * rgb[spot].mean(axis=1, keepdims=True)
    change = np.where(spot, np.float32(0.4), np.float32(0))
    at = spot & (face.outward > 0.03) & (face.outward < 0.07)
    matt, pale = (join(each, skin, [change, -change])[0][at].mean() for each in (person, replace(person, rgb=rgb)))
    assert matt < 0.25
    assert pale > 0.38
