"""The commands as a user types them, against a real project folder and a real Dagster instance."""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import dagster as dg
import pytest
from click.testing import CliRunner, Result

from relight_assets import __version__
from relight_assets.cli.main import main
from relight_assets_tests.cli.test_examples import commands
from relight_assets_tests.conftest import PORTRAITS, Project, make_project, rewrite_record

Relight = Callable[..., Result]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    made = make_project(tmp_path_factory.mktemp("project"), photos)
    made.write_csv("train", [*PORTRAITS[:2], "cat.png", ""])
    made.write_csv("val", PORTRAITS[2:3])
    return made


@pytest.fixture
def relight(project: Project, monkeypatch: pytest.MonkeyPatch) -> Relight:
    monkeypatch.chdir(project.root)

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        print(result.output)
        return result

    return call


@pytest.fixture(scope="module")
def ran(project: Project) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        before = dict(os.environ)
        try:
            return CliRunner().invoke(main, ["run", "--split", "train"], catch_exceptions=False)
        finally:
            os.environ.clear()
            os.environ.update(before)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(result: Result, *names: str) -> dict[str, list[str]]:
    """The cells of the first table's rows by split; the first line of a split is its row."""
    found: dict[str, list[str]] = {}
    for line in result.output.splitlines():
        cells = line.split()
        if len(cells) > 5 and cells[0] in ("train", "val", *names) and cells[1].isdigit():
            found.setdefault(cells[0], cells[1:])
    return found


def test_a_run_with_failed_rows_ends_with_3_and_a_table(ran: Result, project: Project) -> None:
    assert ran.exit_code == 3
    assert "1 no_person" in ran.output
    assert str(project.data / "train_images_with_relighting_outputs.csv") in ran.output
    assert str(project.data / "outputs" / "data-train" / "contact_sheet.jpg") in ran.output
    assert "Warning" not in ran.output


def test_the_mapping_has_the_inputs_rows_and_a_path_for_each_that_is_done(ran: Result, project: Project) -> None:
    inputs = rows(project.data / "train_images.csv")
    mapping = rows(project.data / "train_images_with_relighting_outputs.csv")
    assert [{k: v for k, v in row.items() if k != "output_image_path"} for row in mapping] == inputs
    outputs = [row["output_image_path"] for row in mapping]
    folder = project.data / "outputs" / "data-train"
    assert outputs == [str(folder / "00000_output.png"), str(folder / "00001_output.png"), "", ""]
    assert all(Path(path).is_file() for path in outputs if path)


def test_the_failures_csv_says_which_row_and_why(ran: Result, project: Project) -> None:
    failures = rows(project.data / "train_images_failures.csv")
    assert [(row["line"], row["code"], row["stage"]) for row in failures] == [
        ("4", "no_person", "masks"),
        ("5", "blank_path", "masks"),
    ]


def test_the_ui_knows_the_run_and_its_numbers(ran: Result, project: Project) -> None:
    with dg.DagsterInstance.from_config(str(project.root / ".dagster_home")) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}
        metadata = {}
        for key in ("masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters"):
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None
            assert event.asset_materialization is not None
            assert event.asset_materialization.partition == "train"
            metadata[key] = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    for stage in ("masks", "albedo", "degraded", "composites"):
        found = metadata[stage]
        assert (found["images"], found["computed"], found["reused"], found["failed"]) == (3, 2, 0, 1)
        assert (found["rows"], found["rows_done"], found["rows_failed"], found["rows_rejected"]) == (4, 2, 1, 1)
        assert found["contact_sheet"].startswith("![")
        assert len(found["contact_sheet"]) < 300_000
        assert found["images_per_s"] > 0
    assert 0.2 < metadata["masks"]["mean_coverage"] < 0.95
    shares = {name: value for name, value in metadata["degraded"].items() if name.startswith("share_")}
    assert sum(shares.values()) == pytest.approx(1)
    assert metadata["mapping_csv"]["dagster/row_count"] == 4
    assert [c.name for c in metadata["mapping_csv"]["dagster/column_schema"].columns] == [
        "image_path",
        "note",
        "output_image_path",
    ]
    assert metadata["dead_letters"]["dagster/row_count"] == 2


def test_a_second_run_reuses_everything(ran: Result, relight: Relight) -> None:
    result = relight("run", "--all-splits")
    assert result.exit_code == 3
    assert table(result)["train"][-2:] == ["0", "2"]
    assert table(result)["val"][-3:-1] == ["1", "0"]


