"""Sums over images."""

import math

import pytest

from relight_assets.engine.execution.messages import ImageResult
from relight_assets.engine.tally import DeviceTally, Tally
from relight_assets.stages.registry import stage_names


def test_outcomes_numbers_codes_and_families_add_up() -> None:
    tally = Tally()
    for index, family in enumerate(["specular", "specular", "hard_shadow"]):
        numbers = {"masks": {"coverage": 0.1 * (index + 1), "ok": True}, "degraded": {"degradation_type": family}}
        tally.add(ImageResult(index, dict.fromkeys(stage_names(), "computed"), numbers=numbers))  # type: ignore[arg-type]
    tally.add(ImageResult(3, dict.fromkeys(stage_names(), "failed"), code="no_person"))
    tally.add(ImageResult(4, dict.fromkeys(stage_names(), "reused")))
    assert tally.stages["albedo"].outcomes == {"computed": 3, "failed": 1, "reused": 1}
    assert tally.stages["masks"].mean("coverage") == pytest.approx(0.2)
    assert tally.stages["masks"].mean("ok") is None
    assert tally.families == {"specular": 2, "hard_shadow": 1}
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


@pytest.mark.parametrize("value", [None, True, "0.4", [0.4], 3.0, math.nan, 10**400])
def test_a_number_that_does_not_fit_is_left_out_of_the_mean(value: object) -> None:
    tally = Tally()
    for index, coverage in enumerate([0.2, value, 0.6]):
        numbers = {"masks": {"coverage": coverage, "score": 0.9}}
        tally.add(ImageResult(index, dict.fromkeys(stage_names(), "computed"), numbers=numbers))  # type: ignore[arg-type]
    assert tally.stages["masks"].mean("coverage") == pytest.approx(0.4)
    assert tally.stages["masks"].counts == {"coverage": 2, "score": 3}


@pytest.mark.parametrize("numbers", [None, "text", [], {}, {"variants": 3}, {"degradation_type": True}, {"more": 1}])
def test_a_light_that_does_not_fit_is_of_no_family(numbers: object) -> None:
    tally = Tally()
    lights = [{"degradation_type": "specular", "strength": 0.5}, {"degradation_type": "dusk", "strength": 0.7}, None]
    for index, each in enumerate([numbers, {"variants": lights}]):
        tally.add(ImageResult(index, dict.fromkeys(stage_names(), "computed"), numbers={"degraded": each}))  # type: ignore[arg-type]
    assert tally.families == {"specular": 1}
    assert tally.stages["degraded"].mean("strength") == pytest.approx(0.6)


def test_a_time_that_is_none_is_left_out() -> None:
    device = DeviceTally()
    device.add(ImageResult(0, {}, timings_ms={"masks": 40.0, "albedo": None, "encode": "7"}))  # type: ignore[dict-item]
    assert device.seconds == {"masks": 0.04}
