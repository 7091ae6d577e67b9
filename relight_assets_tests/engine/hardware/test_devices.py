"""Which places a run has for its workers, and what each may take of the machine."""

import os
from pathlib import Path

import pytest

from relight_assets.config.settings import Settings
from relight_assets.engine.hardware import devices
from relight_assets.engine.hardware.devices import (
    MIN_MEMORY,
    available_memory,
    cores,
    memory_per_worker,
    threads_per_worker,
    worker_places,
)
from relight_assets.engine.hardware.nvml import Driver
from relight_assets.errors import ConfigError, GpuUnavailableError
from relight_assets_tests.engine.nvidia import LOST, UUIDS, driver

A, B, C = UUIDS[:3]
NO_DRIVER = Driver()
NOT_LOADED = Driver(trouble="the NVIDIA driver cannot be used (NVML: Driver Not Loaded: load it)")
BROKEN = Driver(trouble="the NVIDIA driver cannot be used (NVML: Unknown Error: restart it)", expected=True)
CPU_ON_PURPOSE = r"To work on the CPU on purpose, set num_gpus: none in .*, or CUDA_VISIBLE_DEVICES= to nothing"


def test_each_worker_sees_its_gpu_by_uuid_which_is_the_one_that_is_locked() -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "2,GPU-a", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    slots = worker_places(Settings(), environ, driver()).slots
    assert [slot.name for slot in slots] == ["gpu 2", "gpu 0"]
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots] == [C, A]
    assert [slot.device for slot in slots] == [C, A]


def test_a_number_takes_the_first_so_many() -> None:
    slots = worker_places(Settings(num_gpus=2), {"CUDA_VISIBLE_DEVICES": "2,1,0"}, driver()).slots
    assert [slot.name for slot in slots] == ["gpu 2", "gpu 1"]


def test_more_than_there_are_is_an_error() -> None:
    with pytest.raises(ConfigError, match="asks for 8 GPUs but 1 are visible"):
        worker_places(Settings(num_gpus=8), {"CUDA_VISIBLE_DEVICES": "0"}, driver())
    with pytest.raises(ConfigError, match=r"asks for 8 GPUs but 0 are visible here \(.*Unknown Error: restart it\)"):
        worker_places(Settings(num_gpus=8), {}, BROKEN)
    with pytest.raises(ConfigError, match="asks for 1 GPUs but 0 are visible"):
        worker_places(Settings(num_gpus=1), {"CUDA_VISIBLE_DEVICES": ""}, driver())


@pytest.mark.parametrize("asked", ["auto", 3])
def test_a_lost_gpu_costs_itself_and_is_named(asked: int | str) -> None:
    places = worker_places(Settings(num_gpus=asked), {}, driver(lost=(1,)))
    assert [slot.name for slot in places.slots] == ["gpu 0", "gpu 2"]
    assert places.lost == ("gpu 1",)
    assert places.notes == (f"gpu 1 is not used ({LOST}); the others go on",)


def test_a_lost_gpu_that_was_not_asked_for_is_no_loss() -> None:
    places = worker_places(Settings(num_gpus=1), {}, driver(lost=(1,)))
    assert ([slot.name for slot in places.slots], places.lost, places.notes) == (["gpu 0"], (), ())


def test_where_all_are_lost_each_is_named() -> None:
    with pytest.raises(GpuUnavailableError, match=rf"gpu 0: {LOST}; gpu 1: {LOST}\. {CPU_ON_PURPOSE}"):
        worker_places(Settings(), {}, driver(2, lost=(0, 1)))


