"""A project is read at the edges: its files and variables, and the options that replace them."""

from pathlib import Path

import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "platform.yaml").write_text("batch: 7\nquality: {min_identity: 0.8}\n", encoding="utf-8")
    (tmp_path / "config" / "mvp_config.yaml").write_text("seed: 3\nquality: {min_identity: 0.9}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_context_holds_settings_and_recipe_and_where_they_came_from(project: Path) -> None:
    context = ProjectSource({"RELIGHT_THREADS": "2"}).context()
    assert (context.folder, context.recipe_file) == (project, project / "config" / "mvp_config.yaml")
    assert (context.settings.batch, context.settings.threads, context.recipe.seed) == (7, 2, 3)
    assert context.quality.min_identity == 0.9
    assert len(context.loaded.warnings) == 1
    other = context.with_settings(num_gpus=2)
    assert (other.settings.num_gpus, other.settings.batch, other.loaded) == (2, 7, context.loaded)
    assert context.settings.num_gpus == "auto"


def test_every_method_reads_anew_and_a_context_stays_as_it_was(project: Path) -> None:
    source = ProjectSource({})
    before = source.context()
    (project / "config" / "platform.yaml").write_text("batch: 8\n", encoding="utf-8")
    assert (before.settings.batch, source.settings().batch) == (7, 8)


def test_settings_can_be_read_where_the_recipe_cannot(project: Path) -> None:
    (project / "config" / "mvp_config.yaml").write_text("sead: 3\n", encoding="utf-8")
    source = ProjectSource({})
    assert source.settings().batch == 7
    for read in (source.recipe, source.context):
        with pytest.raises(ConfigError, match="did you mean `seed`"):
            read()


def test_a_platform_file_by_option_replaces_that_of_the_variable(project: Path) -> None:
    for batch in (1, 2):
        (project / f"{batch}.yaml").write_text(f"batch: {batch}\ncsv_dir: csvs\n", encoding="utf-8")
    environ = {"RELIGHT_PLATFORM": "1.yaml"}
    assert ProjectSource(environ).settings().batch == 1
    settings = ProjectSource(environ, Path("2.yaml")).settings()
    assert (settings.batch, settings.csv_dir) == (2, project / "csvs")
    assert ProjectSource({**environ, "RELIGHT_BATCH": "5"}, Path("2.yaml")).settings().batch == 5
    with pytest.raises(ConfigError, match=r"none\.yaml: there is no such file"):
        ProjectSource(environ, Path("none.yaml")).settings()
    with pytest.raises(ConfigError, match=r"^--platform: is longer than a path can be"):
        ProjectSource(environ, Path("x" * 5000)).settings()


@pytest.mark.parametrize("by_option", [True, False])
def test_a_settings_file_in_a_config_folder_names_its_project_with_its_recipe(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, by_option: bool
) -> None:
    here = tmp_path_factory.mktemp("here")
    (here / "config").mkdir()
    (here / "config" / "mvp_config.yaml").write_text("seed: 5\n", encoding="utf-8")
    monkeypatch.chdir(here)

    def source(file: Path) -> ProjectSource:
        return ProjectSource({}, file) if by_option else ProjectSource({"RELIGHT_PLATFORM": str(file)})

    there = project / "config" / "platform.yaml"
    context = source(there).context()
    assert (context.folder, context.recipe_file) == (project, project / "config" / "mvp_config.yaml")
    assert (context.recipe.seed, context.settings.batch) == (3, 7)
    named = ProjectSource({**source(there).environ, "RELIGHT_CONFIG": "config/mvp_config.yaml"}, source(there).platform)
    assert (named.context().folder, named.context().recipe.seed) == (project, 5)
    (project / "config" / "mvp_config.yaml").unlink()
    assert source(there).context().recipe.seed == 0
    (here / "other.yaml").write_text("batch: 9\n", encoding="utf-8")
    elsewhere = source(here / "other.yaml").context()
    assert (elsewhere.folder, elsewhere.recipe.seed, elsewhere.settings.batch) == (here, 5, 9)
