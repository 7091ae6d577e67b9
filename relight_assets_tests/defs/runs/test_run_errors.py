"""Runs that do not succeed, whatever ends them: one sentence with run, step, cause and the place of the traceback."""

import re
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy.exc import DatabaseError

from relight_assets.defs.runs.history import HistoryError
from relight_assets.defs.runs.run_errors import LaunchError, failure_of, raised_by
from relight_assets.errors import ConfigError, InterruptedRunError, RelightError, UserError


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fails(error: BaseException | None) -> Any:
    """What an op of ours is made of, three calls deep."""
    if error is None:
        raise RuntimeError("could not do it") from OSError(5, "Input/output error")
    raise error


def failure(instance: dg.DagsterInstance, where: str, error: BaseException | None = None) -> tuple[str, RelightError]:
    @dg.resource
    def bad(_: dg.InitResourceContext) -> None:
        fails(error)

    @dg.resource
    def bad_at_its_end(_: dg.InitResourceContext) -> Iterator[int]:
        yield 1
        fails(error)

    @dg.asset(required_resource_keys={"it"})
    def masks() -> None:
        if where == "asset":
            fails(error)

    @dg.asset_check(asset=masks)
    def check_it() -> dg.AssetCheckResult:
        if where == "check":
            fails(error)
        return dg.AssetCheckResult(passed=True)

    it = {"resource": bad, "end of a resource": bad_at_its_end}.get(where, dg.ResourceDefinition.none_resource())
    job = dg.Definitions(
        [masks], asset_checks=[check_it], resources={"it": it}, executor=dg.in_process_executor
    ).resolve_implicit_global_asset_job_def()
    run_id = str(uuid.uuid4())
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    result = job.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False, run_config=config)
    assert not result.success or where == "end of a resource"
    return run_id, failure_of(result, instance, "train")


@pytest.mark.parametrize(
    ("where", "step"), [("asset", ", step masks"), ("check", ", step masks_check_it"), ("resource", "")]
)
def test_the_cause_of_a_failure_is_reported_wherever_it_was(
    instance: dg.DagsterInstance, logs: Path, where: str, step: str
) -> None:
    run_id, reported = failure(instance, where)
    assert isinstance(reported, LaunchError)
    (log,) = logs.glob("relight-*.log")
    assert str(reported) == (
        f"run {run_id}{step}: OSError: [Errno 5] Input/output error (which led to RuntimeError: could not do it); "
        f"the traceback is in {log}, and in the UI among the run's events"
    )
    text = log.read_text()
    assert "could not do it" in text
    assert "Input/output error" in text
    assert len(re.findall("in fails", text)) >= 1


def test_our_own_errors_are_reported_as_they_are(instance: dg.DagsterInstance, logs: Path) -> None:
    for where in ("asset", "resource"):
        for error, kind in ((ConfigError("the key: is wrong"), UserError), (RelightError("it broke"), LaunchError)):
            _, reported = failure(instance, where, error)
            assert (type(reported), str(reported)) == (kind, str(error))
    assert not list(logs.iterdir())


def test_ctrl_c_is_reported_as_such(instance: dg.DagsterInstance) -> None:
    for where in ("asset", "resource"):
        _, reported = failure(instance, where, dg.DagsterExecutionInterruptedError())
        assert isinstance(reported, InterruptedRunError)


def test_a_database_that_fails_in_a_step_is_reported_as_such(instance: dg.DagsterInstance) -> None:
    import sqlite3

    broken = DatabaseError("SELECT 1", None, sqlite3.DatabaseError("database disk image is malformed"))
    _, reported = failure(instance, "asset", broken)
    assert isinstance(reported, HistoryError)
    assert "is damaged" in str(reported)


def test_what_dagster_lets_through_is_reported(instance: dg.DagsterInstance, logs: Path) -> None:
    reported = raised_by(instance, "17", ValueError("odd"))
    (log,) = logs.iterdir()
    assert str(reported) == f"run 17: ValueError: odd; the traceback is in {log}"
