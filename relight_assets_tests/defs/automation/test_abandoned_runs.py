"""The sensor that closes runs whose process is gone, at one tick."""

from pathlib import Path

import dagster as dg

from relight_assets.definitions import defs
from relight_assets.defs.automation.abandoned_runs import abandoned_runs_sensor
from relight_assets_tests.conftest import Project


def test_a_run_whose_process_is_gone_is_closed_and_named_and_no_other(
    instance: dg.DagsterInstance, project: Project
) -> None:
    job, ended = defs().resolve_job_def("relight_split"), []
    for status in set(dg.DagsterRunStatus) - {dg.DagsterRunStatus.QUEUED}:  # which only a daemon can make
        run = instance.create_run_for_job(job, status=status)
        if status is dg.DagsterRunStatus.STARTED:
            lock = Path(instance.root_directory) / "relight_runs" / f"{run.run_id}.steps.lock"
            lock.parent.mkdir()
            lock.touch()  # as a killed process leaves it behind
            ended.append(run.run_id)
    before = {run.run_id: run.status for run in instance.get_runs()}
    for reason in (f"closed, because their process is gone: {ended[0]}", "no run is dead"):
        with dg.build_sensor_context(instance=instance, definitions=defs()) as context:
            answer = abandoned_runs_sensor()(context)
        assert isinstance(answer, dg.SkipReason)
        assert answer.skip_message == reason
    after = {run.run_id: run.status for run in instance.get_runs()}
    assert {run for run in after if after[run] != before[run]} == set(ended)
    assert after[ended[0]] is dg.DagsterRunStatus.FAILURE
    assert abandoned_runs_sensor().default_status is dg.DefaultSensorStatus.RUNNING
