"""Sums over images."""

import pytest

from relight_assets.engine.tally import Tally
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
