"""The sensors that tell, tick by tick: real runs, a real web server.  (faults/ has them under a real daemon.)"""

import os
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.definitions import defs
from relight_assets.defs.automation import alerts, webhook
from relight_assets.defs.automation.alerts import PER_TICK, sensors_of
from relight_assets.defs.automation.run_requests import ATTEMPT
from relight_assets.defs.runs.run_locks import COMMAND, LAUNCHED_BY
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.receiver import SECRETS, Receiver, receiving

PROJECT = ProjectSource(os.environ)

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "PAUSES_S", (0.01, 0.01))
    with receiving() as (url, made):
        monkeypatch.setenv("RELIGHT_ALERT_WEBHOOK", url)
        yield made


class Ticks:
    """A sensor's ticks, each handed the cursor of the one before.  The first was before anything happened."""

    def __init__(self, name: str, instance: dg.DagsterInstance):
        self.name = name
        self.instance = instance
        self.cursor: str | None = None
        assert self.tick() == "nothing to report"

    def tick(self) -> str:
        """The reason that stands in the UI."""
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            answer = sensor(self.name).evaluate_tick(context)
        assert not answer.run_requests
        self.cursor = answer.cursor
        reported = answer.skip_message or ""
        assert not any(secret in reported + (self.cursor or "") for secret in SECRETS)
        return reported


def sensor(name: str) -> dg.SensorDefinition:
    (found,) = (made for made in sensors_of(PROJECT, PROJECT.settings()) if made.name == name)
    return found


@pytest.fixture
def failures(instance: dg.DagsterInstance, receiver: Receiver) -> Ticks:
    return Ticks("alert_run_failed", instance)


@pytest.fixture
def checks(instance: dg.DagsterInstance, receiver: Receiver) -> Ticks:
    return Ticks("alert_check_failed", instance)


@dg.op(config_schema={"how": dg.Field(str, default_value="sentence")})
def break_off(context: dg.OpExecutionContext) -> None:
    if context.op_config["how"] == "sentence":
        raise dg.Failure("The folder <out> cannot be written.")
    if context.op_config["how"] == "fault":
        raise ValueError("x" * 5000)
    if context.op_config["how"] == "ctrl-c":
        raise KeyboardInterrupt


@dg.job
def breaking() -> None:
    break_off()


def broken(instance: dg.DagsterInstance, how: str = "sentence", **tags: str) -> str:
    config = {**QUIET, "ops": {"break_off": {"config": {"how": how}}}}
    tags = {"dagster/partition": "train", **{tag.replace("__", "/"): value for tag, value in tags.items()}}
    return breaking.execute_in_process(instance=instance, run_config=config, tags=tags, raise_on_error=False).run_id


# -- runs that failed ------------------------------------------------------------------------------------------


