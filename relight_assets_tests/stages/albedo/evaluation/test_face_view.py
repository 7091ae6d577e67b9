"""Where in a face there is skin."""

import numpy as np
import pytest

from relight_assets.stages.albedo.evaluation.face_view import HEIGHT, view_of
from relight_assets.stages.face_features import EDGE, LIPS
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import Demo
from relight_assets_tests.stages.portraits import face_mesh, portrait


def test_the_face_is_scaled_to_one_height_and_its_mesh_with_it(demo: Demo) -> None:
    view = demo.good().view
    assert float(np.ptp(view.points[:, 1])) == pytest.approx(HEIGHT, rel=0.02)
    assert float(np.ptp(view.points[:, 2])) == pytest.approx(HEIGHT / np.ptp(demo.face[:, 1]) * np.ptp(demo.face[:, 2]))
    large = demo.foreground.repeat(4, axis=0).repeat(4, axis=1)
    again = view_of(large, large[..., :3].copy(), demo.face * 4 + np.array([1.5, 1.5, 0], np.float32))
    assert again is not None
    same = view_of(demo.foreground, demo.foreground[..., :3].copy(), demo.face)
    assert same is not None
    sizes = [each.skin.shape for each in (same, again)]
    inner = np.s_[: min(size[0] for size in sizes), : min(size[1] for size in sizes)]
    assert np.abs(same.photo[inner] - again.photo[inner]).mean() < 0.02
    assert (same.skin[inner] != again.skin[inner]).mean() < 0.02


def test_skin_is_the_face_without_its_rim_eyes_brows_and_lips(demo: Demo) -> None:
    view = demo.good().view
    assert 0.3 < np.count_nonzero(view.skin) / np.count_nonzero(view.hull) < 0.75
    for point in (50, 280, 5, 151):  # cheeks, nose, forehead
        x, y = np.rint(view.points[point, :2]).astype(int)
        assert view.skin[y, x]
    for point in (*LIPS, 159, 386, 105, 334):
        x, y = np.rint(view.points[point, :2]).astype(int)
        assert not view.skin[y, x]
    assert view.inside[view.skin].min() > EDGE


def test_what_is_not_the_person_is_no_skin() -> None:
    person, (points, _) = portrait(), face_mesh()
    hidden = person.foreground
    hidden[:, 80:, 3] = 0
    view = view_of(hidden, person.rgb, points)
    assert view is not None
    assert view.skin.any()
    assert np.nonzero(view.skin)[1].max() < view.points[:, 0].mean() + 2  # half of the face is hidden


@pytest.mark.parametrize("change", [lambda face: face * 0.3, lambda face: face + 4000, lambda face: face * np.nan])
def test_a_face_that_is_small_or_not_in_the_photo_is_none(change) -> None:
    person, (points, _) = portrait(), face_mesh()
    assert view_of(person.foreground, person.rgb, points) is not None
    assert view_of(person.foreground, person.rgb, change(points)) is None
