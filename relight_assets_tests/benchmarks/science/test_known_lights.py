"""Known lights on real faces: they are found again, and whoever names the wrong folder is told so."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.science import known_lights
from benchmarks.science.__main__ import science
from benchmarks.science.known_lights import measure_lights, read_portraits
from relight_assets.config.recipe.recipe import Recipe
from relight_assets_tests.conftest import Bench


def test_lights_on_a_face_are_found_again(finished: Bench) -> None:
    portraits = list(read_portraits(finished.layout.folder))
    assert len(portraits) == 4
    own, one = measure_lights(portraits[:1], Recipe().albedo_extraction.methods.retinex)
    assert (own.paint, one.paint) == ("own", "one")
    for found in (own, one):
        assert found.lights == known_lights.LIGHTS
        assert found.reliable >= 0.5
        assert 0 < found.error_deg < 20
        assert found.error_deg <= found.worst_tenth_deg
        assert found.warmth_guess > 0


def test_the_camera_keeps_a_middle_gray_and_compresses_what_is_bright() -> None:
    shown = known_lights._photographed(np.array([[[0.18, 0.01, 4.0]]], np.float32)).ravel()
    assert shown[0] == pytest.approx(0.18, abs=1e-3)
    assert shown[1] < 0.01
    assert shown[2] <= 1


def test_a_folder_without_portraits_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(science, ["--portraits", str(tmp_path)])
    assert result.exit_code == 2
    assert "has no finished portraits" in result.output
