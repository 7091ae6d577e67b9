"""What a light does to a face, measured where that is known."""

from dataclasses import replace

import numpy as np
import pytest

from relight_assets.core.color import tinted
from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets.stages.degraded.shading.face_light import FaceSkin, face_skin, measure
from relight_assets.stages.degraded.tone_curve import ToneCurve
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def skin_of(scene) -> FaceSkin:
    found = face_skin(scene)
    assert found is not None
    return found


def under(light, highlight=None):
    scene = face_scene()
    plane = np.broadcast_to(np.asarray(light, np.float32), (*scene.shape, 3)).copy()
    return measure(scene, skin_of(scene), Shading(plane, highlight, {}), ToneCurve())


def test_even_light_is_none_and_changes_no_colour():
    found = under(0.5)
    assert found["face_light"] == pytest.approx(0, abs=0.02)
    assert found["skin_chroma"] == pytest.approx(1, abs=1e-3)
    assert found["skin_hue"] == pytest.approx(0, abs=0.1)


def test_two_halves_two_stops_apart_are_a_spread_of_one_stop():
    scene = face_scene()
    middle = np.median(skin_of(scene).at % scene.shape[1])
    left = np.arange(scene.shape[1]) < middle
    assert under(np.where(left, 0.2, 0.8)[None, :, None])["face_light"] == pytest.approx(1, abs=0.12)


def test_detail_finer_than_the_blur_does_not_count():
    scene = face_scene()
    noise = np.exp2(np.random.default_rng(0).normal(0, 1, (*scene.shape, 1)))
    assert under(0.3 * noise)["face_light"] < 0.5


def test_warm_light_has_more_chroma_and_cold_light_less():
    warm, cold = under(tinted(3000, 0.5) * 0.5), under(tinted(12000, 0.5) * 0.5)
    assert warm["skin_chroma"] > 1.1
    assert cold["skin_chroma"] < 0.9


def test_a_highlight_counts():
    scene = face_scene()
    spot = np.zeros((*scene.shape, 3), np.float32)
    spot[: scene.shape[0] // 2] = 0.3
    assert under(0.3, spot)["face_light"] > under(0.3)["face_light"] + 0.3


def test_the_skin_is_inside_the_mesh_beside_eyes_and_mouth():
    scene = face_scene()
    skin = skin_of(scene)
    rows, columns = np.unravel_index(skin.at, scene.shape)
    points = scene.faces[0]
    assert points[:, 0].min() < columns.min() < columns.max() < points[:, 0].max()
    assert points[:, 1].min() < rows.min() < rows.max() < points[:, 1].max()
    for ring in ((33, 133), (263, 362), (61, 291)):
        column, row = np.rint(points[list(ring), :2].mean(axis=0)).astype(int)
        assert row * scene.shape[1] + column not in skin.at


def test_without_a_face_or_with_hardly_any_of_it_nothing_is_measured():
    assert face_skin(portrait_scene(with_face=False)) is None
    scene = face_scene()
    assert face_skin(replace(scene, albedo=np.zeros_like(scene.albedo))) is None
    assert face_skin(replace(scene, faces=(scene.faces[0] + np.float32([5000, 0, 0]),))) is None
