"""Every trap of the trainers' loaders is a fault that reading an export back finds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.core.hashing import sha256_hex
from relight_assets.exports.pictures.offset import Offset
from relight_assets.exports.read_back import _offset_faults, read_back
from relight_assets.exports.snapshot import FILES, MANIFEST
from relight_assets.imaging.png import decode_png, encode_png
from relight_assets_tests.exports.conftest import Export
from relight_assets_tests.exports.pictures.test_offset import shifted


def edit_list(folder: Path, change: Callable[[str], str]) -> None:
    """Change the list of files as one who forges it well: the manifest names the new one."""
    text = change((folder / FILES).read_text())
    (folder / FILES).write_text(text)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files_sha256"] = sha256_hex(text.encode())
    (folder / MANIFEST).write_text(json.dumps(manifest))


def replace_file(folder: Path, path: str, data: bytes) -> None:
    """Put another file in the place of one, and in the list."""
    (folder / path).unlink()
    (folder / path).write_bytes(data)

    def change(text: str) -> str:
        lines = text.splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{path},"))
        lines[place] = f"{path},{sha256_hex(data)},{len(data)},forged"
        return "\n".join(lines) + "\n"

    edit_list(folder, change)


def without_partner(folder: Path) -> None:
    (folder / "conditioning_image" / "000001.png").unlink()


def not_listed(folder: Path) -> None:
    edit_list(
        folder, lambda text: "\n".join(x for x in text.splitlines() if "conditioning_image/000001" not in x) + "\n"
    )


def other_size(folder: Path) -> None:
    pixels = decode_png((folder / "conditioning_image" / "000001.png").read_bytes())
    replace_file(folder, "conditioning_image/000001.png", encode_png(cv2.resize(pixels, (64, 64))))


def with_alpha(folder: Path) -> None:
    pixels = decode_png((folder / "image" / "000001.png").read_bytes())
    replace_file(folder, "image/000001.png", encode_png(np.dstack([pixels, pixels[..., 0]])))


def color_mask(folder: Path) -> None:
    pixels = decode_png((folder / "mask" / "000001.png").read_bytes())
    replace_file(folder, "mask/000001.png", encode_png(np.dstack([pixels] * 3)))


def rename_stem(new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for place in ("image", "conditioning_image", "mask"):
            (folder / place / "000001.png").rename(folder / place / f"{new}.png")
        (folder / "image" / "000001.txt").rename(folder / "image" / f"{new}.txt")
        edit_list(folder, lambda text: text.replace("/000001.", f"/{new}."))

    return change


def jpg_twin(folder: Path) -> None:
    cv2.imwrite(str(folder / "conditioning_image" / "000001.jpg"), np.zeros((8, 8, 3), np.uint8))


def stale_text(folder: Path) -> None:
    (folder / "image" / "000009.txt").write_text("a caption without its picture\n")


def empty_text(folder: Path) -> None:
    replace_file(folder, "image/000001.txt", b"\n")


def no_text(folder: Path) -> None:
    (folder / "image" / "000001.txt").unlink()


def absolute_path(folder: Path) -> None:
    path = folder / "metadata.jsonl"
    path.write_text(path.read_text().replace('"image/000001.png"', f'"{folder}/image/000001.png"'))


def path_above(folder: Path) -> None:
    path = folder / "metadata.jsonl"
    path.write_text(path.read_text().replace('"image/000001.png"', '"../image/000001.png"'))


def row_of_nothing(folder: Path) -> None:
    path = folder / "metadata.jsonl"
    path.write_text(path.read_text().replace("mask/000001.png", "mask/000007.png"))


def missing_row(folder: Path) -> None:
    path = folder / "metadata.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


def crossed_rows(folder: Path) -> None:
    path = folder / "metadata.jsonl"
    text = (
        path.read_text()
        .replace("conditioning_image/000001", "X")
        .replace("conditioning_image/000002", "conditioning_image/000001")
    )
    path.write_text(text.replace("X", "conditioning_image/000002"))


def half_a_picture(folder: Path) -> None:
    data = (folder / "image" / "000001.png").read_bytes()
    replace_file(folder, "image/000001.png", data[: len(data) // 2])


def one_byte(folder: Path) -> None:
    path = folder / "mask" / "000001.png"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def fewer_pairs(folder: Path) -> None:
    edit_list(folder, lambda text: "\n".join(x for x in text.splitlines() if "/000003." not in x) + "\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_partner, "conditioning_image/000001.png: it cannot be read"),
        (not_listed, "the condition of 000001 is missing"),
        (other_size, "000001: its pictures differ in size: target 256 x 256, condition 64 x 64"),
        (with_alpha, "image/000001.png: it has 4 channels"),
        (color_mask, "mask/000001.png: it has 3 channels"),
        (rename_stem("000001.v1"), "000001.v1: a stem must be digits"),
        (rename_stem("000001_1"), "000001_1: a stem must be digits"),
        (jpg_twin, "conditioning_image/000001.jpg: it is no file of this export"),
        (stale_text, "image/000009.txt: it is no file of this export"),
        (empty_text, "000001: its caption is missing or empty"),
        (no_text, "image/000001.txt: it cannot be read"),
        (absolute_path, "metadata.jsonl: line 2: /.* does not lie in the export"),
        (path_above, "metadata.jsonl: line 2: ../image/000001.png does not lie in the export"),
        (row_of_nothing, "metadata.jsonl: line 2: mask/000007.png is not there"),
        (missing_row, "metadata.jsonl: it has 3 rows for 4 pairs"),
        (crossed_rows, "metadata.jsonl: it is not what was exported"),
        (half_a_picture, "image/000001.png: it is no picture"),
        (one_byte, "mask/000001.png: it is not what was exported"),
        (fewer_pairs, "manifest.json: it promises 4 pairs, 3 are there"),
        (lambda folder: (folder / FILES).write_text("path\n"), "files.csv: it is not the one that the manifest names"),
        (lambda folder: (folder / MANIFEST).unlink(), "manifest.json: there is none"),
    ],
)
def test_a_trap(export: Export, damage: Callable[[Path], object], message: str) -> None:
    folder = export(link="copy").folder
    assert read_back(folder).passed
    damage(folder)
    faults = [f"{fault.path}: {fault.what}" for fault in read_back(folder).faults]
    assert any(__import__("re").search(message, fault) for fault in faults), faults


def test_caches_of_trainers_are_left_alone(export: Export) -> None:
    folder = export().folder
    for name in ("image/.aitk_size.json", "image/000000.npz", "image/_latent_cache/000000.safetensors", "cache/x.pt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert read_back(folder).passed


@pytest.mark.parametrize("name", ["webdataset", "parquet"])
@pytest.mark.parametrize("cut", ["half", "byte"])
def test_a_damaged_shard(export: Export, name: str, cut: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")
    folder = export(name).folder
    shard = next(path for path in folder.rglob("train-*") if path.is_file())
    data = bytearray(shard.read_bytes())
    if cut == "half":
        data = data[: len(data) // 2]
    else:
        data[len(data) // 3] ^= 1
    shard.write_bytes(data)
    found = read_back(folder)
    assert any(fault.what == "it is not what was exported" for fault in found.faults)
    assert cut == "byte" or any("4 pairs" in fault.what for fault in found.faults)


def test_a_stray_shard(export: Export) -> None:
    folder = export("webdataset").folder
    shutil.copy(folder / "train-000000.tar", folder / "train-000001.tar")
    assert [fault.path for fault in read_back(folder).faults] == ["train-000001.tar"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert [fault.path for fault in read_back(tmp_path / "none").faults] == [MANIFEST]
    shutil.rmtree(tmp_path)


def test_a_shift_of_a_tenth_of_a_pixel_is_a_fault(export: Export) -> None:
    folder = export().folder
    found = read_back(folder)
    assert (len(found.offsets), found.faults) == (4, [])
    for number in range(4):
        path = f"conditioning_image/{number:06d}.png"
        replace_file(folder, path, encode_png(shifted(decode_png((folder / path).read_bytes()), 0.1, 0.0)))
    (fault,) = read_back(folder).faults
    assert fault.path == MANIFEST
    assert fault.what.startswith("conditions are shifted by +0.")


@pytest.mark.parametrize("promised", [0, -3, 5, "four", None])
def test_a_manifest_that_promises_another_number_is_a_fault(export: Export, promised: object) -> None:
    folder = export().folder
    manifest = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"pairs": promised}))
    (fault,) = read_back(folder).faults
    assert fault.what == f"it promises {promised} pairs, 4 are there"


def test_one_shifted_pair_is_a_fault(export: Export) -> None:
    folder = export().folder
    path = "conditioning_image/000001.png"
    replace_file(folder, path, encode_png(shifted(decode_png((folder / path).read_bytes()), 0.0, 0.5)))
    (fault,) = read_back(folder).faults
    assert fault.path == "000001"
    assert fault.what.startswith("its condition is shifted by")


def test_the_middle_of_few_pairs_says_nothing_of_all() -> None:
    def faults(*sizes: float) -> list[str]:
        offsets = {f"{number:06d}": Offset(size, 0.0) for number, size in enumerate(sizes)}
        return [fault.path for fault in _offset_faults(offsets)]

    assert faults(0.07, 0.07, 0.07) == []  # what the measure errs by in the shadow of bars
    assert faults(0.07, 0.07, 0.07, 0.07) == [MANIFEST]
    assert faults(0.25) == ["000000"]
