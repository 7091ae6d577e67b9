"""What CSVs hold: read once as long as they rest, and again as soon as anything of them moved."""

import os
from pathlib import Path

import pytest

from relight_assets.dataset.csv import contents
from relight_assets.dataset.csv import folder as csv_folder
from relight_assets.dataset.csv.contents import CheckedCsvs, KnownCsvs, check_csvs
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.errors import CsvError

BAD = "image\na.png\n"


class Folder:
    """A folder of CSVs that rest, and a count of how often each was read."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch):
        self.path, self.reads = path, list[str]()
        real = csv_folder.read_split_csv

        def read(csv: Path) -> SplitCsv:
            self.reads.append(csv.name)
            return real(csv)

        patch.setattr(csv_folder, "read_split_csv", read)
        patch.setattr(contents, "RESTED_S", -1.0)

    def write(self, split: str, text: str = "image_path\na.png\n") -> Path:
        path = self.path / f"{split}_images.csv"
        path.write_text(text)
        return path

    def check(self, known: KnownCsvs) -> CheckedCsvs:
        self.reads.clear()
        return check_csvs(list_csvs(self.path, "*_images.csv"), known)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    (tmp_path / "csvs").mkdir()
    return Folder(tmp_path / "csvs", monkeypatch)


def test_usable_empty_and_bad_ones_are_distinguished(folder: Folder) -> None:
    good, empty, bad = folder.write("good"), folder.write("empty", "image_path\n\n"), folder.write("bad", BAD)
    named = folder.write("my split")
    found = folder.check(KnownCsvs())
    assert (found.usable, found.empty) == ({"good": good}, {"empty": empty})
    assert set(found.faults) == {bad, named}
    assert "no column 'image_path'" in str(found.faults[bad])


def test_what_rests_is_not_read_again_and_what_moved_is(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    good, bad = folder.write("good"), folder.write("bad", BAD)
    known = KnownCsvs(file)
    first = folder.check(known)
    assert sorted(folder.reads) == ["bad_images.csv", "good_images.csv"]
    again = folder.check(known)
    assert folder.reads == []
    assert (again.usable, {str(e) for e in again.faults.values()}) == (
        first.usable,
        {str(e) for e in first.faults.values()},
    )
    folder.check(KnownCsvs(file))  # of another process: faults are looked at again
    assert folder.reads == ["bad_images.csv"]
    good.write_text("image_path\n")
    os.utime(bad, (1, 1))
    assert set(folder.check(known).empty) == {"good"}
    assert sorted(folder.reads) == ["bad_images.csv", "good_images.csv"]


def test_what_was_just_written_is_read_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "RESTED_S", 1e9)
    known, path = KnownCsvs(), folder.write("good")
    folder.check(known)
    assert known.content(path) is None
    folder.check(known)
    assert folder.reads == ["good_images.csv"]


def test_what_the_system_refuses_is_asked_for_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    known, path = KnownCsvs(), folder.write("good")
    with monkeypatch.context() as patch:
        patch.setattr(
            "relight_assets.dataset.csv.read.os.fdopen", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output"))
        )
        assert "cannot be read: Input/output" in str(folder.check(known).faults[path])
    assert set(folder.check(known).usable) == {"good"}


def test_a_fault_that_is_known_is_reported_without_reading(folder: Folder) -> None:
    known, path = KnownCsvs(), folder.write("bad", BAD)
    folder.check(known)
    with pytest.raises(CsvError, match="image_path"):
        known.rows(path)
    assert folder.reads == ["bad_images.csv"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "0", "csvs": {}}', '{"csvs": {"x": {"rows": "a"}}}'])
def test_a_file_of_another_kind_or_version_is_no_reason_to_stop(folder: Folder, tmp_path: Path, text: str) -> None:
    file = tmp_path / "known.json"
    file.write_text(text)
    folder.write("good")
    assert set(folder.check(KnownCsvs(file)).usable) == {"good"}
    folder.check(KnownCsvs(file))
    assert folder.reads == []  # it was written anew


def test_several_processes_share_the_file_and_what_is_gone_leaves_it(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    one, other = KnownCsvs(file), KnownCsvs(file)
    gone = folder.write("gone")
    folder.check(one)
    gone.unlink()
    folder.write("good")
    folder.check(other)
    assert "gone_images.csv" not in file.read_text()
    folder.write("late")
    folder.check(one)
    folder.check(KnownCsvs(file))
    assert folder.reads == []


def test_without_a_place_to_write_nothing_is_lost(folder: Folder, tmp_path: Path) -> None:
    folder.write("good")
    assert set(folder.check(KnownCsvs(tmp_path / "none" / "known.json")).usable) == {"good"}


def test_a_shortage_of_memory_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, known = Folder(tmp_path, monkeypatch), KnownCsvs()
    path = folder.write("train")

    def short(_: Path) -> SplitCsv:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(csv_folder, "read_split_csv", short)
        assert "does not fit into memory" in str(folder.check(known).faults[path])
    assert folder.check(known).usable == {"train": path}
