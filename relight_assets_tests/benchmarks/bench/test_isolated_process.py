"""A process of its own, on its cores, without a GPU."""

import os

import pytest

from benchmarks.bench.isolated_process import isolated, one_core, two_cores
from relight_assets.errors import UserError


def here(text: str, *, number: int) -> tuple[int, set[int], str, str]:
    return os.getpid(), os.sched_getaffinity(0), os.environ["CUDA_VISIBLE_DEVICES"], text * number


def refuse() -> None:
    raise UserError("what was wrong")


def test_a_task_runs_in_another_process_on_its_cores() -> None:
    before = os.sched_getaffinity(0)
    pid, cores, gpus, result = isolated(one_core(), here, "ab", number=2)
    assert pid != os.getpid()
    assert cores == one_core()
    assert (gpus, result) == ("", "abab")
    assert os.sched_getaffinity(0) == before


def test_its_error_is_reported_here() -> None:
    with pytest.raises(UserError, match="what was wrong"):
        isolated(one_core(), refuse)


def test_two_cores_are_two_or_none() -> None:
    both = two_cores()
    assert both is None or (len(both) == 2 and one_core() < both <= os.sched_getaffinity(0))
