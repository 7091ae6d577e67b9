"""What a command is asked for: every mistake is reported, and nothing is guessed."""

import os
from pathlib import Path

import pytest

from relight_assets.cli.options import select_recipe, select_splits, select_stages, splits_of_experiment, stages_under
from relight_assets.config.context import ProjectContext
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import CsvFolder
from relight_assets.errors import CsvError, UserError
from relight_assets_tests.conftest import PORTRAITS, Project, make_project, recipe_with


@pytest.fixture
def project(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = make_project(tmp_path, photos)
    made.write_csv("train", PORTRAITS[:1])
    made.write_csv("val", PORTRAITS[1:2])
    monkeypatch.chdir(made.root)
    return made


def context() -> ProjectContext:
    return ProjectSource(os.environ).context()


def settings() -> Settings:
    return context().settings


def selected(csv_file: Path | None, split: str | None, *, all_splits: bool) -> CsvFolder:
    return select_splits(settings(), csv_file, split, all_splits=all_splits)[1]


def recipe(config: Path | None, experiment: str) -> tuple[str | None, LoadedRecipe]:
    return select_recipe(context(), config, experiment)


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("masks", ("masks",)),
        ("composites, degraded", ("degraded", "composites")),
        (",albedo,,albedo", ("albedo",)),
    ],
)
def test_stages_come_in_their_own_order(text: str, stages: tuple[str, ...]) -> None:
    assert select_stages(text) == stages


@pytest.mark.parametrize(("text", "reported"), [("mask,albedo", "--stages: mask;"), (" , ", "nothing given")])
def test_an_unknown_stage_and_none_are_reported(text: str, reported: str) -> None:
    with pytest.raises(UserError, match=reported):
        select_stages(text)


def test_without_a_choice_all_stages_of_the_recipe_are_meant() -> None:
    kept, four = recipe_with(keep_light=True), ("masks", "albedo", "degraded", "composites")
    assert stages_under(Recipe(), None) == four
    assert stages_under(kept, None) == (*four, "light_maps")
    assert stages_under(kept, select_stages("light_maps,masks")) == ("masks", "light_maps")
    with pytest.raises(UserError, match="does not ask for light_maps; set `keep_light: true`"):
        stages_under(Recipe(), select_stages("light_maps"))


def test_splits_are_named_by_one_option_alone(project: Project) -> None:
    assert list(selected(None, None, all_splits=True).found) == ["train", "val"]
    assert list(selected(None, "val", all_splits=False).found) == ["val"]
    for given in ((None, None, False), (None, "val", True), (project.root / "data" / "train_images.csv", "val", False)):
        with pytest.raises(UserError, match="give exactly one of"):
            selected(given[0], given[1], all_splits=given[2])
    with pytest.raises(UserError, match=r"no split `test` .* there are: train, val"):
        selected(None, "test", all_splits=False)


def test_a_folder_without_csvs_is_reported(project: Project) -> None:
    for path in settings().csv_dir.glob("*_images.csv"):
        path.unlink()
    with pytest.raises(UserError, match="no CSV matches"):
        selected(None, None, all_splits=True)
    (settings().csv_dir / "train.csv").write_text("image_path\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"found train\.csv, which does not match \*_images\.csv"):
        selected(None, None, all_splits=True)


def test_bad_csvs_are_among_all_and_alone_a_mistake(project: Project) -> None:
    folder = settings().csv_dir
    (folder / "my split_images.csv").write_text("image_path\na.png\n")
    (folder / "nowhere_images.csv").symlink_to("gone.csv")
    found = selected(None, None, all_splits=True)
    assert list(found.found) == ["train", "val"]
    assert [path.name for path in found.faults] == ["my split_images.csv", "nowhere_images.csv"]
    assert selected(None, "val", all_splits=False).faults == {}
    for split, reported in (("my split", "cannot be used"), ("nowhere", "which is not there")):
        with pytest.raises(CsvError, match=reported):
            selected(None, split, all_splits=False)


def test_a_csv_from_elsewhere_is_the_only_split_of_its_folder(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "[else] where"
    folder.mkdir()
    text = f"image_path\n{project.photos / PORTRAITS[0]}\n"
    for name in ("one", "two"):
        (folder / f"{name}_images.csv").write_text(text)
    before = dict(os.environ)
    chosen, found = select_splits(settings(), folder / "one_images.csv", None, all_splits=False)
    assert list(found.found) == ["one"]
    assert chosen.csv_dir == folder
    assert list(select_splits(chosen, None, None, all_splits=True)[1].found) == ["one"]
    assert dict(os.environ) == before


def test_a_csv_that_cannot_be_used_is_reported_before_anything_starts(project: Project) -> None:
    bad = project.root / "bad_images.csv"
    bad.write_text("image\na.png\n")
    with pytest.raises(CsvError, match="image_path"):
        selected(bad, None, all_splits=False)
    assert "RELIGHT_CSV_DIR" not in os.environ


def test_an_experiment_s_splits_are_those_it_was_run_for(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    present = settings()
    (present.csv_dir / "my split_images.csv").write_text("image_path\na.png\n")
    both = selected(None, None, all_splits=True)
    assert splits_of_experiment("warm", both, present) == both
    (present.output_root / "experiments" / "warm" / "data-val").mkdir(parents=True)
    found = splits_of_experiment("warm", both, present)
    assert (list(found.found), found.faults) == (["val"], both.faults)
    assert "nothing of the split `train`" in "".join(capsys.readouterr())


def test_another_recipe_is_an_experiment_named_by_its_file(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    other = project.root / "warm light.yaml"
    other.write_text("seed: 77\n")
    name, loaded = recipe(other, "")
    assert (name, loaded.recipe.seed) == ("warm-light", 77)
    assert "not the project's recipe" in "".join(capsys.readouterr()).replace("\n", " ")
    assert recipe(other, "mine")[0] == "mine"
    assert recipe(None, "")[0] is None


def test_the_projects_own_recipe_under_another_name_is_no_experiment(project: Project) -> None:
    copy = project.root / "copy.yaml"
    copy.write_text("seed: 0\n")
    assert recipe(copy, "") == recipe(None, "")


def test_other_thresholds_are_no_other_recipe(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    strict = project.root / "strict.yaml"
    strict.write_text("quality: {min_identity: 0.9}\n")
    name, loaded = recipe(strict, "")
    assert (name, loaded.recipe) == (None, recipe(None, "")[1].recipe)
    reported = "".join(capsys.readouterr())
    assert reported.count("`quality` belongs in config/platform.yaml") == 1
    assert "experiment" not in reported
    name, loaded = recipe(strict, "mine")
    assert (name, loaded.quality.min_identity) == ("mine", 0.9)


def test_a_file_whose_name_gives_no_experiment_asks_for_one(project: Project) -> None:
    other = project.root / "\u5b9e\u9a8c.yaml"
    other.write_text("seed: 77\n")
    with pytest.raises(UserError, match="--experiment"):
        recipe(other, "")
