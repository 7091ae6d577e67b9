"""What the tests of the sensor and the schedule share: their ticks, one by one, on a real instance."""

import os

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.definitions import defs
from relight_assets.defs.automation.new_csvs import sensor_of
from relight_assets.defs.automation.run_requests import RUN_KEY
from relight_assets.defs.automation.sweep import sweep

PROJECT = ProjectSource(os.environ)


class Sensor:
    """The sensor's ticks, each handed the cursor of the one before."""

    def __init__(self, instance: dg.DagsterInstance):
        self.instance = instance
        self.cursor: str | None = None

    def tick(self) -> dg.SensorResult:
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor, definitions=defs()) as context:
            answer = sensor_of(PROJECT, PROJECT.settings())(context)
        assert isinstance(answer, dg.SensorResult)
        self.cursor = answer.cursor
        for request in answer.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions("splits", list(request.partition_keys))
        return answer

    def run_keys(self) -> list[str]:
        """The run keys that a tick asks for."""
        return [str(request.run_key) for request in self.tick().run_requests or []]


def runs_of(instance: dg.DagsterInstance, key: str, status: dg.DagsterRunStatus) -> None:
    """What the daemon does with a request: a run that carries its key."""
    run = instance.create_run_for_job(defs().resolve_job_def("relight_split"), tags={RUN_KEY: key})
    report = instance.report_run_failed if status is dg.DagsterRunStatus.FAILURE else instance.report_run_canceled
    report(run)


def swept(instance: dg.DagsterInstance) -> list[str | None]:
    """The splits that a sweep asks for."""
    with dg.build_schedule_context(instance=instance) as context:  # which opens an instance of its own
        answers = list(sweep(context, PROJECT))
    asked = [answer.partition_key for answer in answers if isinstance(answer, dg.RunRequest)]
    assert asked or isinstance(answers[0], dg.SkipReason)
    return asked


def materialized(instance: dg.DagsterInstance, split: str) -> None:
    instance.add_dynamic_partitions("splits", [split])
    job = defs().resolve_job_def("relight_split")
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    assert job.execute_in_process(partition_key=split, instance=instance, run_config=config).success
