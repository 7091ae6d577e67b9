"""The sensor's cursor: what it keeps, and what becomes of one that another version wrote."""

from relight_assets.dataset.csv.watch import CsvStamp
from relight_assets.defs.automation.cursor import Cursor
from relight_assets.defs.automation.run_requests import LastRequest
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import Sensor


def test_a_cursor_of_another_version_is_begun_anew(sensor: Sensor, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    for cursor in ("no json", "[]", '{"seen": {"train": {"colour": 1}}}'):
        sensor.cursor = cursor
        assert not sensor.run_keys()
        assert sensor.run_keys()


def test_a_cursor_of_the_version_before_is_gone_on_with(sensor: Sensor, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    assert sensor.run_keys()
    assert sensor.cursor is not None
    sensor.cursor = sensor.cursor.replace('"size"', '"fault": null, "read": true, "size"')
    assert not sensor.run_keys()


def test_a_cursor_comes_back_as_it_was_kept() -> None:
    cursor = Cursor({"train": CsvStamp(3, "token", "ab")}, {"train": LastRequest("ab", generation=2, attempts=3)})
    assert Cursor.parse(cursor.text()) == cursor
    assert Cursor.parse(None) == Cursor()
