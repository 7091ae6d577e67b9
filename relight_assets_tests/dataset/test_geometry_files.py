"""Depth and normals in files that somebody else made."""

import os
import resource
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.networks import Geometry
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.geometry_files import (
    decode_geometry,
    files_of_rows,
    geometry_path,
    read_geometry,
    remembered_sha256,
)
from relight_assets.errors import GeometryFileError, GeometryMissingError, ImageError
from relight_assets.storage.files import source_token, stamp_source
from relight_assets_tests.imaging.sample_images import chunk, png_by_hand

PHOTO = (40, 60)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def decoded(data: bytes, kind: str = "depth", max_pixels: int = 10_000) -> np.ndarray:
    return decode_geometry(data, kind, photo_size=PHOTO, max_pixels=max_pixels, name="a_depth.png")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ("{folder}/{stem}_depth.png", "shoot/a.b_depth.png"),
        ("{stem}_depth.png", "shoot/a.b_depth.png"),
        ("depth/{stem}.png", "shoot/depth/a.b.png"),
        ("../maps/{stem}.png", "maps/a.b.png"),
        ("{folder}_depth/{stem}.png", "shoot_depth/a.b.png"),
    ],
)
def test_where_a_photo_s_file_is(tmp_path: Path, files: str, where: str) -> None:
    photo = tmp_path / "shoot" / "a.b.jpg"
    (tmp_path / where).parent.mkdir(parents=True, exist_ok=True)
    photo.parent.mkdir(exist_ok=True)
    with pytest.raises(GeometryMissingError, match=r"There is no geometry file '.*Check the path"):
        geometry_path(files, photo, None)
    (tmp_path / where).touch()
    assert geometry_path(files, photo, None) == (tmp_path / where).resolve()


def test_names_with_braces_stay_as_they_are(tmp_path: Path) -> None:
    photo = tmp_path / "{stem}" / "x.png"
    photo.parent.mkdir()
    (photo.parent / "x_d.png").touch()
    assert geometry_path("{folder}/{stem}_d.png", photo, None) == photo.parent / "x_d.png"


@pytest.mark.parametrize("files", ["../{stem}.png", "/etc/{stem}", "link/{stem}.png"])
def test_nothing_outside_the_image_root_is_reached(tmp_path: Path, files: str) -> None:
    root = tmp_path / "root"
    (root / "shoot").mkdir(parents=True)
    (tmp_path / "passwd.png").touch()
    (root / "shoot" / "link").symlink_to(tmp_path)
    photo = root / "shoot" / "passwd.jpg"
    wanted = files if files != "../{stem}.png" else "../../{stem}.png"
    with pytest.raises(GeometryFileError, match=r"The geometry file '.*' is refused: it leads outside image_root"):
        geometry_path(wanted, photo, root)


@pytest.mark.parametrize("what", ["link", "hard link"])
def test_what_takes_the_place_of_a_file_in_the_root_is_not_opened(tmp_path: Path, what: str) -> None:
    root = tmp_path.resolve() / "root"
    root.mkdir()
    (root.parent / "secret.png").write_bytes(b"secret")
    (root / "a_depth.png").write_bytes(b"depth")
    path = geometry_path("{stem}_depth.png", root / "a.jpg", root)
    path.unlink()
    if what == "link":
        path.symlink_to("../secret.png")
    else:
        path.hardlink_to(root.parent / "secret.png")
    with pytest.raises(GeometryFileError, match=r"'a_depth.png' is refused: it (has become a link|has 2 names)"):
        read_geometry(path, 1000, root)
    if what == "link":
        with pytest.raises(GeometryFileError, match=r"^The geometry file '.*' is refused: it leads outside"):
            geometry_path("{stem}_depth.png", root / "a.jpg", root)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a_depth.png")
    with pytest.raises(GeometryFileError, match="named pipe"):
        geometry_path("{stem}_depth.png", tmp_path / "a.jpg", None)


