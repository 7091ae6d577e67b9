"""Sums over images."""

import pytest

from relight_assets.engine.tally import DeviceTally, Tally
from relight_assets.engine.work import ImageResult
from relight_assets.recipe import STAGES


def test_outcomes_numbers_codes_and_families_add_up() -> None:
    tally = Tally()
    for index, family in enumerate(["specular", "specular", "hard_shadow"]):
        numbers = {"masks": {"coverage": 0.1 * (index + 1), "ok": True}, "degraded": {"degradation_type": family}}
        tally.add(ImageResult(index, dict.fromkeys(STAGES, "computed"), numbers=numbers))  # type: ignore[arg-type]
    tally.add(ImageResult(3, dict.fromkeys(STAGES, "failed"), code="no_person"))
    tally.add(ImageResult(4, dict.fromkeys(STAGES, "reused")))
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
