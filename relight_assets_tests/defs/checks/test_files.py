"""The checks of files: altered files and backgrounds stop the mapping, metrics beyond a threshold warn."""

import os

import dagster as dg
import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.imaging.png import decode_png, encode_png
from relight_assets_tests.conftest import PORTRAITS, Project, stamp_of_output
from relight_assets_tests.defs.checks.check_runs import checks, failed, run


@pytest.mark.parametrize("file", ["platform.yaml", "mvp_config.yaml"])
def test_images_beyond_a_threshold_warn(instance: dg.DagsterInstance, project: Project, file: str) -> None:
    project.write_csv("train", PORTRAITS[:2])
    path = project.root / "config" / file
    text = path.read_text().replace("max_exposure: 1.0", "max_exposure: 0.0001")
    path.write_text(text if file == "platform.yaml" else f"{text}\nquality: {{max_exposure: 0.0001}}\n")
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"quality_thresholds"}
    metrics = {row.data["metric"]: row.data for row in checks(result)["quality_thresholds"].metadata["metrics"].records}
    assert [name for name, row in metrics.items() if not row["good"]] == ["exposure"]
    assert str(metrics["exposure"]["worst_images"]) in ("0, 1", "1, 0")


def test_an_altered_file_stops_the_mapping_and_not_the_dead_letters(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", [PORTRAITS[0], "cat.png"])
    run(instance, "train")
    path = project.data / "outputs" / "data-train" / "00000_albedo.png"
    status, data = path.stat(), bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    result = run(instance, "train", "rebuild_mapping")
    assert not result.success
    assert "files_match_records" in failed(result)
    assert checks(result)["files_match_records"].metadata["examples"].records[0].data["code"] == "altered"
    (letters,) = (
        event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey("dead_letters")
    )
    assert letters.partition == "train"


def test_an_off_background_is_stopped(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    run(instance, "train")
    layout = SplitLayout(project.data / "outputs" / "data-train")
    pixels = decode_png(layout.png(0, "output").read_bytes())
    pixels[0, 0] = 129
    layout.png(0, "output").write_bytes(encode_png(pixels))
    record = read_record(layout.record(0))
    assert record is not None
    record.stages["composites"].files["output"] = stamp_of_output(layout.png(0, "output"))
    write_record(layout, record)
    result = run(instance, "train", "rebuild_mapping")
    assert failed(result) == {"background_is_exact"}
