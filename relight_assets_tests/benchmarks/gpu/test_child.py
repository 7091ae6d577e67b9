"""Checks in processes of their own: what they yield is kept, however they end, and nothing of them is left."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gpu.child import CannotCheckError, run_check
from benchmarks.gpu.setting import Row, Setting

pytestmark = pytest.mark.usefixtures("worker_processes")


def ends(setting: Setting) -> Iterator[Row]:
    yield {"device": setting.device, "visible": os.environ["CUDA_VISIBLE_DEVICES"]}


def cannot(setting: Setting) -> Iterator[Row]:
    yield {"tried": True}
    raise CannotCheckError("a CPU has none")


def breaks(setting: Setting) -> Iterator[Row]:
    yield {"tried": True}
    raise ZeroDivisionError("by zero\nmore")


def dies(setting: Setting) -> Iterator[Row]:
    yield {"tried": True}
    os._exit(7)


def hangs(setting: Setting) -> Iterator[Row]:
    child = os.fork()
    if not child:
        time.sleep(3600)
    yield {"tried": True, "child": child}
    time.sleep(3600)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, device="cpu")


def test_a_check_that_ends_has_its_figures_and_sees_no_gpu_on_a_cpu(setting: Setting) -> None:
    outcome = run_check("ends", ends, setting, 60)
    assert (outcome.name, outcome.state, outcome.why) == ("ends", "done", "")
    assert outcome.rows == [{"device": "cpu", "visible": ""}]


@pytest.mark.parametrize(
    ("check", "state", "why"),
    [
        (cannot, "left out", "a CPU has none"),
        (breaks, "failed", "ZeroDivisionError: by zero"),
        (dies, "failed", "its process ended with exit code 7"),
    ],
)
def test_what_was_found_before_the_end_is_kept(setting: Setting, check: object, state: str, why: str) -> None:
    outcome = run_check("it", check, setting, 60)  # type: ignore[arg-type]
    assert (outcome.state, outcome.why, outcome.rows) == (state, why, [{"tried": True}])


def test_a_check_whose_time_is_up_leaves_no_process_behind(setting: Setting) -> None:
    outcome = run_check("hangs", hangs, setting, 10)
    assert (outcome.state, outcome.why) == ("cut short", "its 10 s were up")
    status, until = Path(f"/proc/{outcome.rows[0]['child']}/status"), time.monotonic() + 30
    while status.exists() and "State:\tZ" not in status.read_text():  # it was killed, and the kernel needs a moment
        assert time.monotonic() < until
        time.sleep(0.05)