@pytest.mark.parametrize(
    ("environ", "machine", "segmenter", "says"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0,1,2,3,4,5,6,7"}, NO_DRIVER, "selfie", "names GPUs, but there is no NVIDIA driver"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-x"}, NOT_LOADED, "selfie", "names GPUs, but .*Driver Not Loaded"),
        ({"CUDA_VISIBLE_DEVICES": "7"}, driver(2), "selfie", rf"=7 names GPUs, but none that is here: .*gpu 1 \({B}\)"),
        ({}, BROKEN, "selfie", "GPUs are expected here, but .*Unknown Error"),
        ({}, NO_DRIVER, "sam3", "`segmenter: sam3` needs a GPU, but there is no NVIDIA driver"),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, BROKEN, "selfie", "Unknown Error"),
    ],
)
def test_it_is_never_silently_the_cpu_where_gpus_are_expected(
    environ: dict[str, str], machine: Driver, segmenter: str, says: str
) -> None:
    with pytest.raises(GpuUnavailableError, match=rf"{says}.*\. {CPU_ON_PURPOSE}"):
        worker_places(Settings(), environ, machine, segmenter=segmenter)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gpus", "environ", "machine", "segmenter"),
    [
        ("auto", {}, NO_DRIVER, "selfie"),
        ("auto", {"CUDA_VISIBLE_DEVICES": ""}, BROKEN, "sam3"),
        ("auto", {"CUDA_VISIBLE_DEVICES": "-1"}, driver(), "sam3"),
        ("auto", {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, driver(), "selfie"),
        ("auto", {"NVIDIA_VISIBLE_DEVICES": "void"}, BROKEN, "selfie"),
        ("none", {"CUDA_VISIBLE_DEVICES": "0,1"}, driver(), "selfie"),
        ("none", {}, BROKEN, "sam3"),
    ],
)
def test_where_nobody_expects_a_gpu_or_somebody_wants_none_it_is_the_cpu(
    gpus: int | str, environ: dict[str, str], machine: Driver, segmenter: str
) -> None:
    slots = worker_places(Settings(num_gpus=gpus, cpu_workers=3), environ, machine, segmenter=segmenter).slots  # type: ignore[arg-type]
    assert [slot.name for slot in slots] == ["cpu 0", "cpu 1", "cpu 2"]
    assert all(slot.device is None and slot.environment == {"CUDA_VISIBLE_DEVICES": ""} for slot in slots)


def test_a_library_without_a_driver_is_reported_and_stops_nobody() -> None:
    places = worker_places(Settings(cpu_workers=1), {}, NOT_LOADED)
    assert places.notes == (f"the work is done on the CPU: {NOT_LOADED.trouble}",)


def test_there_are_no_more_workers_than_the_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cores", lambda: 16)
    for gib, segmenter, expected in ((64, "selfie", 16), (4, "selfie", 4), (0.5, "selfie", 1), (64, "sam3", 8)):
        monkeypatch.setattr(devices, "available_memory", lambda gib=gib: int(gib * (1 << 30)))
        places = worker_places(Settings(num_gpus="none"), {}, NO_DRIVER, segmenter=segmenter)  # type: ignore[arg-type]
        assert len(places.slots) == expected
    assert len(worker_places(Settings(num_gpus="none", cpu_workers=5), {}, NO_DRIVER).slots) == 5


def test_threads_are_as_set_or_an_even_share() -> None:
    assert threads_per_worker(Settings(threads=5), 2) == 5
    assert threads_per_worker(Settings(), 10_000) == 1


def test_memory_is_as_set_or_a_share_of_half_of_what_is_free() -> None:
    assert memory_per_worker(Settings(memory_mib=100), 8) == 100 << 20
    assert memory_per_worker(Settings(), 8, lambda: 64 << 30) == 4 << 30
    assert memory_per_worker(Settings(), 4, lambda: 1 << 30) == 128 << 20  # all four together fit
    assert memory_per_worker(Settings(), 8, lambda: 0) == MIN_MEMORY


def test_free_memory_is_reported_by_the_system() -> None:
    assert 64 << 20 < available_memory() < 1 << 44


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A machine with 8 GiB free, and in it a container of 2 GiB, of which 512 MiB are used, and of 1.5 cores."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable:   8388608 kB\n")
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "proc/self/mountinfo").write_text("30 20 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n")
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    for name, text in (("memory.max", 2 << 30), ("memory.current", 512 << 20), ("cpu.max", "150000 100000")):
        (group / name).write_text(f"{text}\n")
    return tmp_path


def test_what_a_container_may_have_is_the_limit(container: Path) -> None:
    assert available_memory(container) == 1536 << 20
    (container / "sys/fs/cgroup/memory.max").write_text(f"{64 << 30}\n")
    assert available_memory(container) == 8 << 30  # the machine has no more


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("150000 100000", 2), ("50000 100000", 1), ("200100 100000", 2), ("max 100000", 64), ("6400000 50000", 64)],
)
def test_cores_are_those_allowed_or_what_the_limit_is_worth(
    container: Path, limit: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    (container / "sys/fs/cgroup/cpu.max").write_text(f"{limit}\n")
    assert cores(container) == expected
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    assert cores(container) == 1
