"""All metrics of an albedo: each tells what is bad in its way, and none what is good."""

import numpy as np
import pytest

from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.stages.albedo.evaluation.albedo_metrics import NOT_MEASURED, measure_albedo
from relight_assets.stages.albedo.evaluation.albedo_tags import tags
from relight_assets.stages.foreground_color import with_alpha
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import BAD, Demo, lit
from relight_assets_tests.stages.portraits import face_mesh, portrait


def test_the_photo_itself_is_as_it_was_but_for_its_light(demo: Demo) -> None:
    found = BAD["own_light_left"](demo).measured().plain()
    unchanged = {"skin_against_rest": 0, "chroma_step": 0, "dark_lift": 0, "newly_clipped": 0}
    kept = {"mid_contrast": 1, "own_light_left": 1, "highlight_left": 1, "face_chroma": 1}
    assert found == unchanged | kept


def test_skin_is_compared_with_the_rest_whatever_the_exposure(demo: Demo) -> None:
    darker = demo.case(demo.person, lit(demo.person, 1 - 0.3 * demo.face_mask())).measured().skin_against_rest
    assert darker == pytest.approx(np.log2(0.7), abs=0.06)
    everything = demo.case(demo.person, demo.person * np.float32(0.7)).measured().skin_against_rest
    assert everything == pytest.approx(0, abs=0.03)


def test_fog_lifts_what_is_dark_and_clipping_is_what_the_photo_did_not_have(demo: Demo) -> None:
    fog = BAD["dark_lift"](demo).measured()
    assert fog.dark_lift is not None
    assert fog.dark_lift > 0.5
    assert fog.newly_clipped == 0
    bright = demo.person * np.float32(3.0)
    assert demo.case(bright, bright).measured().newly_clipped == 0
    clipped = demo.case(demo.person, bright).measured().newly_clipped
    assert clipped is not None
    assert clipped > 0.05


def test_a_size_more_or_less_changes_little(demo: Demo) -> None:
    case = demo.good()
    small = case.measured().plain()
    foreground, albedo = (image.repeat(2, axis=0).repeat(2, axis=1) for image in (case.foreground, case.albedo))
    large = measure_albedo(foreground, albedo, [case.face * 2 + np.array([0.5, 0.5, 0], np.float32)], TRIANGLES).plain()
    for name, value in small.items():
        assert large[name] == pytest.approx(value, abs=0.06), name


def test_without_a_face_only_the_person_is_measured() -> None:
    person, (points, triangles) = portrait(), face_mesh()
    for faces in ([], [points * np.float32(0.1)], [points + np.float32(5000)]):
        found = measure_albedo(person.foreground, person.rgb, faces, triangles).plain()
        measured = {name for name, value in found.items() if value is not None}
        assert {"newly_clipped"} <= measured <= {"newly_clipped", "dark_lift"}
    assert measure_albedo(person.foreground, person.rgb, [points], triangles).skin_against_rest == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (64, 3), (200, 130)])
@pytest.mark.parametrize("color", [0, 90, 255])
@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_whatever_there_is_is_measured_or_not_and_no_fault(shape, color, alpha) -> None:
    rgb = np.full((*shape, 3), color, np.uint8)
    points, triangles = face_mesh()
    found = measure_albedo(with_alpha(rgb, np.full(shape, alpha, np.uint8)), rgb, [points], triangles)
    if alpha < 255:
        assert found == NOT_MEASURED
    assert all(np.isfinite(value) for value in found.plain().values() if value is not None)
    assert set(tags(found).values()) == {False}
