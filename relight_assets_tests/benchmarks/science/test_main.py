"""`make science`, as a user types it: what is known of each method must show, and `retinex` must reach its goals."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.science.__main__ import science
from relight_assets_tests.benchmarks.science.test_intrinsic import write_object


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON, with one object beside the portraits."""
    folder = tmp_path_factory.mktemp("science")
    write_object(folder / "objects" / "cup")
    file = folder / "science.json"
    arguments = ["--intrinsic", str(folder / "objects"), "--json", str(file)]
    assert CliRunner().invoke(science, arguments, catch_exceptions=False).exit_code == 0
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_it_writes_every_method(figures: dict[str, Any]) -> None:
    assert set(figures) == {"objects", "identity", "color_retinex", "msr_classic", "retinex_fast", "retinex", "mattes"}
    assert figures["mattes"]["masks"]["matte_band"] < figures["mattes"]["stretched"]["matte_band"]


def test_objects_add_their_figures(figures: dict[str, Any]) -> None:
    assert figures["objects"] == 1
    assert all(each["mit_lmse"] is not None for name, each in figures.items() if name not in {"objects", "mattes"})
    assert figures["color_retinex"]["mit_lmse_ratio"] == pytest.approx(1)


def test_retinex_reaches_its_goals_on_the_portraits(figures: dict[str, Any]) -> None:
    retinex = figures["retinex"]
    assert retinex["portrait_inconsistency"] <= 0.02
    assert retinex["chroma_error_deg"] <= 0.5
    assert retinex["slope_albedo"] >= 0.6
    assert retinex["slope_shading"] <= 0.3
    assert retinex["portrait_lmse"] < figures["retinex_fast"]["portrait_lmse"]


def test_the_classic_bleaches_and_turns_colours(figures: dict[str, Any]) -> None:
    assert figures["msr_classic"]["chroma_error_deg"] > 8
    assert figures["msr_classic"]["slope_albedo"] < 0.3


def test_a_folder_without_objects_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(science, ["--intrinsic", str(tmp_path)])
    assert result.exit_code == 2
    assert "has no objects" in result.output
