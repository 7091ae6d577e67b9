"""Whether an eye sees the lamp."""

import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.eyes.seen_lamp import lit_level, seen_share, unshaded_share
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets_tests.stages.degraded.scenes import portrait_scene


def test_it_is_the_visibility_of_that_point() -> None:
    scene = portrait_scene()
    for light in (direction(15, 0), direction(30, 180), direction(50, 90)):
        whole = visibility(scene, light, 0.2)
        for x, y in ((60, 80), (80, 100), (100, 80), (110, 90)):
            assert seen_share(scene, light, (x, y), 0.2) == pytest.approx(whole[y, x], abs=0.05)


def test_a_lamp_at_the_camera_is_seen() -> None:
    assert seen_share(portrait_scene(), direction(90, 0), (80, 80), 0.1) == 1


def test_a_pattern_hides_the_lamp_where_its_shadow_lies() -> None:
    scene, light = portrait_scene(), direction(60, 0)
    irradiance = np.ones((*scene.shape, 3), np.float32)
    irradiance[:, :80] = 0.1
    level = lit_level(scene, irradiance)
    assert level == pytest.approx(1)
    assert unshaded_share(scene, irradiance, level, light, (60, 80)) == 0
    assert unshaded_share(scene, irradiance, level, light, (100, 80)) == 1
