"""A new project: its files are the shipped ones, and what was there before is kept."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets.config.project import ProjectSource
from relight_assets.config.project_folder import project_folder
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import load_settings

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    "config/platform.yaml",
    "config/mvp_config.yaml",
    "config/dagster.yaml",
    "workspace.yaml",
    ".gitignore",
    "README.md",
}


def init(*arguments: object) -> Result:
    result = CliRunner().invoke(main, ["init", *map(str, arguments)], catch_exceptions=False)
    print(result.output)
    return result


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_a_new_project_has_the_shipped_files_and_a_folder_for_csvs(tmp_path: Path) -> None:
    project = tmp_path / "deep" / "new project"
    assert init(project).exit_code == 0
    assert files(project) == FILES
    assert list((project / "data").iterdir()) == []
    for name in ("config/platform.yaml", "config/mvp_config.yaml", "config/dagster.yaml", "workspace.yaml"):
        assert (project / name).read_bytes() == (ROOT / name).read_bytes()
    readme = (project / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(readme) == 10
    for command in ("relight models fetch", "relight doctor", "relight run", "relight verify", "relight dev"):
        assert any(f"`{command}" in line for line in readme)


def test_its_settings_and_recipe_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init(tmp_path)
    monkeypatch.chdir(tmp_path / "data")
    assert project_folder({}) == tmp_path
    assert ProjectSource({}).recipe().recipe == Recipe()
    settings = load_settings({})
    assert (settings.csv_dir, settings.output_root) == (tmp_path / "data", tmp_path / "data" / "outputs")
    placed = {"csv_dir": 0, "output_root": 0, "dagster_home": 0}
    assert settings.model_copy(update=placed) == Settings().model_copy(update=placed)


def test_the_working_directory_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert init().exit_code == 0
    assert files(tmp_path) == FILES


def test_what_is_there_is_kept_and_named_and_the_rest_is_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("my own\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "platform.yaml").symlink_to("/not/mounted.yaml")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train_images.csv").write_text("image_path\n")
    result = init(tmp_path)
    assert result.exit_code == 0
    assert {line for line in result.output.splitlines() if line.startswith("kept")} == {
        f"kept what was there: {tmp_path / name}" for name in ("README.md", "config/platform.yaml")
    }
    assert (tmp_path / "README.md").read_text() == "my own\n"
    assert (tmp_path / "config" / "platform.yaml").readlink() == Path("/not/mounted.yaml")
    assert files(tmp_path) == {*FILES, "data/train_images.csv"}

    before = {name: (tmp_path / name).lstat().st_mtime_ns for name in FILES}
    again = init(tmp_path)
    assert again.exit_code == 0
    assert again.output.count("kept what was there") == len(FILES)
    assert {name: (tmp_path / name).lstat().st_mtime_ns for name in FILES} == before


@pytest.mark.parametrize("name", [".", "config", "data"])
def test_a_file_in_the_place_of_a_folder_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("mine")
    result = init(project)
    assert result.exit_code == 2
    assert f"{project / name} is there and is no folder; nothing was written" in result.output
    assert files(tmp_path) == {str((project / name).relative_to(tmp_path))}


@pytest.mark.parametrize("place", ["/proc/project", "/dev/null/project"])
def test_a_folder_that_cannot_be_made_is_one_sentence(place: str) -> None:
    result = init(place)
    assert result.exit_code == 2
    assert result.output.startswith(f"error: {place}")
    assert "cannot be made" in result.output
    assert len(result.output.splitlines()) == 1


def test_a_folder_in_which_dagster_keeps_no_history_is_warned_of(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["init", str(tmp_path / "x[1]")])
    assert result.exit_code == 0
    assert "Dagster cannot keep its history in a folder whose path holds `[`" in result.output.replace("\n", " ")
