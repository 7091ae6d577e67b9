"""Counts over the images of a run."""

import pytest

from relight_assets.engine.execution.messages import ImageResult
from relight_assets.engine.tally import DeviceTally, Tally
from relight_assets.stages.registry import stage_names


def test_outcomes_and_codes_add_up() -> None:
    tally = Tally()
    for _ in range(3):
        tally.add(dict.fromkeys(stage_names(), "computed"))
    tally.add(dict.fromkeys(stage_names(), "failed"), "no_person")
    tally.add(dict.fromkeys(stage_names(), "reused"))
    assert tally.outcomes["albedo"] == {"computed": 3, "failed": 1, "reused": 1}
    assert tally.codes == {"no_person": 1}
    assert tally.computed_images == 3


def test_a_device_that_lags_behind_shows() -> None:
    device = DeviceTally()
    for index in range(10):
        times = {"decode": 20.0, "segment": 60.0, "masks": 40.0, "encode": 60.0}
        device.add(ImageResult(index, {}, timings_ms=times))
    assert device.images == 10
    assert device.seconds["encode"] == pytest.approx(0.6)
    assert device.segmenter_share(wall_s=1.0) == pytest.approx(0.6)
    assert device.busy_share(wall_s=1.0, threads=2) == pytest.approx(0.5)
    assert DeviceTally().busy_share(0.0, 2) == 0.0


def test_a_time_that_is_none_is_left_out() -> None:
    device = DeviceTally()
    device.add(ImageResult(0, {}, timings_ms={"masks": 40.0, "albedo": None, "encode": "7"}))  # type: ignore[dict-item]
    assert device.seconds == {"masks": 0.04}
