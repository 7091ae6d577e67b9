import numpy as np
import pytest

from relight_assets.stages.degraded.shading.skin_oil import oil
from relight_assets_tests.stages.degraded.scenes import named_mesh


def test_forehead_and_nose_shine_most_and_jaws_least():
    points, _ = named_mesh()
    found = oil([points], (192, 160), (0, 0))
    forehead, nose, jaw = found[60, 80], found[97, 80], found[112, 56]
    assert min(forehead, nose) > 0.85
    assert jaw < 0.2
    assert found.min() >= 0
    assert found.max() <= 1.15 + 1e-5


def test_a_part_is_that_part_of_the_whole():
    points, _ = named_mesh()
    whole, part = oil([points], (192, 160), (0, 0)), oil([points], (50, 40), (60, 70))
    assert part == pytest.approx(whole[70:120, 60:100], abs=1e-6)


def test_every_face_shines():
    points, _ = named_mesh()
    both = oil([points, points + np.float32(300)], (600, 500), (0, 0))
    assert both[60, 80] == pytest.approx(both[360, 380], abs=1e-3)
