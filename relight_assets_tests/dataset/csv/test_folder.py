"""Which CSVs a folder has: one bad file is named, and costs no other."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets.dataset.csv import folder as csv_folder
from relight_assets.dataset.csv.folder import list_csvs, shown
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.errors import CsvError

GOOD = b"image_path\na.png\n"


def put(folder: Path, name: str, data: bytes = GOOD) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def faults(folder: Path, glob: str = "*_images.csv") -> dict[str, str]:
    return {path.name: str(fault) for path, fault in list_csvs(folder, glob).faults.items()}


def test_only_what_may_be_a_splits_csv_is_found(tmp_path: Path) -> None:
    for name in (
        "train_images.csv",
        "eval_images.csv",
        "scores.csv",
        "train_images_with_relighting_outputs.csv",
        "train_with_x_images.csv",
        "train_images_failures.csv",
        "._train_images.csv",
        ".hidden_images.csv",
    ):
        put(tmp_path, name)
    (tmp_path / "folder_images.csv").mkdir()
    found = list_csvs(tmp_path, "*_images.csv")
    assert list(found.found.items()) == [
        ("eval", tmp_path / "eval_images.csv"),
        ("train", tmp_path / "train_images.csv"),
    ]
    assert not found.faults
    assert list(list_csvs(tmp_path, "s*.csv").found) == ["scores"]
    assert list_csvs(tmp_path, "nothing*.csv").found == {}


def test_a_link_to_a_csv_is_one(tmp_path: Path) -> None:
    (tmp_path / "val_images.csv").symlink_to(put(tmp_path, "elsewhere.csv"))
    assert list(list_csvs(tmp_path, "*_images.csv").found) == ["val"]


def test_every_bad_file_is_named_and_the_others_are_found(tmp_path: Path) -> None:
    put(tmp_path, "train_images.csv")
    put(tmp_path, "my split_images.csv")
    (tmp_path / "nowhere_images.csv").symlink_to("gone.csv")
    (tmp_path / "circle_images.csv").symlink_to("circle_images.csv")
    os.mkfifo(tmp_path / "pipe_images.csv")
    reported = faults(tmp_path)
    assert list(list_csvs(tmp_path, "*_images.csv").found) == ["train"]
    assert {name: str(tmp_path / name) in text for name, text in reported.items()} == dict.fromkeys(reported, True)
    assert "'my split' cannot be used" in reported["my split_images.csv"]
    assert "is a link to gone.csv, which is not there" in reported["nowhere_images.csv"]
    assert "is a link to circle_images.csv, and on in a circle" in reported["circle_images.csv"]
    assert "is a named pipe, not a file" in reported["pipe_images.csv"]


@pytest.mark.processes
def test_a_link_that_may_not_be_followed_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (tmp_path / "val_images.csv").symlink_to(put(secret, "x.csv"))
    code = "import sys; from relight_assets_tests.dataset.csv.test_folder import *; print(faults(Path(sys.argv[1])))"
    secret.chmod(0)
    try:
        reported = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=_read_as_others_do,
        )
    finally:
        secret.chmod(0o700)
    assert "val_images.csv" in reported.stdout
    assert "may not be followed: Permission denied" in reported.stdout


def _read_as_others_do() -> None:
    """Give up what root may read beyond the permissions of files; nothing, for any other user."""
    bounding_set_drop, dac_override, dac_read_search = 24, 1, 2
    for right in (dac_override, dac_read_search):
        ctypes.CDLL(None).prctl(bounding_set_drop, right, 0, 0, 0)


@pytest.mark.parametrize("linked", [True, False])
def test_what_the_disk_refuses_is_named(linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "val_images.csv"
    bad.symlink_to(put(tmp_path, "x.csv")) if linked else put(tmp_path, bad.name)
    put(tmp_path, "train_images.csv")
    real = Path.stat

    def refused(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == bad and follow_symlinks:
            raise OSError(5, "Input/output error")
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refused)
    assert "Input/output error" in faults(tmp_path)[bad.name]
    assert list(list_csvs(tmp_path, "*_images.csv").found) == ["train"]


@pytest.mark.parametrize("other", ["train.csv", "TRAIN_images.csv"])
def test_two_files_for_one_split_are_both_faults(other: str, tmp_path: Path) -> None:
    for name in ("train_images.csv", other, "val_images.csv"):
        put(tmp_path, name)
    reported = faults(tmp_path, "*.csv")
    assert set(reported) == {"train_images.csv", other}
    assert len(set(reported.values())) == 1
    assert "both give the split" in reported[other]
    assert list(list_csvs(tmp_path, "*.csv").found) == ["val"]


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"caf\xe9_images.csv"))
    put(tmp_path, "a\nb_images.csv")
    reported = faults(tmp_path)
    assert all(text.isprintable() and text.encode() for text in reported.values())
    assert shown("a\x1b[31m\udce9é") == r"a\x1b[31m\udce9é"


def test_of_one_split_others_are_not_asked(tmp_path: Path) -> None:
    put(tmp_path, "train_images.csv")
    put(tmp_path, "my split_images.csv")
    folder = list_csvs(tmp_path, "*_images.csv")
    assert (list(folder.only("train").found), folder.only("train").faults) == (["train"], {})
    assert folder.read("train").split == "train"
    with pytest.raises(CsvError, match="'my split' cannot be used"):
        folder.only("my split")
    with pytest.raises(CsvError, match=r"the split `gone` has no CSV in .*; splits there: train"):
        folder.read("gone")


def test_every_csv_is_read_or_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "good_images.csv")
    put(tmp_path, "bad_images.csv", b"image\na.png\n")
    put(tmp_path, "my split_images.csv")
    put(tmp_path, "huge_images.csv")
    real = csv_folder.read_split_csv

    def read(path: Path) -> SplitCsv:
        if path.name == "huge_images.csv":
            raise MemoryError
        return real(path)

    monkeypatch.setattr(csv_folder, "read_split_csv", read)
    reported = {path.name: csv for path, csv in list_csvs(tmp_path, "*_images.csv").read_all()}
    good = reported.pop("good_images.csv")
    assert isinstance(good, SplitCsv)
    assert [name for name, csv in reported.items() if isinstance(csv, CsvError)] == list(reported)
    assert "no column 'image_path'" in str(reported["bad_images.csv"])
    assert "does not fit into memory" in str(reported["huge_images.csv"])


def test_a_folder_or_pattern_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="cannot be listed"):
        list_csvs(tmp_path / "gone", "*.csv")
    with pytest.raises(CsvError, match="pattern"):
        list_csvs(tmp_path, "../*.csv")
