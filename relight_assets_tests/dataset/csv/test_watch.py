"""What a look at the folder of CSVs tells: new, other, still being written, touched, wrong, gone."""

import os
from pathlib import Path

import pytest

from relight_assets.dataset.csv.contents import KnownCsvs
from relight_assets.dataset.csv.watch import Changes, CsvStamp, detect_changes
from relight_assets.errors import CsvError


class Folder:
    """A folder of CSVs that is looked at again and again."""

    def __init__(self, path: Path):
        self.path = path
        self.stamps: dict[str, CsvStamp] = {}
        self.known = KnownCsvs()
        self._time = 1_700_000_000

    def write(self, name: str, text: str = "image_path\na.png\n") -> None:
        (self.path / name).write_text(text, encoding="utf-8")
        self.touch(name)

    def touch(self, name: str) -> None:
        self._time += 1
        os.utime(self.path / name, (self._time, self._time))

    def detect_changes(self) -> Changes:
        changes = detect_changes(self.path, "*_images.csv", self.stamps, self.known)
        self.stamps = changes.stamps
        return changes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_new_csv_is_read_when_it_rests(folder: Folder) -> None:
    folder.write("train_images.csv")
    first, second, third = folder.detect_changes(), folder.detect_changes(), folder.detect_changes()
    assert (first.resting, first.changed) == (["train"], {})
    assert (second.resting, list(second.changed)) == ([], ["train"])
    assert len(second.changed["train"].table) == 1
    assert (third.resting, third.changed, third.faults, third.gone) == ([], {}, {}, [])


def test_a_csv_that_grows_is_left_alone_until_it_stops(folder: Folder) -> None:
    folder.write("train_images.csv")
    for rows in range(2, 5):
        assert folder.detect_changes().resting == ["train"]
        folder.write("train_images.csv", "image_path\n" + "a.png\n" * rows)
    assert folder.detect_changes().resting == ["train"]
    assert len(folder.detect_changes().changed["train"].table) == 4


def test_a_file_of_the_same_size_and_another_time_rests_first_too(folder: Folder) -> None:
    folder.write("train_images.csv")
    folder.detect_changes()
    folder.touch("train_images.csv")
    assert folder.detect_changes().resting == ["train"]
    assert list(folder.detect_changes().changed) == ["train"]


def test_a_touched_file_did_not_change_and_changed_rows_did(folder: Folder) -> None:
    folder.write("train_images.csv")
    folder.detect_changes()
    folder.detect_changes()
    folder.touch("train_images.csv")
    assert folder.detect_changes().resting == ["train"]
    assert folder.detect_changes().changed == {}
    folder.write("train_images.csv", "image_path\nb.png\n")
    folder.detect_changes()
    assert list(folder.detect_changes().changed) == ["train"]
    folder.write("train_images.csv")
    folder.detect_changes()
    assert list(folder.detect_changes().changed) == ["train"]  # as it was at first, not as before


@pytest.mark.parametrize("name", ["val_images.csv.tmp", "val_images.csv.part", ".val_images.csv", "val_scores.csv"])
def test_names_that_are_no_inputs_are_not_looked_at(folder: Folder, name: str) -> None:
    folder.write(name)
    assert folder.detect_changes() == Changes(stamps={})


def reported(changes: Changes) -> str:
    return " ".join(map(str, changes.faults.values()))


def test_an_invalid_csv_is_reported_at_every_look_and_stops_nobody(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("train_images.csv")
    folder.write("val_images.csv", "no_such_column\na.png\n")
    folder.write("my val_images.csv")
    (folder.path / "nowhere_images.csv").symlink_to("gone")
    first, second = folder.detect_changes(), folder.detect_changes()
    assert {path.name for path in first.faults} == {"my val_images.csv", "nowhere_images.csv"}
    assert list(second.changed) == ["train"]
    assert {path.name for path in second.faults} == {"my val_images.csv", "nowhere_images.csv", "val_images.csv"}
    assert "no column 'image_path'" in reported(second)
    assert [split for split in ("train", "val", "nowhere", "gone") if second.usable(split)] == ["train"]
    with monkeypatch.context() as patch:
        patch.setattr("relight_assets.dataset.csv.folder.read_split_csv", lambda _: pytest.fail("it was read again"))
        third = folder.detect_changes()
    assert reported(third) == reported(second)
    assert third.stamps == second.stamps  # so a look that is forgotten costs nothing
    folder.write("val_images.csv")
    folder.detect_changes()
    assert list(folder.detect_changes().changed) == ["val"]


def test_a_csv_without_rows_is_reported_and_no_change(folder: Folder) -> None:
    folder.write("train_images.csv", "image_path\n")
    folder.detect_changes()
    for changes in (folder.detect_changes(), folder.detect_changes()):
        assert "has a header and no rows" in changes.empty["train"]
        assert (changes.changed, changes.faults, changes.usable("train")) == ({}, {}, False)
    folder.write("train_images.csv")
    folder.detect_changes()
    assert list(folder.detect_changes().changed) == ["train"]


def test_a_csv_that_is_bad_for_a_while_is_not_gone_and_no_change_afterwards(folder: Folder) -> None:
    folder.write("train_images.csv")
    folder.detect_changes()
    folder.detect_changes()
    path, kept = folder.path / "train_images.csv", folder.path / "kept"
    path.rename(kept)
    path.symlink_to("nowhere")
    away = folder.detect_changes()
    assert (away.gone, list(away.faults), away.usable("train")) == ([], [path], False)
    kept.rename(path)
    for _ in range(2):
        back = folder.detect_changes()
        assert (back.changed, back.faults, back.gone) == ({}, {}, [])


def test_a_bad_one_beside_it_that_would_give_the_same_split_hides_no_csv(folder: Folder) -> None:
    folder.write("train_images.csv")
    (folder.path / "train.csv").symlink_to("nowhere")
    seen: dict[str, CsvStamp] = {}
    for _ in range(3):
        found = detect_changes(folder.path, "*.csv", seen)
        seen = found.stamps
        assert found.usable("train")
        assert list(found.faults) == [folder.path / "train.csv"]


def test_a_csv_that_cannot_be_read_for_a_while_is_asked_for_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("train_images.csv")
    folder.detect_changes()

    def refused(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("relight_assets.dataset.csv.read.os.fdopen", refused)
        for _ in range(2):
            assert "Input/output error" in reported(folder.detect_changes())
    assert list(folder.detect_changes().changed) == ["train"]


def test_two_files_of_one_split_are_both_faults(folder: Folder) -> None:
    for name in ("train_images.csv", "Train_images.csv", "val_images.csv"):
        folder.write(name)
    assert folder.detect_changes().resting == ["val"]
    assert reported(folder.detect_changes()).count("both give the split") == 2


def test_a_csv_that_went_is_reported_once(folder: Folder) -> None:
    folder.write("train_images.csv")
    folder.detect_changes()
    folder.detect_changes()
    (folder.path / "train_images.csv").unlink()
    assert folder.detect_changes().gone == ["train"]
    assert folder.detect_changes().gone == []


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="cannot be listed"):
        detect_changes(tmp_path / "none", "*.csv", {})