def test_a_file_is_remembered_by_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    stamp = stamp_source(path)
    assert remembered_sha256(path, [stamp]) == stamp.sha256
    os.utime(path, ns=(1, 1))
    assert remembered_sha256(path, [stamp]) is None
    assert remembered_sha256(tmp_path / "none.png", [stamp]) is None
    data, read = read_geometry(path, 1000)
    assert (data, read.sha256, read.token) == (b"one", stamp.sha256, source_token(path.stat()))
    path.unlink()
    with pytest.raises(GeometryMissingError):
        read_geometry(path, 1000)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_depth_is_gray_of_8_or_16_bits(kind: type) -> None:
    most = np.iinfo(kind).max
    image = np.linspace(0, most, 2400).reshape(40, 60).astype(kind)
    np.testing.assert_allclose(decoded(png(image)), image / most, atol=1e-7)
    assert decoded(png(image)).dtype == np.float32


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_normals_are_red_green_blue(kind: type) -> None:
    most = np.iinfo(kind).max
    rgb = np.zeros((20, 30, 3), kind)
    rgb[:] = (most, most // 2, 0)
    found = decoded(png(rgb[..., ::-1]), "normals")
    np.testing.assert_allclose(found[3, 4], (1, 0, -1), atol=0.01)
    assert found.shape == (20, 30, 3)


@pytest.mark.parametrize(
    ("data", "kind", "reported"),
    [
        (b"\xff\xd8 a jpeg", "depth", "is no PNG"),
        (b"\x89PNG\r\n\x1a\n", "depth", "damaged or cut off"),
        (png(np.zeros((40, 60), np.uint16))[:60], "depth", "damaged or cut off"),
        (png(np.zeros((400, 600), np.uint8)), "depth", "600x400 pixels; at most 10,000"),
        (png(np.zeros((40, 60, 3), np.uint8)), "depth", "3 channels; depth must be gray"),
        (png(np.zeros((40, 60), np.uint16)), "normals", "1 channels; normals must be RGB"),
        (png(np.zeros((60, 40), np.uint16)), "depth", "40x60 pixels and its photo 60x40, upright"),
    ],
)
def test_other_images_are_reported(data: bytes, kind: str, reported: str) -> None:
    with pytest.raises(GeometryFileError, match=f"'a_depth.png'.*{reported}"):
        decoded(data, kind)


def long_chunk(kind: bytes, length: int) -> bytes:
    """A map in which one chunk is said to be longer than the file."""
    data = png(np.zeros((40, 60), np.uint16))
    start = data.index(kind) - 4
    return data[:start] + length.to_bytes(4, "big") + data[start + 4 :]


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
@pytest.mark.parametrize("length", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_length_field_takes_no_memory(kind: bytes, length: int) -> None:
    data = long_chunk(kind, length)
    if kind == b"IEND" and not length:
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(GeometryFileError, match="damaged or cut off"):
        decoded(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB


@pytest.mark.parametrize("size", [(2**31 - 1, 1), (1, 2**31 - 1), (70_000, 1), (0, 40), (40_000, 40_000)])
def test_sides_are_judged_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(GeometryFileError, match="at most 64,000,000 are taken"):
        decoded(png_by_hand(size, [b""], color=0), max_pixels=64_000_000)


def test_text_and_wrong_checksums_that_no_pixel_needs_are_no_fault() -> None:
    image = np.arange(2400, dtype=np.uint16).reshape(40, 60)
    data = png(image)
    text = chunk(b"tEXt", b"a\0" + bytes(3_000_000))
    other = data[:33] + text + text[:-1] + b"!" + data[33:]
    np.testing.assert_array_equal(decoded(other), decoded(data))
    damaged = bytearray(data)
    damaged[-20] ^= 1
    with pytest.raises(GeometryFileError, match="damaged"):
        decoded(bytes(damaged))


def test_gray_with_alpha_is_gray() -> None:
    rows = [bytes((level, 9)) * 60 for level in range(40)]
    found = decoded(png_by_hand((60, 40), rows, color=4))
    np.testing.assert_allclose(found[:, 0], np.arange(40) / 255, atol=1e-6)
    with pytest.raises(GeometryFileError, match="2 channels; normals must be RGB"):
        decoded(png_by_hand((60, 40), rows, color=4), "normals")


def test_nothing_in_a_cell_is_expanded_and_none_of_them_raises(tmp_path: Path) -> None:
    photo = tmp_path / "x.jpg"
    cells = ["{stem}.png", "{folder}/{stem}.png", "", "  ", "\0", "a" * 5000, "~/x.png", "http://h/x.png", "sub/{.png"]
    (tmp_path / "sub").mkdir()
    for name in ("x.png", "sub/{.png", "{stem}.png"):
        (tmp_path / name).touch()
    (tmp_path / "train_images.csv").write_text("image_path,depth\n" + "".join(f"x.jpg,{cell}\n" for cell in cells[:4]))
    split = read_split_csv(tmp_path / "train_images.csv")
    split = replace(split, columns={"image_path": ["x.jpg"] * len(cells), "depth": cells})
    by_column = Geometry(source="depth_file", files="{column:depth}")
    places = files_of_rows(by_column, split, None)
    assert places is not None
    found = []
    for place in places:
        try:
            found.append(geometry_path(place, photo, None).name)
        except ImageError as error:
            found.append(error.code)
    assert found[0] == "{stem}.png"
    assert found[-1] == "{.png"
    assert set(found[1:-1]) == {"geometry_missing", "geometry_file"}
    assert found[2:4] == ["geometry_missing"] * 2
