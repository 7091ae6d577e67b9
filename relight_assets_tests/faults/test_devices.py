"""Devices that are short of memory or break down, and eight of them at once.  The workers are real, on the CPU."""

import tempfile

import pytest

from relight_assets.dataset.records import read_failure
from relight_assets.engine import devices
from relight_assets_tests.faults.faulty_device import (
    BreakingDevice,
    DeviceBreaksAlways,
    OneOfEight,
    SmallDevice,
    SmallDeviceAndALargePhoto,
)
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound

PHOTOS = 12
EIGHT = {
    "numbers": [str(number) for number in range(8)],
    "uuids": [f"GPU-{number:08x}-5a1d-4e0f-9c3b-0123456789ab" for number in range(8)],
}


def asked(bench: FaultBench) -> dict[str, list[int]]:
    """How many pictures the segmenter of each process was given, call by call."""
    calls: dict[str, list[int]] = {}
    for line in (bench.settings.output_root / "asked").read_text().splitlines():
        process, count = line.split()
        calls.setdefault(process, []).append(int(count))
    return calls


def test_too_many_pictures_at_a_time_are_asked_for_in_halves_from_then_on(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    summary = bench.start(SmallDevice, cpu_workers=1)
    assert_sound(bench, done=PHOTOS)
    assert not summary.tally.codes
    (calls,) = asked(bench).values()
    assert max(calls) == 4
    assert sum(count > SmallDevice.HOLDS for count in calls) == 1
    assert bench.notices == ["cpu 0: out of memory; at most 2 pictures at a time from now on"]
    assert_heals(bench)


def test_the_worker_that_replaces_one_knows_what_its_device_holds(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {PHOTOS - 1: "sigkill-once"})
    bench.start(SmallDevice, cpu_workers=1)
    assert_sound(bench, done=PHOTOS)
    first, second = asked(bench).values()
    assert (max(first), max(second) <= SmallDevice.HOLDS) == (4, True)
    assert_heals(bench)


def test_a_picture_that_does_not_fit_alone_is_a_failure_of_its_row(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    summary = bench.start(SmallDeviceAndALargePhoto, cpu_workers=1)
    assert_sound(bench, done=PHOTOS - 1, failed=1)
    assert summary.tally.codes == {"device_oom": 1}
    failure = read_failure(bench.layout.failure(5))
    assert failure is not None
    assert (failure.stage, failure.retryable) == ("masks", True)
    assert not bench.notices  # the picture is to blame, not the number
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
    bench: FaultBench, entries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(entries))
    monkeypatch.setattr(devices, "gpu_uuids", lambda: ())  # whatever GPUs this machine has, these are not among them
    monkeypatch.setattr(tempfile, "tempdir", str(bench.folder))  # nor is anybody else's lock in the way
    bench.stock_up(24, {9: "sigkill-once"})
    summary = bench.start(OneOfEight, batch=1)
    assert_sound(bench, done=24)
    signed = sorted(
        (path.stat().st_mtime_ns, path.read_text()) for path in (bench.settings.output_root / "roll").iterdir()
    )
    assert sorted(device for _, device in signed[:8]) == sorted(entries)
    assert {device for _, device in signed[8:]} <= set(entries)  # who replaces the dead has its device
    assert sum(device.replaced for device in summary.devices.values()) == 1
    assert len(summary.devices) == 8
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert_heals(bench)
