"""Which devices a run may use."""

import pytest

from relight_assets.engine.devices import threads_per_worker, visible_gpus, worker_slots
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
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": outer}) == expected


def test_one_slot_per_gpu_each_seeing_its_own() -> None:
    slots = worker_slots(Settings(), {"CUDA_VISIBLE_DEVICES": "4,GPU-x"})
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots] == ["4", "GPU-x"]


def test_a_number_takes_the_first_so_many() -> None:
    slots = worker_slots(Settings(num_gpus=2), {"CUDA_VISIBLE_DEVICES": "0,1,2,3"})
    assert [slot.name for slot in slots] == ["gpu 0", "gpu 1"]


def test_more_than_there_are_is_an_error() -> None:
    with pytest.raises(ConfigError, match="asks for 8 GPUs but 1 are visible"):
        worker_slots(Settings(num_gpus=8), {"CUDA_VISIBLE_DEVICES": "0"})


def test_no_gpu_means_cpu_workers() -> None:
    slots = worker_slots(Settings(cpu_workers=3), {"CUDA_VISIBLE_DEVICES": ""})
    assert [slot.name for slot in slots] == ["cpu 0", "cpu 1", "cpu 2"]
    assert all(not slot.environment for slot in slots)


def test_threads_are_as_set_or_an_even_share() -> None:
    assert threads_per_worker(Settings(threads=5), 2) == 5
    assert threads_per_worker(Settings(), 10_000) == 1
