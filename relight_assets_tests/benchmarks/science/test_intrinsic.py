"""Reading a folder of intrinsic objects, whole and damaged."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.science.intrinsic import read_objects
from relight_assets.errors import UserError


def write_object(folder: Path, bits: int = 16) -> None:
    folder.mkdir(parents=True)
    kind = np.uint16 if bits == 16 else np.uint8
    full = np.iinfo(kind).max
    colored = np.zeros((8, 10, 3), kind)
    colored[..., 2] = full  # red, as OpenCV has it
    mask = np.zeros((8, 10), kind)
    mask[2:6] = full
    for name, pixels in (("diffuse", colored), ("reflectance", colored), ("shading", mask // 2), ("mask", mask)):
        cv2.imwrite(str(folder / f"{name}.png"), pixels)


@pytest.mark.parametrize("bits", [8, 16])
def test_objects_are_read_by_name_in_linear_rgb(tmp_path: Path, bits: int) -> None:
    write_object(tmp_path / "cup", bits)
    write_object(tmp_path / "box", bits)
    (tmp_path / "SOURCES.csv").write_text("")
    box, cup = read_objects(tmp_path)
    assert (box.name, cup.name) == ("box", "cup")
    assert box.image.shape == box.albedo.shape == (8, 10, 3)
    assert box.image[0, 0].tolist() == [1, 0, 0]
    assert box.shading.shape == (8, 10)
    assert box.shading[3, 3] == pytest.approx(0.5, abs=0.01)
    assert box.mask.sum() == 40


def test_a_folder_without_objects_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a folder for each, with diffuse"):
        list(read_objects(tmp_path))


def test_a_missing_and_a_damaged_image_are_named(tmp_path: Path) -> None:
    write_object(tmp_path / "cup")
    (tmp_path / "cup" / "mask.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"mask\.png is no PNG"):
        list(read_objects(tmp_path))
    (tmp_path / "cup" / "shading.png").unlink()
    with pytest.raises(UserError, match=r"shading\.png cannot be read"):
        list(read_objects(tmp_path))


def test_images_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    write_object(tmp_path / "cup")
    cv2.imwrite(str(tmp_path / "cup" / "shading.png"), np.zeros((8, 9), np.uint8))
    with pytest.raises(UserError, match="cup: the four images must be of one size"):
        list(read_objects(tmp_path))
