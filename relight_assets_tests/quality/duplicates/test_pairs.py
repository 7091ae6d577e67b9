"""Photos of two splits that are the same, or nearly."""

import csv
import dataclasses
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import cv2
import pytest
from msgspec.structs import replace

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.duplicates import kept_search, near_fingerprints
from relight_assets.quality.duplicates import pairs as module
from relight_assets.quality.duplicates.near_fingerprints import Fingerprints
from relight_assets.quality.duplicates.pairs import (
    Pair,
    Photo,
    _same_bits,
    duplicates_across,
    duplicates_within,
    photos_at,
    photos_of,
    same_outputs,
)
from relight_assets.stages.masks.perceptual_hash import SAME_BITS
from relight_assets.storage import local
from relight_assets.storage.local import LocalStorage
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
    assert list(photos_at("train", bench.layout, [0])) == [Photo.of("train", record)]


def test_a_photo_is_read_without_its_other_metrics(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    record = read_record(bench.layout.record(0))
    assert record is not None
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_record", lambda *_: pytest.fail("all of it was read"))
        assert list(photos_at("train", bench.layout, [0])) == [Photo.of("train", record)]
    rewrite_record(bench.layout.record(0), lambda content: content["stages"]["masks"].update(numbers={"score": 1}))
    (found,) = photos_at("train", bench.layout, [0])
    assert (found.sha256, found.fingerprint) == (record.source.sha256, None)
    bench.layout.record(0).unlink()
    assert list(photos_at("train", bench.layout, [0])) == []


def test_photos_are_matched_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_fingerprints, "_QUERIES", 2)
    one = "5a" * 32
    others = [Photo("val", f"{number}.png", str(number), f"{number + 1:02x}" * 32, number) for number in range(4)]
    others.append(Photo("val", "same.png", "9", "5b" + "5a" * 31, 9))
    (pair,) = module._nearly([Photo("train", "a.png", "0", one, 0)], others, SplitLayout(tmp_path))
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
    found = module._nearly_within([*alike, other], None)
    assert [(pair.own.index, pair.other.index, pair.bits) for pair in found] == [(1, 0, 1), (3, 1, 1)]
    assert list(module._nearly_within([other], None)) == []


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


@dataclass(frozen=True)
class TwoSplits:
    """A split that has a photo nearly twice, and one that has two of its photos nearly."""

    train: SplitLayout
    val: SplitLayout
    read: list[str] = field(default_factory=list)
    """The records that were read since the last search."""

    def found(self) -> list[list[Pair]]:
        """The pairs within and across, as a check finds them; the same are found without all that is kept."""
        self.read.clear()
        found = [self._found(layout, layout) for layout in (self.train, self.val)]
        read = [*self.read]
        assert found == [self._found(layout, None) for layout in (self.train, self.val)], "nothing is kept"
        self.read[:] = read
        return [pairs for each in found for pairs in each]

    def _found(self, layout: SplitLayout, kept_in: SplitLayout | None) -> list[list[Pair]]:
        storage = ReadsRecords(records=self.read) if kept_in else NoDatabase()
        layout = dataclasses.replace(layout, storage=storage)
        photos = list(photos_at(layout.folder.name, layout, sorted(layout.numbers("metadata.json"))))
        return [duplicates_within(photos, layout if kept_in else None), duplicates_across(photos, layout, {})]


@dataclass(frozen=True)
class ReadsRecords(LocalStorage):
    """Of which it is known which records it read."""

    records: list[str] = field(default_factory=list, compare=False)

    def read(self, path: Path | str, *, max_bytes: int | None = None) -> bytes | None:
        if str(path).endswith("_metadata.json"):
            self.records.append(str(path))
        return super().read(path, max_bytes=max_bytes)


@dataclass(frozen=True)
class NoDatabase(LocalStorage):
    """In which nothing is kept."""

    def database(self, path: Path, *, to_write: bool) -> sqlite3.Connection | None:  # noqa: ARG002
        return None


