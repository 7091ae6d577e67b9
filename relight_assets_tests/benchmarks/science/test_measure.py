"""The table of methods: what is known of each must show, and the goals of `retinex` must hold."""

from pathlib import Path

import pytest

from benchmarks.science.intrinsic import read_objects
from benchmarks.science.measure import Figures, measure
from relight_assets.config.recipe.albedo import Retinex
from relight_assets_tests.benchmarks.science.test_intrinsic import write_object


@pytest.fixture(scope="module")
def found() -> dict[str, Figures]:
    return {each.method: each for each in measure([], Retinex())}


def test_the_photo_itself_keeps_all_its_light(found: dict[str, Figures]) -> None:
    identity = found["identity"]
    assert identity.slope_shading == pytest.approx(1, abs=0.05)
    assert identity.slope_albedo == pytest.approx(1, abs=0.05)
    assert identity.portrait_inconsistency > 0.2
    assert identity.mit_lmse is None


def test_retinex_reaches_its_goals_on_the_portraits(found: dict[str, Figures]) -> None:
    retinex = found["retinex"]
    assert retinex.portrait_inconsistency <= 0.02
    assert retinex.chroma_error_deg <= 0.5
    assert retinex.slope_albedo >= 0.6
    assert retinex.slope_shading <= 0.3
    assert retinex.portrait_lmse < found["retinex_fast"].portrait_lmse


def test_the_classic_bleaches_and_turns_colours(found: dict[str, Figures]) -> None:
    classic = found["msr_classic"]
    assert classic.chroma_error_deg > 8
    assert classic.slope_albedo < 0.3


def test_objects_add_their_figures(tmp_path: Path) -> None:
    write_object(tmp_path / "cup")
    rows = list(measure(list(read_objects(tmp_path)), Retinex()))
    assert all(row.mit_lmse is not None for row in rows)
    (ratio,) = (row.mit_lmse_ratio for row in rows if row.method == "color_retinex")
    assert ratio == pytest.approx(1)