def test_a_run_without_failures_ends_with_0(ran: Result, relight: Relight) -> None:
    assert relight("run", "--split", "train", "--num-samples", "2").exit_code == 0


def test_only_rows_that_are_considered_count(ran: Result, relight: Relight) -> None:
    assert relight("run", "--split", "train", "--num-samples", "3").exit_code == 3


def test_another_recipe_is_an_experiment_with_its_own_folder_and_mapping(
    ran: Result, relight: Relight, project: Project
) -> None:
    (project.root / "dim look.yaml").write_text("seed: 3\nmemory: {}\n", encoding="utf-8")
    before = (project.data / "train_images_with_relighting_outputs.csv").read_bytes()
    result = relight("run", "--split", "train", "--config", "dim look.yaml", "--num-samples", "1")
    assert result.exit_code == 0
    assert "`memory` is ignored" in result.output
    assert "experiment `dim-look`" in result.output
    folder = project.data / "outputs" / "experiments" / "dim-look"
    assert (folder / "data-train" / "00000_output.png").is_file()
    assert str(folder / "data-train" / "comparison.jpg") in result.output
    assert "seed: 3" in (folder / "data-train" / "recipe.yaml").read_text()
    assert len(rows(folder / "train_images_with_relighting_outputs.csv")) == 4
    assert (project.data / "train_images_with_relighting_outputs.csv").read_bytes() == before


def test_the_projects_own_recipe_named_is_no_experiment(ran: Result, relight: Relight, project: Project) -> None:
    assert "experiment" not in relight("run", "--split", "val", "--config", "config/mvp_config.yaml").output


