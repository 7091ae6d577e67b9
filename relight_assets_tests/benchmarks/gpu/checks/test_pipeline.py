"""What is made of two runs of the pipeline; the runs themselves are those of the whole command."""

import pytest

from benchmarks.gpu.checks.pipeline import Run, figures, waits_for
from relight_assets.engine.run import RunSummary
from relight_assets.engine.tally import DeviceTally, Tally


def run(images: int, wall_s: float, cpu: float, segment: float, masks: float, percents: tuple[int, ...] = ()) -> Run:
    device = DeviceTally(images=images)
    device.seconds.update({"segment": segment, "masks": masks, "decode": 99.0})  # type: ignore[dict-item]
    summary = RunSummary(Tally(), None, images, wall_s, {"gpu 0": device}, threads=4)  # type: ignore[arg-type]
    return Run(summary, images, cpu, percents, mib=5.0 * images)


def test_start_and_end_cancel_out() -> None:
    row = figures("sam3", run(10, 21.0, 30.0, 0.9, 3.0), run(110, 31.0, 50.0, 9.9, 23.0, (80, 90)), 16)
    assert row["images_per_s"] == pytest.approx(10)
    assert row["start_s"] == pytest.approx(20)
    assert row["cpu_s_per_image"] == pytest.approx(0.2)
    assert row["segmenter_busy"] == pytest.approx(0.9)
    assert row["threads_busy"] == pytest.approx(0.5)
    assert row["gpu_busy_nvml"] == pytest.approx(0.85)
    assert row["waits_for"] == "segmenter"
    assert row["mib_per_image"] == pytest.approx(5)
    assert row["cores_to_feed_a_gpu"] == pytest.approx(0.2 / 0.09, abs=0.05)


@pytest.mark.parametrize(
    ("segmenter", "threads", "part"), [(0.95, 0.3, "segmenter"), (0.4, 0.97, "cores"), (0.6, 0.7, "neither")]
)
def test_the_part_that_is_always_busy_is_what_the_others_wait_for(segmenter: float, threads: float, part: str) -> None:
    assert waits_for(segmenter, threads) == part
