"""``relight prune`` as a user types it."""

from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets_tests.conftest import PORTRAITS, make_project


def test_prune_lists_and_with_yes_removes(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path, photos)
    monkeypatch.chdir(project.root)

    def relight(*arguments: str) -> str:
        result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    project.write_csv("gone", PORTRAITS[:2])
    relight("run", "--split", "gone")
    project.write_csv("gone", PORTRAITS[:1])
    folder = project.data / "outputs" / "data-gone"
    assert "gone: 1 number without a row, 8 files" in relight("prune", "--split", "gone")
    assert len(list(folder.glob("00001_*"))) == 7
    relight("prune", "--split", "gone", "--yes")
    assert not list(folder.glob("00001_*"))
    project.write_csv("kept", PORTRAITS[:1])
    (project.data / "gone_images.csv").unlink()
    assert "gone: a partition without a CSV; its images stay" in relight("prune")
    assert "gone: a partition without a CSV removed" in relight("prune", "--yes")
    assert "partition" not in relight("prune")
    assert len(list(folder.glob("00000_*"))) == 7


def test_partitions_of_csvs_that_cannot_be_used_are_removed(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path, photos)
    monkeypatch.chdir(project.root)
    for split in ("good", "bad", "empty"):
        project.write_csv(split, PORTRAITS[:1])
    prune = ["prune", "--yes"]
    assert CliRunner().invoke(main, prune, catch_exceptions=False).exit_code == 0
    (project.data / "bad_images.csv").write_text("image\na.png\n")
    (project.data / "empty_images.csv").write_text("image_path\n")
    listed = CliRunner().invoke(main, ["prune"], catch_exceptions=False)
    removed = CliRunner().invoke(main, prune, catch_exceptions=False)
    assert [listed.exit_code, removed.exit_code] == [2, 2]
    reported = listed.output.replace("\n", " ")
    assert "bad: a partition whose CSV cannot be used; its images stay" in reported
    assert "empty: a partition whose CSV has no rows; its images stay" in reported
    assert "bad: a partition whose CSV cannot be used removed" in removed.output.replace("\n", " ")
    with dg.DagsterInstance.from_config(str(project.root / ".dagster_home")) as instance:
        assert instance.get_dynamic_partitions("splits") == ["good"]
    project.write_csv("bad", PORTRAITS[:1])
    assert CliRunner().invoke(main, prune, catch_exceptions=False).exit_code == 0
    with dg.DagsterInstance.from_config(str(project.root / ".dagster_home")) as instance:
        assert set(instance.get_dynamic_partitions("splits")) == {"good", "bad"}


def test_a_csv_that_lost_its_rows_has_no_orphans(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path, photos)
    monkeypatch.chdir(project.root)
    csv = project.write_csv("train", PORTRAITS[:1])
    assert CliRunner().invoke(main, ["run", "--split", "train"]).exit_code == 0
    csv.write_text("image_path,note\n")
    pruned = CliRunner().invoke(main, ["prune", "--yes"])
    assert pruned.exit_code == 0, pruned.output
    assert "no rows" in pruned.output
    assert len(list((project.data / "outputs" / "data-train").glob("00000_*"))) == 7
