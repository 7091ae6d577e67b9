"""A schedule of sleeping workers, in real processes: every image comes back, and shares are shares."""

import pytest
from click.testing import CliRunner

from benchmarks.bench.schedule import SPREAD, Simulated, core_s, main, schedule_once

SMALL = Simulated(device_ms=2, core_ms=10, devices=2, cores=4, batch=4, images=60)


def test_images_take_their_time_and_no_share_is_above_one() -> None:
    found = schedule_once(SMALL)
    assert 0 < found.images_per_s < 2 * 1000 / SMALL.device_ms
    assert 0 < found.device_busy <= 1
    assert 0 < found.core_busy <= 1
    assert 0 <= found.tail < 1
    assert found.attainable == pytest.approx(0.8)


def test_an_image_takes_the_same_time_in_every_run_and_all_have_the_mean() -> None:
    times = [core_s(SMALL, image) for image in range(500)]
    assert sum(times) / len(times) == pytest.approx(0.01, rel=0.01)
    assert min(times) >= 0.01 * (1 - SPREAD)
    assert max(times) <= 0.01 * (1 + SPREAD)


def test_the_command_has_a_line_for_each_time_of_the_device() -> None:
    machine = "--core-ms 5 --devices 1 --cores 2 --batch 2 --images 12"
    done = CliRunner().invoke(main, f"--device-ms 1 --device-ms 2 {machine}", catch_exceptions=False)
    assert [line.split()[0] for line in done.output.splitlines()] == ["device", "1", "2"]