def test_an_event_that_cannot_be_reported_holds_up_no_other(
    failures: Ticks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = broken(failures.instance), broken(failures.instance)
    real = alerts._document

    def some(instance: dg.DagsterInstance, record: dg.EventLogRecord, *more: Any) -> Any:
        if record.run_id == first:
            raise KeyError("an event of another version")
        return real(instance, record, *more)

    monkeypatch.setattr(alerts, "_document", some)
    assert failures.tick() == f"reported to 127.0.0.1: {second}"
    assert failures.tick() == "nothing to report"
    assert len(receiver.documents) == 1


def test_a_run_that_failed_is_reported_once(failures: Ticks, receiver: Receiver) -> None:
    before = time.time()
    run = broken(failures.instance)
    broken(failures.instance, how="nothing")
    assert failures.tick() == f"reported to 127.0.0.1: {run}"
    (document,) = receiver.documents
    reported = document.pop("time")
    assert reported.endswith("+00:00")
    assert before - 1 <= dg._time.parse_time_string(reported).timestamp() <= time.time() + 1
    assert document == {
        "text": f"The run {run[:8]} of split `train` failed: The folder &lt;out&gt; cannot be written.",
        "event": "run_failed",
        "split": "train",
        "job": "breaking",
        "run_id": run,
        "message": "The folder <out> cannot be written.",
    }
    assert failures.tick() == "nothing to report"
    assert len(receiver.documents) == 1


def test_the_message_is_the_innermost_error_and_not_endless(failures: Ticks, receiver: Receiver) -> None:
    broken(failures.instance, how="fault")
    failures.tick()
    message = receiver.documents[0]["message"]
    assert message.startswith("ValueError: xxx")
    assert message.endswith("x...")
    assert len(message) == 1000


def test_which_attempt_failed_is_reported(failures: Ticks, receiver: Receiver) -> None:
    broken(failures.instance, **{ATTEMPT.replace("/", "__"): "2"})
    broken(failures.instance, dagster__will_retry="true")
    failures.tick()
    assert "failed (attempt 2 of 3): The folder" in receiver.documents[0]["text"]
    assert "failed (Dagster starts it again): The folder" in receiver.documents[1]["text"]


def test_a_run_that_somebody_ended_is_not_reported(failures: Ticks, receiver: Receiver) -> None:
    run = failures.instance.create_run_for_job(breaking, status=dg.DagsterRunStatus.STARTED)
    failures.instance.report_run_canceled(run)
    broken(failures.instance, how="ctrl-c", **{LAUNCHED_BY.replace("/", "__"): COMMAND})
    assert failures.tick() == "nothing to report"
    interrupted = broken(failures.instance, how="ctrl-c")  # the machine went down, say
    assert failures.tick() == f"reported to 127.0.0.1: {interrupted}"
    assert receiver.documents[0]["message"] == "KeyboardInterrupt"


def test_a_run_without_steps_or_split_is_reported_by_what_dagster_says(failures: Ticks, receiver: Receiver) -> None:
    run = failures.instance.create_run_for_job(breaking, status=dg.DagsterRunStatus.STARTED)
    failures.instance.report_run_failed(run, "The process of this run is gone.")
    failures.instance.report_run_failed(run, "And gone again.")
    failures.tick()
    (document,) = receiver.documents
    assert document["message"] == "The process of this run is gone."
    assert document["text"].startswith(f"The run {run.run_id[:8]} of job `breaking` failed")
    assert document["split"] is None


def test_a_run_that_was_deleted_meanwhile_is_passed_by(failures: Ticks, receiver: Receiver) -> None:
    failures.instance.delete_run(broken(failures.instance))
    after = broken(failures.instance)
    assert failures.tick() == f"reported to 127.0.0.1: {after}"


def test_what_was_before_the_sensor_and_what_is_old_is_not_reported(
    instance: dg.DagsterInstance, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(instance)
    ticks = Ticks("alert_run_failed", instance)
    assert ticks.tick() == "nothing to report"
    broken(instance)
    monkeypatch.setattr(alerts, "MAX_AGE_S", -1.0)
    assert ticks.tick() == "nothing to report"
    monkeypatch.undo()
    assert not receiver.documents


def test_many_are_reported_over_several_ticks(failures: Ticks, receiver: Receiver) -> None:
    runs = [broken(failures.instance) for _ in range(PER_TICK + 1)]
    failures.tick()
    assert [document["run_id"] for document in receiver.documents] == runs[:PER_TICK]
    failures.tick()
    assert [document["run_id"] for document in receiver.documents] == runs
    assert failures.tick() == "nothing to report"


# -- the webhook ---------------------------------------------------------------------------------------------


def test_what_a_webhook_that_was_away_missed_is_reported_later(
    failures: Ticks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = [broken(failures.instance) for _ in range(2)]
    receiver.answers = [503] * 3
    assert failures.tick() == f"run {runs[0]}: the webhook at 127.0.0.1 answered 503"
    assert f"run {runs[0]}: the webhook at 127.0.0.1 answered 503" in capfd.readouterr().err
    assert failures.tick() == "the webhook at 127.0.0.1 was away; it is tried again later"
    assert len(receiver.documents) == 3
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + alerts.LATER_S)
    assert failures.tick() == f"reported to 127.0.0.1: {runs[0]}, {runs[1]}"


def test_the_longer_a_webhook_is_away_the_more_rarely_it_is_tried(
    failures: Ticks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(failures.instance)
    receiver.answers = [503] * 100
    waits, now = [], time.time()
    for _ in range(10):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        assert "the webhook at 127.0.0.1 answered 503" in failures.tick()
        later = alerts._Memory.of(failures.cursor).not_before
        waits.append(later - now)
        now = later
    assert waits == pytest.approx([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600], abs=1e-3)


def test_a_document_that_is_refused_does_not_stand_in_the_way_of_the_next(
    failures: Ticks, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    first, refused, last = (broken(failures.instance) for _ in range(3))
    receiver.answers = [200, 400]
    reason = f"run {refused}: the webhook at 127.0.0.1 answered 400 and did not take the alert"
    assert failures.tick() == f"reported to 127.0.0.1: {first}; {reason}"
    assert reason in capfd.readouterr().err
    assert failures.tick() == f"reported to 127.0.0.1: {last}"
    assert failures.tick() == "nothing to report"


def test_a_sensor_without_a_webhook_is_off_and_says_so_if_it_is_switched_on(instance: dg.DagsterInstance) -> None:
    for made in sensors_of(PROJECT, PROJECT.settings()):
        assert made.default_status is dg.DefaultSensorStatus.STOPPED
        with dg.build_sensor_context(instance=instance) as context:
            answer = made.evaluate_tick(context)
        assert "Set RELIGHT_ALERT_WEBHOOK" in (answer.skip_message or "")


def test_with_a_webhook_the_sensors_run_from_the_start(receiver: Receiver) -> None:
    for name in ("alert_run_failed", "alert_check_failed"):
        assert sensor(name).default_status is dg.DefaultSensorStatus.RUNNING
        assert name in {made.name for made in defs().sensors or []}


def test_a_cursor_of_another_version_is_begun_anew(failures: Ticks, receiver: Receiver) -> None:
    broken(failures.instance)
    for cursor in ("no json", "[]", '{"colour": 1}'):
        failures.cursor = cursor
        assert failures.tick() == "nothing to report"


# -- checks that failed ----------------------------------------------------------------------------------------


def run(instance: dg.DagsterInstance, job: str = "relight_split") -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("splits", ["train"])
    found = defs().resolve_job_def(job)
    return found.execute_in_process(partition_key="train", instance=instance, run_config=QUIET, raise_on_error=False)


def test_checks_that_warn_and_checks_that_stop_are_reported_with_their_numbers(
    checks: Ticks, project: Project, receiver: Receiver
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    assert run(checks.instance).success
    assert checks.tick() == "nothing to report"
    project.write_csv("train", [PORTRAITS[0], "cat.png"])
    warned = run(checks.instance)
    assert warned.success
    assert checks.tick() == f"reported to 127.0.0.1: {warned.run_id}"
    document = receiver.documents[0]
    assert document["event"] == "check_failed"
    assert (document["split"], document["job"], document["run_id"]) == ("train", "relight_split", warned.run_id)
    (check,) = document["checks"]
    assert check.pop("description").startswith("The share of rows that failed")
    numbers = {"failed_share": 0.5, "failures_by_code": {"no_person": 1}}
    assert check == {"name": "failure_rate", "severity": "WARN", "numbers": numbers}
    reported = "the check `failure_rate` warns (failed_share 0.5, no_person 1)."
    assert document["text"] == f"In the run {warned.run_id[:8]} of split `train`, {reported}"

    (project.data / "outputs" / "data-train" / "00000_albedo.png").write_bytes(b"no image")
    stopped = run(checks.instance, "rebuild_mapping")
    assert not stopped.success
    assert checks.tick() == f"reported to 127.0.0.1: {stopped.run_id}"
    severities = {check["name"]: check["severity"] for check in receiver.documents[1]["checks"]}
    print(receiver.documents[1]["text"])
    assert severities["failure_rate"] == "WARN"
    assert checks.tick() == "nothing to report"


def test_a_blocking_check_is_reported_as_a_failed_run_too(
    checks: Ticks, failures: Ticks, project: Project, receiver: Receiver
) -> None:
    @dg.asset_check(asset="mapping_csv", blocking=True)
    def row_counts_reconcile() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, metadata={"rows": 3, "share": float("nan"), "file": "a.csv"})

    @dg.asset
    def mapping_csv() -> None: ...

    definitions = dg.Definitions(
        assets=[mapping_csv], asset_checks=[row_counts_reconcile], executor=dg.in_process_executor
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    assert not job.execute_in_process(instance=checks.instance, run_config=QUIET, raise_on_error=False).success
    assert checks.tick() == failures.tick()
    of_check, of_run = receiver.documents
    assert of_check["checks"] == [
        {
            "name": "row_counts_reconcile",
            "severity": "ERROR",
            "description": "Rows in = done + rejected + failed + pending; the mapping has as many, and an output for "
            "each done.",
            "numbers": {"rows": 3},
        }
    ]
    assert "the check `row_counts_reconcile` failed (rows 3)" in of_check["text"]
    assert of_run["event"] == "run_failed"
    assert "row_counts_reconcile" in of_run["message"]
