"""A photo's depth or normals: axes, signs, and how often its file is read."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.networks import Geometry
from relight_assets.engine.state.digests import ABSENT, UNREAD
from relight_assets.engine.state.geometry_stamps import known_sha256, stamps_of
from relight_assets.engine.worker.geometry_maps import GeometryMap
from relight_assets.errors import GeometryMissingError
from relight_assets.stages.degraded.stage import GEOMETRY_FILE
from relight_assets.storage.files import FileStamp, source_token

RGB = np.zeros((40, 30, 3), np.uint8)


def geometry(**given: object) -> Geometry:
    return Geometry.model_validate({"files": "{stem}.png"} | given)


def of(photo: Path, estimator: object = None, **given: object) -> GeometryMap:
    return GeometryMap(geometry(**given), photo, image_root=None, max_pixels=9999, estimator=estimator)  # type: ignore[arg-type]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    depth = np.linspace(0, 65535, 1200).reshape(40, 30).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), depth)
    return tmp_path / "a.jpg"


def test_farther_may_be_larger(photo: Path) -> None:
    near, far = (of(photo, source="depth_file", invert=invert).of(RGB) for invert in (False, True))
    assert near is not None
    assert far is not None
    assert np.array_equal(near.image, -far.image)
    assert near.kind == "depth"


@pytest.mark.parametrize(("axis", "sign"), [("up", -1), ("down", 1)])
def test_y_points_up_or_down(tmp_path: Path, axis: str, sign: int) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 30, 3), (255, 255, 0), np.uint8))  # z, y, x of 1, 1, -1
    made = of(tmp_path / "a.jpg", source="normals_file", y_axis=axis).of(RGB)
    assert made is not None
    np.testing.assert_array_equal(made.image[3, 3], (-1, sign, 1))


def test_a_network_is_asked_once_for_a_photo() -> None:
    class Counting:
        asked = 0

        def estimate(self, rgb: np.ndarray) -> np.ndarray:
            self.asked += 1
            return np.ones(rgb.shape[:2], np.float32)

    network = Counting()
    maps = of(Path("a.jpg"), network, source="depth_model", invert=True)
    assert maps.of(RGB) is maps.of(RGB)
    assert network.asked == 1
    assert maps.sha256([]) == {}
    assert of(Path("a.jpg")).of(RGB) is None


def test_a_file_is_read_when_its_stat_is_not_remembered(photo: Path) -> None:
    status = (photo.parent / "a.png").stat()
    remembered = FileStamp("remembered", status.st_size, source_token(status))
    maps = of(photo, source="depth_file")
    assert maps.sha256([remembered]) == {GEOMETRY_FILE: "remembered"}
    fresh = of(photo, source="depth_file")
    read = fresh.sha256([])[GEOMETRY_FILE]
    assert len(read) == 64
    maps.read()  # before it is used, whatever was remembered
    assert maps.sha256([remembered]) == {GEOMETRY_FILE: read}


def test_a_plan_knows_by_the_stat_alone(photo: Path) -> None:
    asked = geometry(source="depth_file")
    assert known_sha256(asked, photo, None, None, None) == {GEOMETRY_FILE: UNREAD}
    assert known_sha256(asked, photo.with_name("b.jpg"), None, None, None) == {GEOMETRY_FILE: ABSENT}
    assert known_sha256(geometry(), photo, None, None, None) == {}
    assert stamps_of(None, None) == []
    with pytest.raises(GeometryMissingError):
        of(photo.with_name("b.jpg"), source="depth_file").of(RGB)
