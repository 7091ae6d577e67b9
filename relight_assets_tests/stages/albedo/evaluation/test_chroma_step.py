"""A seam of color at the outline of the face mesh."""

import numpy as np
import pytest

from relight_assets.stages.albedo.evaluation.chroma_step import chroma_step
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import BAD, Demo, lit

TINT = np.array([1.05, 1.0, 0.88], np.float32)


def step(demo: Demo, albedo: np.ndarray) -> float:
    found = chroma_step(demo.case(demo.person, albedo).view)
    assert found is not None
    return found


def test_a_face_of_another_color_than_its_neck_has_a_step(demo: Demo) -> None:
    found = chroma_step(BAD["chroma_step"](demo).view)
    assert found == pytest.approx(float(np.hypot(np.log(1.05), np.log(0.88))), abs=0.03)


def test_another_color_or_light_of_everything_is_none(demo: Demo) -> None:
    assert step(demo, demo.person) == 0
    assert step(demo, lit(demo.person, TINT)) < 0.03
    assert step(demo, lit(demo.person, 1 - 0.3 * demo.face_mask())) < 0.03


def test_skin_that_is_clipped_does_not_count(demo: Demo) -> None:
    burnt = lit(demo.person, 1 + 40 * demo.face_mask())
    assert chroma_step(demo.case(burnt, demo.person).view) is None
