"""`make science`, as a user types it."""

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.science.__main__ import science


def test_science_writes_every_method_and_names_a_folder_without_objects(tmp_path: Path) -> None:
    file = tmp_path / "science.json"
    assert CliRunner().invoke(science, ["--json", str(file)]).exit_code == 0
    found = json.loads(file.read_text())
    assert set(found) == {"objects", "identity", "color_retinex", "msr_classic", "retinex_fast", "retinex", "mattes"}
    assert found["mattes"]["masks"]["matte_band"] < found["mattes"]["stretched"]["matte_band"]
    assert found["retinex"]["portrait_inconsistency"] <= 0.02
    assert found["retinex"]["mit_lmse"] is None
    result = CliRunner().invoke(science, ["--intrinsic", str(tmp_path)])
    assert result.exit_code == 2
    assert "has no objects" in result.output
