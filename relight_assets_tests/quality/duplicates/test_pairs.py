"""Photos of two splits that are the same, or nearly."""

import csv
import errno
import os
import shutil
from pathlib import Path

import cv2
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.duplicates import near_fingerprints
from relight_assets.quality.duplicates import pairs as module
from relight_assets.quality.duplicates.pairs import (
    Pair,
    Photo,
    _same_bits,
    duplicates_across,
    duplicates_within,
    photos_of,
    same_outputs,
)
from relight_assets.stages.masks.perceptual_hash import SAME_BITS
from relight_assets_tests.conftest import PORTRAITS, Bench, rewrite_record


def photos_in(state: SplitState) -> list[Photo]:
    return photos_of(state.split.split, recorded_images(state.layout, state.images.values()))


def pairs_with_others(
    state: SplitState, rows: dict[str, set[str | None]], unread: list[str] | None = None
) -> list[Pair]:
    return duplicates_across(photos_in(state), state.layout, rows, unread)


@pytest.fixture
def pairs_of(bench: Bench, tmp_path: Path, photos: Path) -> list[Pair]:
    """Of val, beside a train that has the same photo once by its bytes and once as a JPEG."""
    bench.write_csv(PORTRAITS)
    bench.run(stages=["masks"])
    second = cv2.imread(str(photos / PORTRAITS[1]))
    assert second is not None
    cv2.imwrite(str(tmp_path / "again.jpg"), second, [cv2.IMWRITE_JPEG_QUALITY, 80])
    (tmp_path / "moved.png").write_bytes((photos / PORTRAITS[0]).read_bytes())
    with (tmp_path / "val_images.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_path"], ["moved.png"], ["again.jpg"]])
    split = read_split_csv(tmp_path / "val_images.csv")
    run_split(split, Recipe(), bench.settings, RunOptions(stages=["masks"]))
    return pairs_with_others(load_split_state(split, Recipe(), bench.settings), {})


def test_the_same_bytes_and_nearly_the_same_image_are_found(pairs_of: list[Pair]) -> None:
    same, nearly = pairs_of
    assert (same.own.image_path, same.bits, same.other.split) == ("moved.png", None, "train")
    assert same.other.image_path.endswith(PORTRAITS[0])
    assert nearly.own.image_path == "again.jpg"
    assert nearly.bits is not None
    assert nearly.bits <= 24
    assert nearly.other.image_path.endswith(PORTRAITS[1])


