"""The plain peer makes the same files of the same images."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.bench.pipeline_run import layout_of
from benchmarks.bench.plain_peer import plain_once, write_masks
from relight_assets_tests.benchmarks.bench.conftest import Pair
from relight_assets_tests.conftest import ALL_FILES


@pytest.mark.parametrize("by_plane", [False, True])
def test_it_writes_six_images_and_a_json_of_each(pair: Pair, tmp_path: Path, by_plane: bool) -> None:
    layout = layout_of(pair.csv, pair.outputs)
    images = sorted(path for path in pair.csv.parent.iterdir() if path.stem.isdigit())
    write_masks(images, layout, tmp_path / "masks")
    cost = plain_once(images, tmp_path / "masks", tmp_path / "out", by_plane=by_plane)
    assert cost.cpu_s_per_image > 0
    assert set(cost.stage_cpu_ms) == {"decode", "albedo", "degraded", "composites", "encode"}
    assert sum(cost.stage_cpu_ms.values()) <= 1000 * cost.cpu_s_per_image + 1e-6
    for number in (0, 1):
        made = {
            name: cv2.imread(str(tmp_path / "out" / f"{number:05d}_{name}.png"), cv2.IMREAD_UNCHANGED)
            for name in ALL_FILES
        }
        assert made["albedo"].shape == (256, 256, 3)
        ours = cv2.imread(str(layout.png(number, "foreground")), cv2.IMREAD_UNCHANGED)
        for name in ("foreground", "degraded_fg"):
            assert np.array_equal(made[name][..., 3], ours[..., 3])  # the same mask
        assert np.all(made["output"][ours[..., 3] == 0] == 128)
        record = json.loads((tmp_path / "out" / f"{number:05d}_metadata.json").read_text())
        assert 0 < record["coverage"] < 1


def test_by_plane_is_the_same_image(pair: Pair, tmp_path: Path) -> None:
    image = pair.csv.parent / "00000.png"
    write_masks([image], layout_of(pair.csv, pair.outputs), tmp_path / "masks")
    for name, by_plane in (("whole", False), ("planes", True)):
        plain_once([image], tmp_path / "masks", tmp_path / name, by_plane=by_plane)
    whole, planes = (cv2.imread(str(tmp_path / name / "00000_albedo.png")) for name in ("whole", "planes"))
    assert np.abs(whole.astype(int) - planes).max() <= 1
