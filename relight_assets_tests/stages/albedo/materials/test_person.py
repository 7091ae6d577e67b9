import numpy as np
import pytest

from relight_assets.core.color import decode, luminance
from relight_assets.stages.albedo.materials.person import FACE_HEIGHT, LONGEST, SMALL_FACE_SIDE, reduced, saturation
from relight_assets_tests.stages.albedo.materials.heads import head


def mesh(height):
    points = np.zeros((468, 3), np.float32)
    points[:, 1] = np.linspace(10, 10 + height, 468)
    return points


@pytest.mark.parametrize(("shape", "face"), [((600, 500), 400), ((2000, 900), 700), ((4000, 3000), 90), ((40, 30), 25)])
def test_a_face_has_enough_pixels_at_every_size(shape, face):
    rgb, alpha = np.full((*shape, 3), 120, np.uint8), np.full(shape, 255, np.uint8)
    person, (points,) = reduced(rgb, alpha, [mesh(face)])
    assert max(person.inside.shape) <= max(LONGEST, SMALL_FACE_SIDE)
    found = float(np.ptp(points[:, 1]))
    assert found <= FACE_HEIGHT * 1.5
    assert found / face == pytest.approx(person.inside.shape[0] / shape[0], rel=0.02)


def test_what_is_beside_the_person_darkens_nobody():
    rgb = np.zeros((640, 640, 3), np.uint8)
    alpha = np.zeros((640, 640), np.uint8)
    alpha[101:, 103:507] = 255
    rgb[alpha > 0] = (200, 150, 120)
    person, _ = reduced(rgb, alpha, [mesh(300)])
    true = float(luminance(decode(np.uint8([[[200, 150, 120]]])))[0, 0])
    assert person.light[person.inside > 0] == pytest.approx(true, rel=0.04)
    assert person.size == pytest.approx(np.sqrt((alpha > 0).sum()) * person.inside.shape[0] / 640, rel=0.02)


def test_logarithms_and_ratios():
    person, _ = head().small
    inside = person.inside > 0.9
    assert person.log_light[inside] == pytest.approx(np.log2(person.light[inside] + 0.004), abs=1e-4)
    red, blue = person.log_ratios
    assert saturation(red, blue)[inside].min() >= 0
    assert person.saturation[inside].max() < 1
    assert np.all(person.peak >= person.light - 1e-6)


def test_a_part_has_less_weight():
    person, _ = head().small
    half = np.full_like(person.inside, 0.5)
    assert person.part(half).inside == pytest.approx(0.5 * person.inside)
