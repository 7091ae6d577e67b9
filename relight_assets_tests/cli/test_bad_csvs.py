"""Commands beside CSVs that cannot be used: each is named, the others go on, and 2 at the end."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets.cli.terminal import messages
from relight_assets_tests.conftest import PORTRAITS, Project, make_project

Relight = Callable[..., Result]

ROWS = "image_path\nnone.png\n"
BAD: dict[str, Callable[[Path], object]] = {
    "my split": lambda path: path.write_text(ROWS),
    "column": lambda path: path.write_text("image\na.png\n"),
    "wide": lambda path: path.write_bytes(ROWS.encode("utf-16")),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "ragged": lambda path: path.write_text("image_path,a\nnone.png\n"),
    "nowhere": lambda path: path.symlink_to("gone.csv"),
    "circle": lambda path: path.symlink_to(path.name),
    "pipe": os.mkfifo,
    "twin": lambda path: path.write_text(ROWS),
    "TWIN": lambda path: path.write_text(ROWS),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    made = make_project(tmp_path_factory.mktemp("project"), photos)
    made.write_csv("train", PORTRAITS[:1])
    made.write_csv("val", PORTRAITS[1:2])
    for name, write in BAD.items():
        write(made.data / f"{name}_images.csv")
    (made.data / "empty_images.csv").write_text("image_path\n")
    return made


@pytest.fixture
def relight(project: Project, monkeypatch: pytest.MonkeyPatch) -> Relight:
    monkeypatch.chdir(project.root)
    for console in (messages.out, messages.err):
        monkeypatch.setattr(console, "_width", 400)

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        print(result.output)
        return result

    return call


def assert_all_are_named(result: Result) -> None:
    assert [name for name in BAD if f"/{name}_images.csv" not in result.output] == []
    assert "empty_images.csv has a header and no rows" in result.output
    assert "Traceback" not in result.output


def test_all_others_are_run_and_all_bad_ones_named(relight: Relight, project: Project) -> None:
    result = relight("run", "--all-splits")
    assert result.exit_code == 2
    assert_all_are_named(result)
    for split in ("train", "val"):
        assert (project.data / "outputs" / f"data-{split}" / "00000_output.png").is_file()
    assert sorted(path.name for path in (project.data / "outputs").glob("data-*")) == ["data-train", "data-val"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_that_is_asked_for_is_named(relight: Relight, name: str) -> None:
    for command in ("run", "verify", "prune") if name in ("my split", "column") else ("verify",):
        result = relight(command, "--split", name)
        assert result.exit_code == 2
        assert f"/{name}_images.csv" in result.output
        assert sum(other in result.output for other in ("column_", "nowhere_", "my split_")) <= 1


def test_a_good_one_that_is_asked_for_knows_nothing_of_the_others(relight: Relight) -> None:
    for command in ("run", "verify", "prune"):
        result = relight(command, "--split", "train")
        assert result.exit_code == 0
        assert not [name for name in BAD if f"/{name}_images.csv" in result.output]


def test_one_without_rows_is_named_and_no_mistake(relight: Relight, project: Project) -> None:
    for command in ("run", "verify", "prune"):
        result = relight(command, "--split", "empty")
        assert result.exit_code == 0
        assert "empty_images.csv has a header and no rows" in result.output
    assert not (project.data / "outputs" / "data-empty").exists()


def test_status_has_a_row_for_each(relight: Relight) -> None:
    result = relight("status")
    assert result.exit_code == 2
    assert_all_are_named(result)
    firsts = [line.split()[0] for line in result.output.splitlines()[1:] if line[:1].strip()]
    assert set(firsts) >= {"train", "val", "empty", "column", "nowhere"}


def test_status_that_is_watched_has_them_too(relight: Relight, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("relight_assets.cli.commands.status.time.sleep", stop)
    result = relight("status", "--watch")
    assert result.exit_code == 2
    assert_all_are_named(result)


def test_verify_reads_the_others(relight: Relight, project: Project) -> None:
    relight("run", "--split", "train")
    relight("run", "--split", "val")
    result = relight("verify", "--all-splits", "--json", str(project.root / "found.json"))
    assert result.exit_code == 2
    assert_all_are_named(result)
    text = (project.root / "found.json").read_text()
    assert [f'"split": "{name}"' in text for name in ("train", "val", "empty")] == [True, True, False]


def test_prune_lists_the_others(relight: Relight) -> None:
    result = relight("prune")
    assert result.exit_code == 2
    assert_all_are_named(result)
    assert "val: 0 numbers without a row" in result.output


def test_a_mistake_comes_before_rows_that_failed_and_after_a_run_that_crashed(
    relight: Relight, project: Project
) -> None:
    project.write_csv("val", [PORTRAITS[1], "cat.png"])
    assert relight("run", "--split", "val").exit_code == 3
    assert relight("run", "--split", "val", "--num-samples", "1").exit_code == 0
    assert relight("run", "--all-splits").exit_code == 2
    albedo = project.data / "outputs" / "data-train" / "00000_albedo.png"
    status, data = albedo.stat(), bytearray(albedo.read_bytes())
    data[-20] ^= 1
    albedo.write_bytes(data)
    os.utime(albedo, ns=(status.st_atime_ns, status.st_mtime_ns))
    result = relight("run", "--all-splits")
    assert result.exit_code == 1  # a check stopped the run of `train`
    assert_all_are_named(result)


def test_a_folder_of_bad_ones_alone_is_no_folder_without_csvs(
    relight: Relight, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BAD["column"](tmp_path / "column_images.csv")
    monkeypatch.setenv("RELIGHT_CSV_DIR", str(tmp_path))
    for command in (["run", "--all-splits"], ["verify", "--all-splits"], ["prune"], ["status"]):
        result = relight(*command)
        assert result.exit_code == 2
        assert "no column 'image_path'" in result.output


def test_a_demo_in_a_folder_with_a_bad_csv_names_it(
    relight: Relight, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.cli.demo_photos.write_demo", lambda _: None)  # the photos of the test suffice
    folder = tmp_path / "demo"
    folder.mkdir()
    BAD["column"](folder / "column_images.csv")
    (folder / "train_images.csv").write_text(f"image_path\n{project.photos / PORTRAITS[0]}\n")
    result = relight("demo", "--dir", str(folder))
    assert result.exit_code == 2
    assert "no column 'image_path'" in result.output
    assert (folder / "outputs" / "data-train" / "00000_output.png").is_file()
