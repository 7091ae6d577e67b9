import numpy as np
import pytest

from relight_assets.stages.degraded.geometry.skin import EYES_AND_MOUTH, likelihood
from relight_assets_tests.stages.portraits import face_mesh

HEIGHT, WIDTH = 192, 160
LIGHT, DARK = (0.55, 0.36, 0.28), (0.10, 0.055, 0.035)


def points():
    """A flat face: the named points where the real mesh has them, about."""
    flat = np.random.default_rng(0).uniform((40, 30), (120, 160), (468, 2))
    named = {10: (80, 40), 151: (80, 50), 9: (80, 60), 108: (68, 50), 337: (92, 50), 5: (80, 100), 195: (80, 92)}
    named |= {50: (58, 100), 101: (62, 96), 205: (60, 108), 280: (102, 100), 330: (98, 96), 425: (100, 108)}
    flat[list(named)] = list(named.values())
    for ring, (x, y) in zip(EYES_AND_MOUTH, ((62, 76), (98, 76), (80, 125)), strict=True):
        turns = np.linspace(0, 2 * np.pi, len(ring), endpoint=False)
        flat[list(ring)] = np.column_stack([x + 7 * np.cos(turns), y + 3 * np.sin(turns)])
    return np.column_stack([flat, np.zeros(468)]).astype(np.float32)


def painted(skin):
    """A face with a fringe of dark hair, a frame, and a blue stripe of paint."""
    albedo = np.empty((HEIGHT, WIDTH, 3), np.float32)
    albedo[:] = skin
    albedo[:44] = np.array(skin) * 0.12
    albedo[84:89] = np.array(skin) * 0.10
    albedo[130:140] = np.array(skin)[::-1]
    return albedo


@pytest.mark.parametrize("skin", [LIGHT, DARK])
def test_bare_skin_is_distinguished_from_hair_frames_and_paint_whatever_its_shade(skin):
    found = likelihood(painted(skin), [points()])
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    assert found[105:120, 50:110].mean() > 0.9
    assert found[30:40, 50:110].mean() < 0.3
    assert found[86, 60:100].mean() < 0.3
    assert found[135, 60:100].mean() < 0.3
    assert found[76, 62] < 0.1  # an eye


def test_of_what_is_beside_faces_nothing_is_known():
    found = likelihood(painted(LIGHT), [points()])
    assert (found[:, :30] == 1).all()
    assert (likelihood(painted(LIGHT), []) == 1).all()
    assert (likelihood(painted(LIGHT), [points() + 500]) == 1).all()


def test_each_face_has_its_own_measure():
    pair = np.concatenate([painted(LIGHT), painted(DARK)], axis=1)
    found = likelihood(pair, [points(), points() + np.float32([WIDTH, 0, 0])])
    assert found[105:120, 50:110].mean() > 0.9
    assert found[105:120, WIDTH + 50 : WIDTH + 110].mean() > 0.9


def test_a_mesh_that_reaches_out_of_the_image_is_taken():
    mesh, _ = face_mesh(HEIGHT, WIDTH)
    for shift in (-60.0, 90.0):
        found = likelihood(painted(LIGHT), [mesh + np.float32([shift, shift, 0])])
        assert np.isfinite(found).all()
