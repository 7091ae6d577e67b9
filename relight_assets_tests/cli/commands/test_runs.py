"""`relight runs`: what has not ended, and freeing what is held by a run of which nobody here knows."""

from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets.defs.names import OWN
from relight_assets.defs.runs.run_locks import holding
from relight_assets_tests.conftest import Project, make_project
from relight_assets_tests.defs.runs.test_run_locks import change, killed_while_holding


@dg.job
def empty() -> None: ...


@pytest.fixture
def project(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    made = make_project(tmp_path, photos)
    (made.data / "bad_images.csv").mkdir()  # no CSV that is wrong may keep a slot from being freed
    return made


def relight(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    print(result.output)
    return result


def instance_of(project: Project) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(project.root / ".dagster_home"))


def test_a_run_of_another_boot_is_listed_and_released(project: Project) -> None:
    assert relight("runs", "list").output == "every run has ended\n"
    with instance_of(project) as instance:
        run = instance.create_run_for_job(empty, status=dg.DagsterRunStatus.STARTED).run_id
        instance.event_log_storage.claim_concurrency_slot(OWN.pool, run, "relight_images")
        change(killed_while_holding(instance, run), boot_id="another", host="node-7")
    listed = relight("runs", "list")
    assert listed.exit_code == 0
    assert f"`relight runs release {run}`" in listed.output
    assert "under another boot or host (node-7, process" in listed.output
    assert relight("runs", "release", run[:10]).exit_code == 0
    with instance_of(project) as instance:
        assert not instance.event_log_storage.get_concurrency_info(OWN.pool).claimed_slots
        (ended,) = instance.get_runs()
        assert ended.status is dg.DagsterRunStatus.FAILURE
    assert relight("runs", "list").output == "every run has ended\n"


def test_a_run_that_is_at_work_is_refused(project: Project) -> None:
    relight("runs", "list")
    with instance_of(project) as instance:
        run = instance.create_run_for_job(empty, status=dg.DagsterRunStatus.STARTED).run_id
        with holding(instance, run):
            assert "at work on this machine" in relight("runs", "list").output
            refused = relight("runs", "release", run)
            assert refused.exit_code == 2
            assert "; nothing was released: " in refused.output
        assert instance.get_runs()[0].status is dg.DagsterRunStatus.STARTED


def test_a_run_that_is_not_there_is_refused(project: Project) -> None:
    assert relight("runs", "release", "none").exit_code == 2


def test_a_dead_run_is_reported_and_may_still_be_asked_for(project: Project) -> None:
    relight("runs", "list")
    with instance_of(project) as instance:
        run = instance.create_run_for_job(empty, status=dg.DagsterRunStatus.STARTED).run_id
        killed_while_holding(instance, run)
    released = relight("runs", "release", run[:8])
    assert released.exit_code == 0
    assert f"the process of run {run} is gone" in released.output
    assert "holds no slot" in released.output
