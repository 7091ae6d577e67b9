"""What a command is asked for: every mistake is told, and nothing is guessed."""

import os
from pathlib import Path

import pytest

from relight_assets.cli.options import recipe_asked_for, splits_asked_for, splits_of, stages_asked_for
from relight_assets.config.settings import load_settings
from relight_assets.errors import CsvError, UserError
from relight_assets_tests.conftest import PORTRAITS, Project, make_project


@pytest.fixture
def project(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = make_project(tmp_path, photos)
    made.write_csv("train", PORTRAITS[:1])
    made.write_csv("val", PORTRAITS[1:2])
    monkeypatch.chdir(made.root)
    for name in ("RELIGHT_CSV_DIR", "RELIGHT_CSV_GLOB"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    return made


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("masks", ("masks",)),
        ("composites, degraded", ("degraded", "composites")),
        (",albedo,,albedo", ("albedo",)),
    ],
)
def test_stages_come_in_their_own_order(text: str, stages: tuple[str, ...]) -> None:
    assert stages_asked_for(text) == stages


@pytest.mark.parametrize(("text", "told"), [("mask,albedo", "--stages: mask;"), (" , ", "nothing given")])
def test_an_unknown_stage_and_none_are_told(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        stages_asked_for(text)


def test_splits_are_named_by_one_option_alone(project: Project) -> None:
    assert list(splits_asked_for(None, None, all_splits=True).found) == ["train", "val"]
    assert list(splits_asked_for(None, "val", all_splits=False).found) == ["val"]
    for given in ((None, None, False), (None, "val", True), (project.root / "data" / "train_images.csv", "val", False)):
        with pytest.raises(UserError, match="say what to run"):
            splits_asked_for(given[0], given[1], all_splits=given[2])
    with pytest.raises(UserError, match=r"no split `test` .* there are: train, val"):
        splits_asked_for(None, "test", all_splits=False)


def test_a_folder_without_csvs_is_told(project: Project) -> None:
    for path in load_settings().csv_dir.glob("*_images.csv"):
        path.unlink()
    with pytest.raises(UserError, match="no CSV matches"):
        splits_asked_for(None, None, all_splits=True)


def test_bad_csvs_are_among_all_and_alone_a_mistake(project: Project) -> None:
    folder = load_settings().csv_dir
    (folder / "my split_images.csv").write_text("image_path\na.png\n")
    (folder / "nowhere_images.csv").symlink_to("gone.csv")
    found = splits_asked_for(None, None, all_splits=True)
    assert list(found.found) == ["train", "val"]
    assert [path.name for path in found.faults] == ["my split_images.csv", "nowhere_images.csv"]
    assert splits_asked_for(None, "val", all_splits=False).faults == {}
    for split, told in (("my split", "cannot be used"), ("nowhere", "which is not there")):
        with pytest.raises(CsvError, match=told):
            splits_asked_for(None, split, all_splits=False)


def test_a_csv_from_elsewhere_is_the_only_split_of_its_folder(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "[else] where"
    folder.mkdir()
    text = f"image_path\n{project.photos / PORTRAITS[0]}\n"
    for name in ("one", "two"):
        (folder / f"{name}_images.csv").write_text(text)
    assert list(splits_asked_for(folder / "one_images.csv", None, all_splits=False).found) == ["one"]
    assert Path(os.environ["RELIGHT_CSV_DIR"]) == folder
    assert list(splits_asked_for(None, None, all_splits=True).found) == ["one"]


def test_a_csv_that_cannot_be_used_is_told_before_anything_starts(project: Project) -> None:
    bad = project.root / "bad_images.csv"
    bad.write_text("picture\na.png\n")
    with pytest.raises(CsvError, match="image_path"):
        splits_asked_for(bad, None, all_splits=False)
    assert "RELIGHT_CSV_DIR" not in os.environ


def test_an_experiment_s_splits_are_those_it_was_run_for(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings()
    (settings.csv_dir / "my split_images.csv").write_text("image_path\na.png\n")
    both = splits_asked_for(None, None, all_splits=True)
    assert splits_of("warm", both, settings) == both
    (settings.output_root / "experiments" / "warm" / "data-val").mkdir(parents=True)
    found = splits_of("warm", both, settings)
    assert (list(found.found), found.faults) == (["val"], both.faults)
    assert "nothing of the split `train`" in "".join(capsys.readouterr())


def test_another_recipe_is_an_experiment_named_by_its_file(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    other = project.root / "warm light.yaml"
    other.write_text("seed: 77\n")
    name, loaded = recipe_asked_for(other, "")
    assert (name, loaded.recipe.seed) == ("warm-light", 77)
    assert "not the project's recipe" in "".join(capsys.readouterr()).replace("\n", " ")
    assert recipe_asked_for(other, "mine")[0] == "mine"
    assert recipe_asked_for(None, "")[0] is None


def test_the_projects_own_recipe_under_another_name_is_no_experiment(project: Project) -> None:
    copy = project.root / "copy.yaml"
    copy.write_text("seed: 0\n")
    assert recipe_asked_for(copy, "") == recipe_asked_for(None, "")


def test_other_thresholds_are_no_other_recipe(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    strict = project.root / "strict.yaml"
    strict.write_text("quality: {min_identity: 0.9}\n")
    name, loaded = recipe_asked_for(strict, "")
    assert (name, loaded.recipe) == (None, recipe_asked_for(None, "")[1].recipe)
    told = "".join(capsys.readouterr())
    assert told.count("`quality` belongs in config/platform.yaml") == 1
    assert "experiment" not in told
    name, loaded = recipe_asked_for(strict, "mine")
    assert (name, loaded.quality.min_identity) == ("mine", 0.9)


def test_a_file_whose_name_gives_no_experiment_asks_for_one(project: Project) -> None:
    other = project.root / "\u5b9e\u9a8c.yaml"
    other.write_text("seed: 77\n")
    with pytest.raises(UserError, match="--experiment"):
        recipe_asked_for(other, "")
