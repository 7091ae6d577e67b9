"""The demo data set: real, whole, the same at every call, and as untidy as it means to be."""

import csv
import hashlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from relight_assets.cli import demo_photos
from relight_assets.cli.demo_photos import DemoFiles, write_demo
from relight_assets.errors import UserError

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("skimage", "matplotlib")),
    reason="the [demo] extra is not installed",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """Write the demo once for all tests that only look at it."""
    return write_demo(tmp_path_factory.mktemp("demo") / "new" / "folder")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one split of four images, for tests that write several times."""
    monkeypatch.setattr(demo_photos, "_SPLITS", {"test": demo_photos._SPLITS["test"]})


def rows(written: DemoFiles, split: str) -> list[dict[str, str]]:
    with written.csvs[split].open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_each_split_has_its_rows(written: DemoFiles) -> None:
    people = {split: [row["person"] for row in rows(written, split)] for split in written.csvs}
    assert {split: len(names) for split, names in people.items()} == {"train": 10, "val": 5, "test": 4}
    assert people["train"].count("") == people["val"].count("") == 1  # the cup and the cat
    for names in people.values():
        assert {"Eileen Collins", "Grace Hopper"} <= set(names)
    assert tuple(rows(written, "test")[0]) == demo_photos.COLUMNS
    assert [path.name for path in written.csvs.values()] == [
        "train_images.csv",
        "val_images.csv",
        "test_images.csv",
    ]


def test_every_row_names_a_file_of_the_stated_upright_size(written: DemoFiles) -> None:
    listed = [row for split in written.csvs for row in rows(written, split)]
    assert len(listed) == len(written.photos) == len({row["image_path"] for row in listed})
    for row in listed:
        with Image.open(written.folder / row["image_path"]) as opened:
            size = ImageOps.exif_transpose(opened).size if "broken" not in row["image_path"] else opened.size
        assert size == (int(row["width"]), int(row["height"]))


def test_portraits_come_in_several_sizes_and_both_formats(written: DemoFiles) -> None:
    portraits = [path for path in written.photos if path.name.startswith(("collins", "hopper"))]
    assert len(portraits) == 16
    assert {path.suffix for path in portraits} == {".png", ".jpg"}
    sizes = set()
    for path in portraits:
        with Image.open(path) as opened:
            assert opened.mode == "RGB"
            assert 512 <= min(opened.size) <= max(opened.size) <= 1024
            sizes.add(opened.size)
    assert len(sizes) >= 8


def test_pngs_are_plain_upright_rgb(written: DemoFiles) -> None:
    with Image.open(written.folder / "images" / "collins_close.png") as opened:
        opened.load()
        assert (opened.mode, opened.info) == ("RGB", {})


def test_one_photo_is_turned_upright_by_its_exif_tag_alone(written: DemoFiles) -> None:
    tags = {}
    for path in written.photos:
        if "broken" in path.name:
            continue
        with Image.open(path) as opened:
            tags[path.name] = opened.getexif().get(0x0112, 1)
    assert {name: tag for name, tag in tags.items() if tag != 1} == {"collins_turned.jpg": 6}
    with Image.open(written.folder / "images" / "collins_turned.jpg") as opened:
        assert opened.size == (768, 576)
        upright = ImageOps.exif_transpose(opened)
    pixels = np.asarray(upright).astype(int)
    suit, wall = pixels[700, 300], pixels[20, 20]
    assert suit[0] > suit[2] + 60  # the orange suit is below
    assert wall.min() > 120  # the light wall is above


def test_the_broken_file_is_a_png_that_ends_too_soon(written: DemoFiles) -> None:
    path = written.folder / "images" / "broken_half_a_file.png"
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(path) as opened, pytest.raises(OSError, match="truncated"):
        opened.load()


def test_no_image_is_there_twice(written: DemoFiles) -> None:
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in written.photos]
    assert len(set(digests)) == len(digests)


@pytest.mark.usefixtures("short")
def test_a_second_call_touches_nothing_and_repairs_what_was_damaged(tmp_path: Path) -> None:
    first = write_demo(tmp_path)
    files = [*first.photos, *first.csvs.values()]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
    assert first.written == len(files)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(files)

    assert write_demo(tmp_path).written == 0
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files} == before

    files[3].write_bytes(b"damaged")
    assert write_demo(tmp_path).written == 1
    assert files[3].read_bytes() == before[files[3]][1]


@pytest.mark.usefixtures("short")
def test_a_png_is_judged_by_its_pixels(tmp_path: Path) -> None:
    photo = next(path for path in write_demo(tmp_path).photos if path.suffix == ".png" and "broken" not in path.name)
    with Image.open(photo) as opened:
        pixels = opened.convert("RGB")
    pixels.save(photo, "PNG", compress_level=0)
    assert write_demo(tmp_path).written == 0
    pixels.putpixel((0, 0), (1, 2, 3))
    pixels.save(photo, "PNG")
    assert write_demo(tmp_path).written == 1
    with Image.open(photo) as opened:
        assert opened.getpixel((0, 0)) != (1, 2, 3)


@pytest.mark.usefixtures("short")
def test_another_folder_gets_the_same_bytes(written: DemoFiles, tmp_path: Path) -> None:
    photos = write_demo(tmp_path).photos
    assert photos
    for path in photos:
        assert path.read_bytes() == (written.folder / "images" / path.name).read_bytes()


def test_somebodys_own_csv_is_never_overwritten(tmp_path: Path) -> None:
    own = tmp_path / "val_images.csv"
    own.write_bytes(b"image_path,score\nmine.jpg,1\n")
    with pytest.raises(UserError, match=r"val_images\.csv is there already"):
        write_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["val_images.csv"]
    assert own.read_bytes() == b"image_path,score\nmine.jpg,1\n"


@pytest.mark.parametrize("spec", [None, ModuleSpec("skimage", None)])
def test_without_the_extra_the_message_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: ModuleSpec | None
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(UserError, match=r"install scikit-image, or relight_assets with its extra `demo`"):
        write_demo(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="choose another folder"):
        write_demo(tmp_path / "file")


@pytest.mark.usefixtures("short")
def test_the_heavy_packages_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("skimage", "matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    write_demo(tmp_path)
    assert not {"skimage", "matplotlib"} & set(sys.modules)
