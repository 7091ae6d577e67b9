"""The progress file: counts, rate, time to go, and what is read when it is not there."""

from dataclasses import replace
from pathlib import Path

import pytest

from relight_assets.engine import progress as module
from relight_assets.engine.hardware.usage import DeviceUsage
from relight_assets.engine.progress import ProgressWriter, read_progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    return now


def test_rate_and_time_to_go_follow_the_results(tmp_path: Path, clock: list[float]) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 100)
    for number in range(20):
        clock[0] += 0.5
        writer.count(failed=number % 10 == 0)
    now = read_progress(tmp_path / "p.json")
    assert now is not None
    assert (now.split, now.total, now.done, now.failed, now.finished) == ("train", 100, 20, 2, False)
    assert now.images_per_s == pytest.approx(2.0, abs=0.05)
    assert now.eta_s == pytest.approx(40, abs=1)


def test_the_file_is_written_at_most_once_a_second(tmp_path: Path, clock: list[float]) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 100)
    written = []
    for _ in range(30):
        clock[0] += 0.1
        written.append(writer.count(failed=False))
    assert sum(written) in (2, 3)


def test_each_device_has_its_own_count_rate_and_load(tmp_path: Path, clock: list[float]) -> None:
    usage = {0: DeviceUsage(87, 40_960)}.get
    writer = ProgressWriter(tmp_path / "p.json", "train", 100, ["gpu 0", "cpu 0"], usage)
    for number in range(30):
        clock[0] += 0.5
        writer.count(failed=False, slot=int(number % 3 == 0))
    now = read_progress(tmp_path / "p.json")
    assert now is not None
    gpu, cpu = now.devices
    assert (gpu.name, gpu.images, gpu.gpu_percent, gpu.gpu_memory_mib) == ("gpu 0", 20, 87, 40_960)
    assert (cpu.name, cpu.images, cpu.gpu_percent, cpu.gpu_memory_mib) == ("cpu 0", 10, None, None)
    assert gpu.images_per_s == pytest.approx(2 * cpu.images_per_s, rel=0.05)
    assert str(gpu) == f"gpu 0: 20 images, {gpu.images_per_s:.2f} images/s, 87 % busy, 40,960 MiB"
    assert str(cpu).endswith("images/s")
    assert str(replace(gpu, gpu_percent=None)).endswith("images/s, 40,960 MiB")  # a part of a GPU tells no load


def test_what_people_should_know_is_written_at_once_and_kept(tmp_path: Path) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 100)
    writer.note("the disk is nearly full")
    now = read_progress(tmp_path / "p.json")
    assert now is not None
    assert now.notices == ("the disk is nearly full",)
    for number in range(1000):
        writer.note(f"{number}")
    assert len(writer.now().notices) == module.MAX_NOTICES


def test_a_full_disk_does_not_hide_why_the_run_ended(tmp_path: Path) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 1)
    (tmp_path / "p.json").unlink()
    tmp_path.joinpath("p.json").mkdir()  # cannot be replaced by a file
    assert writer.finish().finished


def test_the_end_is_reported(tmp_path: Path) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 0)
    writer.finish()
    now = read_progress(tmp_path / "p.json")
    assert now is not None
    assert now.finished


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"split": 1}'])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "p.json").write_bytes(content)
    assert read_progress(tmp_path / "p.json") is None


def test_a_file_that_cannot_be_written_and_a_driver_that_breaks_are_reported_once(
    tmp_path: Path, clock: list[float]
) -> None:
    def lost(_: int) -> None:
        raise RuntimeError("the driver is gone")

    path = tmp_path / "p.json"
    path.mkdir()
    writer = ProgressWriter(path, "train", 100, ["gpu 0"], lost)
    for _ in range(5):
        clock[0] += 2.0
        writer.count(failed=False, slot=0)
    assert writer.finish().done == 5
    assert writer.now().devices[0].gpu_percent is None
    load, file = sorted(writer.warnings)
    assert load == "without the load of gpu 0: RuntimeError: the driver is gone"
    assert file.startswith(f"without the progress file {path}: PlaceTakenError")
