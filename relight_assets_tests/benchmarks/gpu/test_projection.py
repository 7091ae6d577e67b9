"""The projection, by hand."""

import pytest

from benchmarks.gpu.child import Outcome
from benchmarks.gpu.projection import projected
from relight_assets.engine.hardware.devices import cores

ALONE = Outcome(
    "alone",
    "done",
    rows=[
        {"backend": "sam3", "load_s": 9.0},
        {"backend": "sam3", "batch": 1, "fits": True, "images_per_s": 20.0},
        {"backend": "sam3", "batch": 8, "fits": True, "images_per_s": 40.0},
        {"backend": "sam3", "batch": 16, "fits": False},
    ],
)
WHOLE = {"backend": "sam3", "workers": 1, "start_s": 20.0, "mib_per_image": 5.0}


def pipeline(cpu_s: float) -> Outcome:
    return Outcome("pipeline", "done", rows=[WHOLE | {"cpu_s_per_image": cpu_s}])


def test_a_gpu_that_its_cores_can_feed_bounds_eight() -> None:
    outcome = projected([ALONE, pipeline(max(1, cores() - 1) / 80)])
    (row,) = outcome.rows
    assert (outcome.state, row["label"], row["bound_by"]) == ("done", "PROJECTION, not measured", "GPU")
    assert row["images_per_s"] == pytest.approx(8 * 40)
    assert row["total_s"] == pytest.approx(12_000 / 320 + 20)
    assert row["disk_mib_per_s"] == pytest.approx(1600)


def test_cores_that_cannot_feed_it_bound_eight() -> None:
    (row,) = projected([ALONE, pipeline(max(1, cores() - 1) / 10)]).rows
    assert row["bound_by"] == "CPU"
    assert row["images_per_s"] == pytest.approx(8 * 10)


@pytest.mark.parametrize("outcomes", [[], [ALONE], [pipeline(1.0)], [Outcome("alone", "failed", "it broke")]])
def test_without_figures_there_is_none(outcomes: list[Outcome]) -> None:
    assert projected(outcomes).state == "left out"
