"""Contrast, own light, highlights and color of a face's skin."""

import numpy as np
import pytest

from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.stages.albedo.evaluation.skin_light import (
    face_chroma,
    highlight_left,
    mid_contrast,
    own_light_left,
)
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import BAD, Demo, lit


def test_a_shadow_that_is_taken_out_takes_no_contrast_and_paint_does(demo: Demo) -> None:
    shaded = demo.case(demo.person * demo.shadow(0.4), demo.person)
    assert mid_contrast(shaded.view) == pytest.approx(1, abs=0.03)
    painted = mid_contrast(BAD["mid_contrast"](demo).view)
    assert painted is not None
    assert painted < 0.55


def test_own_light_is_all_there_in_the_photo_and_less_where_it_was_taken_out(demo: Demo) -> None:
    photo = lit(demo.person, demo.side_light(2.0))
    left = [
        own_light_left(demo.case(photo, lit(demo.person, demo.side_light(stops))).view, TRIANGLES)
        for stops in (2.0, 1.0, 0.0, -1.0)
    ]
    assert left[0] == pytest.approx(1)
    assert None not in left
    steps = np.diff([value or 0.0 for value in left])
    assert (steps < -0.25).all()
    assert steps == pytest.approx(np.full(3, steps.mean()), abs=0.06)  # linear in what is taken out


def test_own_light_is_undefined_where_the_shape_tells_none(demo: Demo) -> None:
    flat = lit(demo.person, demo.face_mask() * -0.2 + 1)
    assert own_light_left(demo.case(flat, flat).view, TRIANGLES) is None


def test_highlights_are_what_is_bright_and_paler_than_skin(demo: Demo) -> None:
    glossy = demo.person + demo.gloss()
    kept, half, gone = (
        highlight_left(demo.case(glossy, albedo).view)
        for albedo in (glossy, demo.person + 0.5 * demo.gloss(), demo.person)
    )
    assert kept == pytest.approx(1)
    assert kept is not None
    assert half is not None
    assert gone is not None
    assert kept > half > gone
    assert gone < 0.5
    dimmed = highlight_left(demo.case(glossy, glossy * np.float32(0.5)).view)
    assert dimmed == pytest.approx(1, abs=0.1)  # each in units of its own skin


def test_skin_that_does_not_shine_has_no_highlights(demo: Demo) -> None:
    matt = np.minimum(demo.person, np.quantile(demo.person[demo.face_mask()[..., 0] > 0.9], 0.5, axis=0))
    assert highlight_left(demo.case(matt.astype(np.float32), demo.person).view) is None


def test_chroma_is_that_of_the_photo_whatever_the_exposure(demo: Demo) -> None:
    brighter = face_chroma(demo.case(demo.person, demo.person * np.float32(1.5)).view)
    assert brighter == pytest.approx(1, abs=0.03)
    pale = face_chroma(BAD["face_chroma"](demo).view)
    assert pale is not None
    assert pale < 0.9
    gray = np.repeat(demo.person.mean(axis=2, keepdims=True), 3, axis=2)
    assert face_chroma(demo.case(gray, gray).view) is None
