"""Devices that are short of memory or break down, and eight of them at once.  The workers are real, on the CPU."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from relight_assets.dataset.records import read_failure
from relight_assets.engine.hardware import devices
from relight_assets_tests.conftest import PORTRAITS, make_project
from relight_assets_tests.engine.nvidia import UUIDS, Libraries, described, driver
from relight_assets_tests.faults.faulty_device import (
    BreakingDevice,
    DeviceBreaksAlways,
    OneOfEight,
    SecondIsLost,
    SmallDevice,
    SmallDeviceAndALargePhoto,
)
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound
from relight_assets_tests.faults.processes import clean_environment, relight_command

PHOTOS = 12
EIGHT = {"all": None, "numbers": "0,1,2,3,4,5,6,7", "uuids": ",".join(UUIDS)}


def asked(bench: FaultBench) -> dict[str, list[int]]:
    """How many images the segmenter of each process was given, call by call."""
    calls: dict[str, list[int]] = {}
    for line in (bench.settings.output_root / "asked").read_text().splitlines():
        process, count = line.split()
        calls.setdefault(process, []).append(int(count))
    return calls


def test_too_many_images_at_a_time_are_asked_for_in_halves_from_then_on(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    summary = bench.start(SmallDevice, cpu_workers=1)
    assert_sound(bench, done=PHOTOS)
    assert not summary.tally.codes
    (calls,) = asked(bench).values()
    assert max(calls) == 4
    assert sum(count > SmallDevice.HOLDS for count in calls) == 1
    assert bench.notices == ["cpu 0: out of memory; at most 2 images at a time from now on"]
    assert_heals(bench)


def test_the_worker_that_replaces_one_knows_what_its_device_holds(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {PHOTOS - 1: "sigkill.temp.foreground-once"})  # when the device has answered, and not before
    bench.start(SmallDevice, cpu_workers=1)
    assert_sound(bench, done=PHOTOS)
    first, second = asked(bench).values()
    assert (max(first), max(second) <= SmallDevice.HOLDS) == (4, True)
    assert_heals(bench)


def test_an_image_that_does_not_fit_alone_is_a_failure_of_its_row(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    summary = bench.start(SmallDeviceAndALargePhoto, cpu_workers=1)
    assert_sound(bench, done=PHOTOS - 1, failed=1)
    assert summary.tally.codes == {"device_oom": 1}
    failure = read_failure(bench.layout.failure(5))
    assert failure is not None
    assert (failure.stage, failure.retryable) == ("masks", True)
    assert not bench.notices  # the image is to blame, not the number
    assert_heals(bench)


def test_a_device_that_breaks_down_costs_its_process_and_no_image(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    summary = bench.start(BreakingDevice)
    assert_sound(bench, done=PHOTOS)
    assert not summary.tally.codes
    assert sum(device.replaced for device in summary.devices.values()) == 1
    assert_heals(bench)


def test_an_image_that_always_breaks_the_device_is_set_aside_alone(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    summary = bench.start(DeviceBreaksAlways)
    assert_sound(bench, done=PHOTOS - 1, failed=1)
    assert summary.tally.codes == {"worker_killer": 1}
    failure = read_failure(bench.layout.failure(5))
    assert failure is not None
    assert "device-side assert" in failure.message
    assert_heals(bench)


@pytest.mark.parametrize("entries", EIGHT.values(), ids=EIGHT)
def test_eight_workers_have_a_device_each_and_one_dies(
    bench: FaultBench, entries: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if entries is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", entries)
    monkeypatch.setattr(devices, "read_driver", lambda: driver(8))
    monkeypatch.setattr(tempfile, "tempdir", str(bench.folder))  # nor is anybody else's lock in the way
    bench.stock_up(PHOTOS, {9: "sigkill-once"})
    summary = bench.start(OneOfEight, batch=1, num_gpus=8)  # fewer than there are images
    assert_sound(bench, done=PHOTOS)
    signed = sorted(
        (path.stat().st_mtime_ns, path.read_text()) for path in (bench.settings.output_root / "roll").iterdir()
    )
    assert sorted(device for _, device in signed[:8]) == sorted(UUIDS)
    assert {device for _, device in signed[8:]} <= set(UUIDS)  # who replaces the dead has its device
    assert sum(device.replaced for device in summary.devices.values()) == 1
    assert len(summary.devices) == 8
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert_heals(bench)


def test_a_gpu_that_is_lost_after_the_start_is_given_up_and_counted(
    bench: FaultBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "read_driver", lambda: driver(2))
    monkeypatch.setattr(tempfile, "tempdir", str(bench.folder))
    bench.stock_up(PHOTOS)
    summary = bench.start(SecondIsLost)
    assert_sound(bench, done=PHOTOS)
    assert [name for name, device in summary.devices.items() if device.lost] == ["gpu 1"]
    assert summary.workers == 1
    assert "gpu 1 is given up: torch cannot use the GPU: GPU is lost" in bench.notices
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert_heals(bench)


def test_a_command_on_a_machine_with_a_lost_gpu_and_on_one_with_a_broken_driver(tmp_path: Path, photos: Path) -> None:
    """The command, its processes and the driver's libraries are real; the GPUs are not, so the CPU does the work."""
    libraries = Libraries(tmp_path)
    project = make_project(tmp_path / "project", photos)
    project.write_csv("train", PORTRAITS)

    def relight(gpus: str, *command: str, **described: str) -> subprocess.CompletedProcess[str]:
        own = {"TMPDIR": str(tmp_path), "COLUMNS": "200", "PYTHONPATH": str(Path(__file__).parents[2])}
        environment = clean_environment() | libraries.environment(gpus, **own, **described)
        return subprocess.run(
            [relight_command(), *command],
            cwd=project.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    broken = relight("", "run", "--all-splits", FAKE_INIT="18")
    assert broken.returncode == 2
    assert "NVML/RM version mismatch: driver and library are of different versions" in broken.stderr + broken.stdout
    assert "To work on the CPU on purpose, set num_gpus: none" in broken.stderr + broken.stdout
    assert not list((project.data / "outputs/data-train").glob("*.png"))
    ran = relight(described(0, 15, 0), "run", "--all-splits", "--num-gpus", "3")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    reported = ran.stdout + ran.stderr
    assert "gpu 1 is not used (GPU is lost: it has fallen off the bus; reset it" in reported
    assert "gpu 1 (lost): 0 images" in reported
    assert len(list((project.data / "outputs/data-train").glob("*_output.png"))) == len(PORTRAITS)
    doctor = relight(described(0, 15, 0), "doctor")
    assert doctor.returncode == 0
    assert "2: gpu 0, gpu 2" in doctor.stdout