def test_a_split_alone_and_records_without_fingerprint_have_no_pairs(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    assert pairs_with_others(bench.state(), {}) == []
    record = read_record(bench.layout.record(0))
    assert record is not None
    del record.stages["masks"].numbers["fingerprint"]
    write_record(bench.layout, record)
    other = bench.layout.folder.parent / "data-other"
    other.mkdir()
    (other / "00000_metadata.json").write_bytes(
        bench.layout.record(0).read_bytes().replace(b'"sha256": "', b'"sha256": "0')
    )
    assert pairs_with_others(bench.state(), {}) == []


def test_what_another_split_has_no_row_of_any_more_does_not_count(bench: Bench, tmp_path: Path, photos: Path) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    other = bench.layout.folder.parent / "data-other"
    other.mkdir()
    (other / "00000_metadata.json").write_bytes(bench.layout.record(0).read_bytes())
    (key,) = bench.state().images
    assert len(pairs_with_others(bench.state(), {})) == 1  # a folder without a CSV
    assert len(pairs_with_others(bench.state(), {"other": {key}})) == 1
    assert pairs_with_others(bench.state(), {"other": {"somebody else.png"}}) == []


def test_flat_images_are_not_taken_for_one_another() -> None:
    def photo(bits: int) -> Photo:
        return Photo("train", "a.png", "00", f"{(1 << bits) - 1:064x}", 0)

    assert _same_bits(photo(128), photo(200)) == SAME_BITS
    assert _same_bits(photo(8), photo(128)) == 3  # two small figures before white walls are mostly wall
    assert _same_bits(photo(0), photo(0)) == 0


@pytest.mark.parametrize("damaged", ["zz", "ab", 7, None, "F" * 64])
def test_a_damaged_fingerprint_counts_as_none(bench: Bench, damaged: object) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    record = read_record(bench.layout.record(0))
    assert record is not None
    record.stages["masks"].numbers["fingerprint"] = damaged
    assert Photo.of("train", record).fingerprint is None
    write_record(bench.layout, record)
    assert Photo.read("train", bench.layout, 0) == Photo.of("train", record)


def test_a_photo_is_read_without_its_other_metrics(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    record = read_record(bench.layout.record(0))
    assert record is not None
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_record", lambda *_: pytest.fail("all of it was read"))
        assert Photo.read("train", bench.layout, 0) == Photo.of("train", record)
    rewrite_record(bench.layout.record(0), lambda content: content["stages"]["masks"].update(numbers={"score": 1}))
    found = Photo.read("train", bench.layout, 0)
    assert found is not None
    assert (found.sha256, found.fingerprint) == (record.source.sha256, None)
    bench.layout.record(0).unlink()
    assert Photo.read("train", bench.layout, 0) is None


def test_photos_are_matched_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_fingerprints, "_QUERIES", 2)
    one = "5a" * 32
    others = [Photo("val", f"{number}.png", str(number), f"{number + 1:02x}" * 32, number) for number in range(4)]
    others.append(Photo("val", "same.png", "9", "5b" + "5a" * 31, 9))
    (pair,) = module._nearly([Photo("train", "a.png", "0", one, 0)], others)
    assert (pair.other.image_path, pair.bits) == ("same.png", 1)


def test_a_photo_that_a_split_has_twice_or_nearly_is_reported_once(bench: Bench, tmp_path: Path, photos: Path) -> None:
    (tmp_path / "moved.png").write_bytes((photos / PORTRAITS[0]).read_bytes())
    second = cv2.imread(str(photos / PORTRAITS[1]))
    assert second is not None
    cv2.imwrite(str(tmp_path / "again.jpg"), second, [cv2.IMWRITE_JPEG_QUALITY, 80])
    bench.write_csv([*PORTRAITS[:3], str(tmp_path / "again.jpg"), str(tmp_path / "moved.png")])
    bench.run(stages=["masks"])
    same, nearly = duplicates_within(photos_in(bench.state()))
    assert (same.own.index, same.other.index, same.bits) == (4, 0, None)
    assert (nearly.own.index, nearly.other.index) == (3, 1)
    assert nearly.bits is not None


def test_of_three_that_are_alike_two_pairs_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_fingerprints, "_QUERIES", 2)
    alike = [Photo("train", f"{bits}.png", str(bits), f"{(1 << 128) - 1 - bits:064x}", bits) for bits in (0, 1, 3)]
    other = Photo("train", "other.png", "9", "a5" * 32, 9)
    found = module._nearly_within([*alike, other])
    assert [(pair.own.index, pair.other.index, pair.bits) for pair in found] == [(1, 0, 1), (3, 1, 1)]
    assert list(module._nearly_within([other])) == []


def test_outputs_with_the_same_bytes_are_reported_unless_the_photo_is_the_same(finished: Bench) -> None:
    images = finished.recorded()
    assert same_outputs(images) == []
    one, other = (image.record for image in images[:2])
    files = other.stages["composites"].files
    files["output"] = one.stages["composites"].files["output"]
    assert same_outputs(images) == [(1, "output", 0, "output")]
    files["v1_output"] = files["output"]
    assert same_outputs(images) == [(1, "output", 0, "output"), (1, "v1_output", 0, "output")]


def test_a_split_whose_folder_cannot_be_read_is_named_and_the_others_are_compared(
    finished: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, finished.photos)
    bench.write_csv(PORTRAITS)
    for name in ("data-train", "data-other", "data-shut"):
        shutil.copytree(finished.layout.folder, bench.settings.output_root / name)
    shut = str(bench.settings.output_root / "data-shut")
    real = os.listdir

    def listdir(folder: object) -> object:
        if str(folder) == shut:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), shut)
        return real(folder)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "listdir", listdir)
    unread: list[str] = []
    pairs = pairs_with_others(bench.state(), {}, unread)
    assert {pair.other.split for pair in pairs} == {"other"}
    assert len(pairs) == 4
    assert unread == [f"{shut} cannot be read: Permission denied"]