@pytest.fixture
def two_splits(bench: Bench, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> TwoSplits:
    monkeypatch.setattr(local, "_TICK_NS", 0)  # what is kept of records, as if each were old
    for quality in (60, 80):
        for number, name in enumerate(PORTRAITS[:2]):
            image = cv2.imread(str(photos / name))
            assert image is not None
            cv2.imwrite(str(tmp_path / f"{number} {quality}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    bench.write_csv([*PORTRAITS[:4], str(tmp_path / "0 80.jpg")])
    bench.run(stages=["masks"])
    (tmp_path / "val_images.csv").write_text("image_path\n0 60.jpg\n1 60.jpg\n", encoding="utf-8")
    val = read_split_csv(tmp_path / "val_images.csv")
    run_split(val, Recipe(), bench.settings, RunOptions(stages=["masks"]))
    return TwoSplits(bench.layout, load_split_state(val, Recipe(), bench.settings).layout)


def test_a_second_search_reads_no_record_and_compares_nothing(
    two_splits: TwoSplits, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = two_splits.found()
    assert [len(pairs) for pairs in first] == [1, 3, 0, 2]
    assert two_splits.read == []
    compared = []
    real = kept_search.nearest
    for layout in (two_splits.train, two_splits.val):
        with closing(sqlite3.connect(layout.record_cache)) as database:
            kept = database.execute("SELECT name, length(found) > 0 FROM findings ORDER BY name").fetchall()
        assert kept == [("duplicates", 1), ("leakage", 1)]
    monkeypatch.setattr(kept_search, "nearest", lambda own, others, radius: _noted(compared, real, own, others, radius))
    again = [two_splits._found(layout, layout) for layout in (two_splits.train, two_splits.val)]
    assert [pairs for each in again for pairs in each] == first
    assert compared == []


@pytest.mark.parametrize("limit", ["SAME_BITS", "TELLING_BITS"])
def test_what_was_found_with_another_limit_is_not_believed(
    limit: str, two_splits: TwoSplits, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = two_splits.found()
    with monkeypatch.context() as limited:
        limited.setattr(module, limit, 0 if limit == "SAME_BITS" else 10_000)
        # What is found is compared there with what is found where nothing is kept.
        assert two_splits.found() != first
    assert two_splits.found() == first


def _noted(
    compared: list[int], real: Callable[..., Any], own: Fingerprints, others: Fingerprints | None, radius: object
) -> Any:
    compared.extend([len(own)] if len(own) and (others is None or len(others)) else [])
    return real(own, others, radius)


def _of_another_photo(splits: TwoSplits) -> None:
    """The record of one number is now that of another photo, as after the photo was changed."""
    record = read_record(splits.val.record(1))
    assert record is not None
    write_record(splits.train, replace(record, index=2))


def _row_changed(layout: SplitLayout, change: str) -> None:
    with closing(sqlite3.connect(layout.record_cache)) as database, database:
        database.execute(change)


HAPPENINGS: dict[str, Callable[[TwoSplits], object]] = {
    "nothing": lambda _: None,
    "a photo is new": lambda splits: write_record(
        splits.val, replace(cast("Record", read_record(splits.train.record(2))), index=7)
    ),
    "a photo is another": _of_another_photo,
    "the nearest is gone": lambda splits: splits.train.record(0).unlink(),
    "all are gone": lambda splits: [splits.val.record(number).unlink() for number in (0, 1)],
    "the other split is gone": lambda splits: shutil.rmtree(splits.val.folder),
    "what is kept is gone": lambda splits: splits.train.record_cache.unlink(),
    "all that is kept is gone": lambda splits: [layout.record_cache.unlink() for layout in (splits.train, splits.val)],
    "it is no database": lambda splits: splits.train.record_cache.write_bytes(b"no database at all" * 999),
    "its second half is gone": lambda splits: os.truncate(
        splits.train.record_cache, splits.train.record_cache.stat().st_size // 2
    ),
    "a finding is damaged": lambda splits: _row_changed(
        splits.train, "UPDATE findings SET found = zeroblob(length(found))"
    ),
    "a finding is of another kind": lambda splits: _row_changed(
        splits.train, "UPDATE findings SET found = 'text', checksum = 0"
    ),
    "findings change places": lambda splits: _row_changed(
        splits.train, "UPDATE findings SET name = CASE name WHEN 'leakage' THEN 'duplicates' ELSE 'other' END"
    ),
    "another table": lambda splits: _row_changed(splits.train, "ALTER TABLE findings DROP COLUMN checksum"),
    "the findings of another split": lambda splits: shutil.copy(splits.val.record_cache, splits.train.record_cache),
}


@pytest.mark.parametrize("happening", HAPPENINGS.values(), ids=HAPPENINGS)
def test_whatever_happens_all_pairs_are_found(two_splits: TwoSplits, happening: Callable[[TwoSplits], object]) -> None:
    two_splits.found()
    happening(two_splits)
    for _ in range(2):
        two_splits.found()


def test_where_nothing_can_be_kept_all_are_compared(two_splits: TwoSplits) -> None:
    for layout in (two_splits.train, two_splits.val):
        layout.record_cache.unlink()
        layout.record_cache.mkdir()
    for _ in range(2):
        assert [len(pairs) for pairs in two_splits.found()] == [1, 3, 0, 2]


def test_what_is_kept_of_another_split_tells_no_fingerprint_of_it(two_splits: TwoSplits) -> None:
    """A photo that is forgotten leaves nothing in other splits."""
    two_splits.found()
    record = read_record(two_splits.val.record(0))
    assert record is not None
    fingerprint, kept = record.stages["masks"].numbers["fingerprint"], two_splits.train.record_cache.read_bytes()
    assert fingerprint.encode() in two_splits.val.record_cache.read_bytes()
    assert fingerprint.encode() not in kept
    assert bytes.fromhex(fingerprint) not in kept
