"""``relight export`` as a user types it."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from relight_assets.cli.commands.outputs.export import options_of
from relight_assets.cli.main import main
from relight_assets.exports.cards import croissant
from relight_assets.exports.cards.write import card_files
from relight_assets_tests.conftest import PORTRAITS, Project, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    """Two finished splits, ``test`` with a photo of ``train``."""
    made = make_project(tmp_path_factory.mktemp("project"), photos)
    made.write_csv("train", [*PORTRAITS[:3], "cat.png"])
    made.write_csv("test", PORTRAITS[2:3])
    result = CliRunner().invoke(main, ["--platform", str(made.root / "config/platform.yaml"), "run", "--all-splits"])
    assert result.exit_code == 3, result.output
    return made


def relight(project: Project, *arguments: str) -> tuple[int, str]:
    platform = ["--platform", str(project.root / "config/platform.yaml")]
    result = CliRunner().invoke(main, [*platform, *arguments], catch_exceptions=False)
    return result.exit_code, " ".join(result.output.split())


def test_all_splits_and_no_photo_twice(project: Project, tmp_path: Path) -> None:
    code, output = relight(project, "export", "--layout", "imagefolder", "--all-splits", "--out", str(tmp_path))
    assert code == 0, output
    assert "train: 2 pairs" in output
    assert "1 in another split" in output
    assert "test: 1 pair (" in output
    assert f"read back: 2 pairs, {10 + len(card_files())} files, 0 faults" in output
    assert "/README.md" in output
    assert (tmp_path / "imagefolder" / "train" / "image" / "000000.png").is_file()
    assert json.loads((tmp_path / "imagefolder" / "test" / "manifest.json").read_bytes())["pairs"] == 1
    assert (
        "nothing new"
        in relight(project, "export", "--layout", "imagefolder", "--split", "test", "--out", str(tmp_path))[1]
    )


def test_one_csv_by_its_path_leaks_no_test_photo_either(project: Project, tmp_path: Path) -> None:
    csv = str(project.data / "train_images.csv")
    code, output = relight(project, "export", "--layout", "jsonl", "--csv", csv, "--out", str(tmp_path))
    assert code == 0, output
    assert "1 in another split" in output


def test_the_settings_name_the_column_of_licences(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIGHT_LICENCE_COLUMN", "note")
    export = ["export", "--layout", "jsonl", "--split", "train", "--out", str(tmp_path), "--no-check"]
    code, output = relight(project, *export)
    assert code == 0, output
    rows = [json.loads(line) for line in (tmp_path / "jsonl/train/pairs.jsonl").read_text().splitlines()]
    assert [row["licence"] for row in rows] == ["0", "1"]
    code, output = relight(project, *export, "--set", "licences=['1', '7']")
    assert code == 0, output
    assert "1 licence" in output
    assert "has no column `notes`; did you mean `note`" in relight(project, *export, "--set", "licence_column=notes")[1]
    assert relight(project, "export", "--samples", "--split", "train")[0] == 0
    with (project.data / "outputs" / "data-train" / "samples.csv").open(newline="") as stream:
        assert [row["licence"] for row in csv.DictReader(stream)] == ["0", "1", "2"]


def test_what_croissant_needs_is_said(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(croissant, "find_spec", lambda _: None)
    code, output = relight(project, "export", "--layout", "jsonl", "--split", "train", "--out", str(tmp_path))
    assert code == 0, output
    assert "croissant.json needs the extra: pip install 'relight_assets[export]'" in output
    assert (tmp_path / "jsonl" / "train" / "README.md").is_file()


def test_options_and_a_name(project: Project, tmp_path: Path) -> None:
    code, output = relight(
        project, "export", "--layout", "jsonl", "--split", "train", "--out", str(tmp_path), "--name", "mine",
        "--set", "caption=fixed", "--set", "caption_text=Light it anew.", "--set", "max_rows=1", "--no-check",
    )  # fmt: skip
    assert code == 0, output
    assert "read back" not in output
    assert (tmp_path / "mine" / "train" / "image" / "000000.txt").read_text() == "Light it anew.\n"


def test_list(project: Project) -> None:
    code, output = relight(project, "export", "--list")
    assert code == 0
    assert all(name in output for name in ("imagefolder", "ai-toolkit", "parquet", "webdataset", "jsonl"))


def test_older_snapshots_are_listed_and_removed(project: Project, tmp_path: Path) -> None:
    export = ["export", "--layout", "jsonl", "--split", "train", "--out", str(tmp_path)]
    relight(project, *export)
    old = (tmp_path / "jsonl" / "train").resolve()
    relight(project, *export, "--set", "caption=none")
    new = (tmp_path / "jsonl" / "train").resolve()
    assert old != new
    code, output = relight(project, *export, "--prune")
    assert code == 0
    assert "nothing was removed" in output
    assert old.is_dir()
    assert "removed" in relight(project, *export, "--prune", "--yes")[1]
    assert not old.exists()
    assert new.is_dir()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--split", "train"], 2, "give --layout NAME; --list shows the layouts"),
        (["--layout", "imagefoldr", "--split", "train"], 2, "did you mean `imagefolder`"),
        (["--layout", "jsonl"], 2, "give exactly one of --csv FILE, --split NAME, --all-splits"),
        (["--layout", "jsonl", "--split", "train", "--set", "captoin=none"], 2, "did you mean `caption`"),
        (["--layout", "jsonl", "--split", "train", "--set", "caption=none "], 0, "3 pairs|2 pairs"),
        (["--layout", "jsonl", "--split", "train", "--set", "caption"], 2, "must be KEY=VALUE"),
        (["--layout", "jsonl", "--split", "train", "--set", "caption=loud"], 2, "must be one of|found"),
        (["--layout", "jsonl", "--split", "train", "--set", "where=famly = 1"], 2, "did you mean `family`"),
        (["--layout", "jsonl", "--split", "train", "--set", "where=number > 9"], 3, "there is nothing to export"),
        (["--layout", "jsonl", "--split", "train", "--set", "caption_text= "], 2, "caption_text"),
        (["--layout", "jsonl", "--split", "train", "--set", "where="], 2, "where"),
        (["--layout", "jsonl", "--split", "train", "--set", "trigger=ohwx #1: 7"], 0, "2 pairs"),
        (["--layout", "jsonl", "--split", "train", "--yes"], 2, "--yes belongs to --prune"),
        (["--layout", "jsonl", "--split", "train", "--name", "../x"], 2, "name '../x' cannot be used"),
        (["--layout", "jsonl", "--split", "none"], 2, "no split `none`"),
    ],
)
def test_mistakes_are_sentences(
    project: Project, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    found, output = relight(project, "export", *arguments, "--out", str(tmp_path))
    assert found == code, output
    assert any(part in output for part in message.split("|")), output
    assert "Traceback" not in output


def test_the_label_tables_of_all_splits(project: Project) -> None:
    code, output = relight(project, "export", "--samples", "--all-splits")
    assert code == 0, output
    assert "train: 3 pairs" in output
    assert "test: 1 pair" in output
    path = project.data / "outputs" / "data-train" / "samples.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        assert [row["condition"] for row in csv.DictReader(stream)] == [f"{n:05d}_output.png" for n in range(3)]


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--split", "nine"], "nine"), (["--layout", "jsonl"], "leave out --layout")]
)
def test_label_tables_that_cannot_be_written(project: Project, arguments: list[str], message: str) -> None:
    code, output = relight(project, "export", "--samples", *arguments)
    assert code == 2, output
    assert message in output


def test_a_caption_program_and_another_light(project: Project, tmp_path: Path) -> None:
    code, output = relight(
        project, "export", "--layout", "jsonl", "--split", "train", "--out", str(tmp_path),
        "--set", "caption_command=no-such-captioner",
    )  # fmt: skip
    assert code == 2, output
    assert "`no-such-captioner` cannot be started" in output
    code, output = relight(
        project, "export", "--layout", "jsonl", "--split", "train", "--out", str(tmp_path), "--set", "target=variant"
    )
    assert code == 2, output
    assert "set `variants` in the recipe" in output
    code, output = relight(
        project,
        "export",
        "--layout",
        "jsonl",
        "--split",
        "train",
        "--out",
        str(tmp_path),
        "--set",
        "split_order=[train]",
    )
    assert code == 0, output
    assert "train: 3 pairs" in output
    assert "offset at most 0.0" in output


def test_text_is_taken_as_it_is_typed() -> None:
    found = options_of(["where=family = 'a: b' # c", "caption_command=run 'a: b' #1", "best=5", "split_order=[a, b]"])
    assert (found.where, found.caption_command) == ("family = 'a: b' # c", "run 'a: b' #1")
    assert (found.best, found.split_order) == (5, ("a", "b"))
