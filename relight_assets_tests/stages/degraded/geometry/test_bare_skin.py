import numpy as np
import pytest

from relight_assets.stages.degraded.geometry.bare_skin import face_height, outline
from relight_assets_tests.stages.degraded.scenes import face_scene, named_mesh, portrait_scene

FOREHEAD, CHEEK, EYE, HAIR, SHIRT, MOUTH = (
    np.s_[60:66, 72:88],
    np.s_[92:98, 96:104],
    np.s_[78:84, 60:68],
    np.s_[24:40, 60:100],
    np.s_[150:190, 40:120],
    np.s_[108:111, 76:84],
)


@pytest.mark.parametrize("options", [{}, {"tone": 0.25}, {"gray": True}], ids=["light", "dark", "gray"])
def test_forehead_and_cheeks_are_bare_whatever_the_skin_and_hair_eyes_and_cloth_are_not(options):
    skin = face_scene(**options).bare_skin
    assert skin.min() >= 0
    assert skin.max() <= 1
    assert skin[FOREHEAD].min() > 0.8
    assert skin[CHEEK].min() > 0.8
    assert skin[EYE].max() < 0.2
    assert skin[MOUTH].max() < 0.6
    assert skin[SHIRT].max() < 0.05
    assert skin[HAIR].mean() < 0.05


def test_bare_skin_goes_on_above_the_mesh_up_to_the_hair():
    points, _ = named_mesh()
    edge = outline(points)
    assert edge[:, 1].min() < points[:, 1].min() - 0.1 * face_height(points)
    assert edge[:, 1].max() < points[:, 1].max() + 0.05 * face_height(points)


def test_without_a_face_nothing_is_known_to_be_skin():
    assert portrait_scene(with_face=False).bare_skin.max() == 0


def test_a_second_face_takes_nothing_from_the_first():
    one, two = face_scene().bare_skin, face_scene(faces=2).bare_skin
    assert (two >= one - 0.15).mean() > 0.95
    assert two[FOREHEAD].min() > 0.8
