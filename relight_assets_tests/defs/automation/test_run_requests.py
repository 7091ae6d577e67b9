"""Attempts after a run that failed, tick by tick, on a real instance."""

import dagster as dg
import pytest

from relight_assets.defs.automation import run_requests
from relight_assets.defs.automation.run_requests import ATTEMPT, MAX_ATTEMPTS
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import Sensor, runs_of


def test_a_failed_run_is_tried_again_a_bounded_number_of_times_and_not_at_once(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    (key,) = sensor.run_keys()
    tried = [key]
    runs_of(sensor.instance, key, dg.DagsterRunStatus.FAILURE)
    assert not sensor.run_keys()  # not yet
    monkeypatch.setattr(run_requests, "RETRY_AFTER_S", -1.0)
    while more := sensor.tick().run_requests:
        tried.append(str(more[0].run_key))
        assert more[0].tags[ATTEMPT] == str(len(tried))
        runs_of(sensor.instance, tried[-1], dg.DagsterRunStatus.FAILURE)
    assert len(tried) == len(set(tried)) == MAX_ATTEMPTS
    project.write_csv("train", PORTRAITS[:2])
    sensor.tick()
    assert sensor.run_keys()  # another content starts to count anew


def test_a_run_that_a_person_ended_is_not_started_again(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_requests, "RETRY_AFTER_S", -1.0)
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    (key,) = sensor.run_keys()
    runs_of(sensor.instance, key, dg.DagsterRunStatus.CANCELED)
    assert not sensor.run_keys()
