"""What a tick says of the rows of a CSV that changed, before its run."""

import os
from threading import Event

import dagster as dg
import pytest

from relight_assets.defs.automation import split_scans
from relight_assets.errors import OutputFolderError
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import Sensor, materialized


def observed(sensor: Sensor) -> object:
    """What a tick says of the rows of a CSV that changed."""
    sensor.tick()
    observation, _ = sensor.tick().asset_events
    assert isinstance(observation, dg.AssetObservation)
    return {name: value.value for name, value in observation.metadata.items()}.get("unchecked_rows")


def test_unchecked_rows_are_counted_and_no_image_is_read(
    sensor: Sensor, instance: dg.DagsterInstance, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write_csv("train", PORTRAITS[:2])
    assert observed(sensor) == 0
    materialized(instance, "train")
    for path in (project.data / "outputs" / "data-train").glob("0000*_albedo.png"):
        os.utime(path, (1, 1))
    project.write_csv("train", PORTRAITS[:3])
    assert observed(sensor) == 2
    assert "train: 2 rows unchecked" in capfd.readouterr().err


def test_a_disk_that_does_not_answer_keeps_no_run_back(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answered = Event()

    def waits(*_: object) -> None:
        answered.wait()
        raise OutputFolderError("it is gone")

    monkeypatch.setattr(split_scans, "load_split_state", waits)
    monkeypatch.setattr(split_scans, "SCAN_S", 0.1)
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    try:
        assert sensor.run_keys()
    finally:
        answered.set()
    assert "the scan of its files took longer than 0.1 s" in capfd.readouterr().err