def test_a_csv_from_elsewhere_by_stages(relight: Relight, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "faces.csv"
    file.write_text(f"image_path\n{project.photos / PORTRAITS[3]}\n", encoding="utf-8")
    result = relight("run", "--csv", str(file), "--stages", "masks,albedo")
    assert result.exit_code == 3
    assert "1 rows are pending: not all stages were selected" in result.output
    folder = project.data / "outputs" / "data-faces"
    assert sorted(p.name for p in folder.glob("*.png")) == [
        f"00000_{name}.png" for name in ("albedo", "background", "foreground", "input")
    ]
    assert rows(tmp_path / "faces_with_relighting_outputs.csv")[0]["output_image_path"] == ""


def test_the_mapping_is_written_after_the_stages_that_ran(ran: Result, relight: Relight, project: Project) -> None:
    (project.data / "outputs" / "data-train" / "00001_foreground.png").unlink()
    assert relight("run", "--split", "train", "--stages", "masks", "--num-samples", "2").exit_code == 0
    mapping = rows(project.data / "train_images_with_relighting_outputs.csv")
    assert [bool(row["output_image_path"]) for row in mapping] == [True, True, False, False]


def test_a_stage_that_waits_for_another_is_reported(relight: Relight, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "waiting_images.csv"
    file.write_text(f"image_path\n{project.photos / PORTRAITS[3]}\n", encoding="utf-8")
    result = relight("run", "--csv", str(file), "--stages", "composites")
    assert result.exit_code == 3
    assert "1 images wait for a stage that was not selected" in result.output


def test_status_shows_where_every_split_stands(ran: Result, relight: Relight) -> None:
    result = relight("status")
    assert table(result)["train"] == ["4", "2", "1", "1", "0", "0"]
    assert result.exit_code == 3
    trusting = relight("status", "--trust-state")
    assert table(trusting) == table(result)
    assert trusting.exit_code == 3


def test_a_name_that_gives_no_experiment_asks_for_one(relight: Relight, project: Project) -> None:
    (project.root / "实验.yaml").write_text("seed: 77\n", encoding="utf-8")
    result = relight("run", "--split", "train", "--config", "实验.yaml")
    assert result.exit_code == 2
    assert "--experiment" in result.output


def test_names_that_look_like_markup_are_shown_as_they_are(relight: Relight, project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "[bold]b:cat:[" / "[/red]"
    folder.mkdir(parents=True)
    file = folder / "odd_images.csv"
    file.write_text(f"image_path\n{project.photos / PORTRAITS[3]}\n[red]none.png\n", encoding="utf-8")
    result = relight("run", "--csv", str(file))
    assert result.exit_code == 3
    assert str(folder / "odd_images_failures.csv") in result.output


def test_a_check_that_stops_a_run_names_the_file(relight: Relight, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "altered_images.csv"
    file.write_text(f"image_path\n{project.photos / PORTRAITS[3]}\n", encoding="utf-8")
    assert relight("run", "--csv", str(file)).exit_code == 0
    albedo = project.data / "outputs" / "data-altered" / "00000_albedo.png"
    status, data = albedo.stat(), bytearray(albedo.read_bytes())
    data[-20] ^= 1
    albedo.write_bytes(data)
    os.utime(albedo, ns=(status.st_atime_ns, status.st_mtime_ns))
    result = relight("run", "--csv", str(file))
    assert result.exit_code == 1
    assert f"the check `files_match_records` failed: {albedo} has sha256" in result.output
    assert "`relight verify --split altered`" in result.output
    assert "Traceback" not in result.output


def test_after_a_failed_op_the_csvs_say_how_things_stand(relight: Relight, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "full_images.csv"
    file.write_text(f"image_path\n{project.photos / PORTRAITS[3]}\n\nnone.png\n", encoding="utf-8")
    assert relight("run", "--csv", str(file)).exit_code == 3
    folder = project.data / "outputs" / "data-full"
    (folder / "00000_output.png").unlink()
    (folder / "recipe.yaml").unlink()
    (folder / "recipe.yaml").mkdir()
    (tmp_path / "full_images_failures.csv").unlink()
    result = relight("run", "--csv", str(file))
    assert result.exit_code == 2
    assert "the run stopped" in result.output or "cannot be written" in result.output
    assert [row["output_image_path"] for row in rows(tmp_path / "full_images_with_relighting_outputs.csv")] == ["", ""]
    assert rows(tmp_path / "full_images_failures.csv")[0]["code"] == "source_missing"


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["run"], "give exactly one of"),
        (["run", "--split", "train", "--all-splits"], "give exactly one of"),
        (["run", "--split", "nope"], "no split `nope`"),
        (["run", "--csv", "none.csv"], "none.csv"),
        (["run", "--split", "train", "--stages", "mask"], "the stages are masks, albedo, degraded, composites"),
        (["run", "--split", "train", "--config", "none.yaml"], "there is no such file"),
        (["run", "--split", "train", "--num-gpus", "64"], "64 GPUs"),
        (["--platform", "none.yaml", "status"], "there is no such file"),
    ],
)
def test_a_users_mistake_ends_with_2_and_one_sentence(relight: Relight, arguments: list[str], reported: str) -> None:
    result = relight(*arguments)
    assert result.exit_code == 2
    assert reported in result.output
    assert "Traceback" not in result.output


def test_every_command_and_option_stands_in_the_docs() -> None:
    """In the section of its command, and no option that the command does not have."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    general, *sections = text.split("\n## `relight ")
    by_command = {section.split("`")[0].split()[0]: section for section in sections}
    found = {" ".join(names): command for names, command in commands(main)}
    assert by_command.keys() == {name.split()[0] for name in found}
    assert options_in(general) == options_of(main) | {"--help"}
    for name, section in by_command.items():
        parts = {full: command for full, command in found.items() if full.split()[0] == name}
        assert [part for part in parts if f"relight {part}" not in f"relight {section}"] == []
        assert options_in(section) == set().union(*map(options_of, parts.values())), name


def options_of(command: click.Command) -> set[str]:
    return {text for option in command.params if isinstance(option, click.Option) for text in option.opts}


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def test_version(relight: Relight) -> None:
    assert relight("--version").output.strip() == f"relight, version {__version__}"


def test_models_list_names_file_state_sha256_and_licence(relight: Relight) -> None:
    output = relight("models", "list").output
    for text in (
        "selfie_segmentation",
        "ok",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        "Apache-2.0 (METADATA and LICENSE of the wheel; the file itself states none)",
        "Apache-2.0 (LICENSE of the npm package; the file itself states none)",
        "SAM License (LICENSE of Meta's repository, accepted before the download)",
        "that of its maker (where you got it)",
    ):
        assert text in " ".join(output.split())
    assert "sam3 (person masks, on GPUs): missing" in output
    assert "accept the SAM License" in output


def test_the_doctor_says_whether_a_run_can_start_and_the_run_says_the_same(
    relight: Relight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = relight("doctor")
    assert well.exit_code == 0
    assert "a run can start" in well.output
    for topic in ("driver", "workers", "cores", "memory", "segmenter", "disk", "open files"):
        assert topic in well.output
    recipe = tmp_path / "sam3.yaml"
    recipe.write_text("segmenter: sam3\n")
    monkeypatch.setenv("RELIGHT_CONFIG", str(recipe))
    ill, run = relight("doctor"), relight("run", "--split", "val")
    assert ill.exit_code == run.exit_code == 2
    for output in (ill.output, run.output):
        assert "RELIGHT_SAM3_CHECKPOINT" in output or "not installed" in output
        assert "Traceback" not in output


def test_verify_ends_with_0_or_with_3_and_the_faults(ran: Result, relight: Relight, project: Project) -> None:
    well = relight("verify", "--split", "train", "--sheet", str(project.root / "worst.png"))
    assert well.exit_code == 0
    sheet = cv2.imread(str(project.root / "worst.png"))
    assert sheet is not None
    assert sheet.shape[1] == 8 * 136
    assert "12" in well.output  # six images of two images
    output = project.data / "outputs" / "data-train" / "00001_output.png"
    before = output.read_bytes()
    output.write_bytes(before[:-1])
    try:
        ill = relight("verify", "--split", "train", "--sample", "5")
    finally:
        output.write_bytes(before)
    assert ill.exit_code == 3
    assert "altered: " in ill.output
    assert str(output) in ill.output


def test_replay_ends_with_0_or_with_3_and_names_the_image(ran: Result, relight: Relight, project: Project) -> None:
    (record,) = project.root.rglob("data-val/00000_metadata.json")
    well = relight("replay", str(record), "--write", str(project.root / "again"))
    assert well.exit_code == 0
    assert well.output.count("the same bytes") == 3
    again = project.root / "again" / "00000_output.png"
    assert again.read_bytes() == (record.parent / "00000_output.png").read_bytes()
    other = project.root / "other" / record.name
    other.parent.mkdir()
    other.write_bytes(record.read_bytes())
    rewrite_record(other, lambda content: content.update(recipe={"seed": 5}))
    ill = relight("replay", str(other), "--foreground", str(record.parent / "00000_foreground.png"))
    assert ill.exit_code == 3
    assert "00000_degraded_fg.png" in ill.output
    assert "other bytes" in ill.output
    none = relight("replay", str(record.parent / "00009_metadata.json"))
    assert none.exit_code == 2
    assert "is not there" in none.output
    assert relight("replay", str(record), str(record), "--foreground", "x.png").exit_code == 2
    own = relight("replay", str(record), "--write", str(record.parent))
    assert own.exit_code == 2
    assert "own folder" in own.output
    for option in ("--sheet", "--json"):
        refused = relight("verify", "--split", "val", option, str(record.parent))
        assert refused.exit_code == 2
        assert "cannot be written" in refused.output


# -- whose photos --------------------------------------------------------------------------------------------


def test_another_csv_of_the_same_name_is_refused_in_one_sentence(
    relight: Relight, project: Project, tmp_path: Path
) -> None:
    for folder, photo in (("one", PORTRAITS[0]), ("two", PORTRAITS[1])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes((project.photos / photo).read_bytes())
        (tmp_path / folder / "pair_images.csv").write_text("image_path\n1.png\n")
    assert relight("run", "--csv", str(tmp_path / "one/pair_images.csv")).exit_code == 0
    images = project.data / "outputs" / "data-pair"
    before = {path.name: path.read_bytes() for path in images.glob("0*")}
    refused = relight("run", "--csv", str(tmp_path / "two/pair_images.csv"))
    assert refused.exit_code == 2
    assert str(tmp_path / "one/1.png") in refused.output
    assert "--replace" in refused.output
    assert {path.name: path.read_bytes() for path in images.glob("0*")} == before
    assert not (tmp_path / "two/pair_images_with_relighting_outputs.csv").exists()
    assert relight("verify", "--csv", str(tmp_path / "two/pair_images.csv")).exit_code == 3
    assert relight("run", "--csv", str(tmp_path / "two/pair_images.csv"), "--replace").exit_code == 0
    assert rows(tmp_path / "one/pair_images_with_relighting_outputs.csv")[0]["output_image_path"] == ""
    assert rows(tmp_path / "two/pair_images_with_relighting_outputs.csv")[0]["output_image_path"] != ""
