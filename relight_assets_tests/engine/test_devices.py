"""Which devices a run may use."""

import pytest

from relight_assets.engine.devices import (
    MIN_MEMORY,
    available_memory,
    memory_per_worker,
    threads_per_worker,
    visible_gpus,
    worker_slots,
)
from relight_assets.errors import ConfigError
from relight_assets.settings import Settings


@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        ("0,1,2", ["0", "1", "2"]),
        ("3", ["3"]),
        (" 2 , 5 ", ["2", "5"]),
        ("GPU-aaaa,GPU-bbbb", ["GPU-aaaa", "GPU-bbbb"]),
        ("0,-1,1", ["0"]),
        ("", []),
        ("-1", []),
    ],
)
def test_an_outer_mask_is_composed_with(outer: str, expected: list[str]) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": outer}, ()) == expected


def test_one_slot_per_gpu_each_seeing_its_own() -> None:
    slots = worker_slots(Settings(), {"CUDA_VISIBLE_DEVICES": "4,GPU-x"}, ())
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots] == ["4", "GPU-x"]


MACHINE = ("GPU-aaaa-1", "GPU-bbbb-2", "GPU-cccc-3")
"""What the driver says of a machine with three GPUs."""


@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        (None, ["GPU-aaaa-1", "GPU-bbbb-2", "GPU-cccc-3"]),
        ("2,0", ["2", "0"]),
        ("GPU-cccc-3,1", ["GPU-cccc-3", "1"]),
        ("GPU-b", ["GPU-b"]),
        ("1,7,0", ["1"]),
        ("GPU-zzzz,0", []),
    ],
)
def test_the_driver_knows_which_entries_are_gpus(outer: str | None, expected: list[str]) -> None:
    environ = {} if outer is None else {"CUDA_VISIBLE_DEVICES": outer}
    assert visible_gpus(environ, MACHINE) == expected


def test_a_gpu_is_one_device_however_it_is_named() -> None:
    slots = worker_slots(Settings(), {"CUDA_VISIBLE_DEVICES": "1,GPU-cc,GPU-aaaa-1"}, MACHINE)
    assert [slot.device for slot in slots] == ["GPU-bbbb-2", "GPU-cccc-3", "GPU-aaaa-1"]
    assert [slot.name for slot in slots] == ["gpu 1", "gpu 2", "gpu 0"]
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots] == ["1", "GPU-cc", "GPU-aaaa-1"]


def test_a_gpu_named_twice_is_an_error() -> None:
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES=0,GPU-aaaa names a GPU twice"):
        worker_slots(Settings(), {"CUDA_VISIBLE_DEVICES": "0,GPU-aaaa"}, MACHINE)


def test_numbers_mean_what_the_driver_shows_unless_the_user_says_otherwise() -> None:
    (slot,) = worker_slots(Settings(), {"CUDA_VISIBLE_DEVICES": "1"}, MACHINE)
    assert slot.environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    outer = {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}
    (slot,) = worker_slots(Settings(), outer, MACHINE)
    assert slot.environment["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"


def test_a_number_takes_the_first_so_many() -> None:
    slots = worker_slots(Settings(num_gpus=2), {"CUDA_VISIBLE_DEVICES": "0,1,2,3"}, ())
    assert [slot.name for slot in slots] == ["gpu 0", "gpu 1"]


def test_more_than_there_are_is_an_error() -> None:
    with pytest.raises(ConfigError, match="asks for 8 GPUs but 1 are visible"):
        worker_slots(Settings(num_gpus=8), {"CUDA_VISIBLE_DEVICES": "0"}, ())


def test_no_gpu_means_cpu_workers() -> None:
    slots = worker_slots(Settings(cpu_workers=3), {"CUDA_VISIBLE_DEVICES": ""}, ())
    assert [slot.name for slot in slots] == ["cpu 0", "cpu 1", "cpu 2"]
    assert all(not slot.environment and slot.device is None for slot in slots)


def test_threads_are_as_set_or_an_even_share() -> None:
    assert threads_per_worker(Settings(threads=5), 2) == 5
    assert threads_per_worker(Settings(), 10_000) == 1


def test_memory_is_as_set_or_a_share_of_half_of_what_is_free() -> None:
    assert memory_per_worker(Settings(memory_mib=100), 8) == 100 << 20
    assert memory_per_worker(Settings(), 8, lambda: 64 << 30) == 4 << 30
    assert memory_per_worker(Settings(), 8, lambda: 1 << 30) == MIN_MEMORY


def test_free_memory_is_told_by_the_system() -> None:
    assert 64 << 20 < available_memory() < 1 << 44
