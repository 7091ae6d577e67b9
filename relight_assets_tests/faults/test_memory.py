"""A worker that takes more memory than its control group may have: the kernel ends it, and the run says why."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets_tests.control_groups import control_group

LIMIT_MIB = 300


class Greedy:
    """Holds more memory for every image, until there is no more; or is ended by itself at the second image."""

    def __init__(self, *, itself: bool) -> None:
        self._itself = itself

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        held = []
        for item in items:
            if self._itself:
                os.kill(os.getpid(), 9)
            held.append(b"x" * (LIMIT_MIB << 20))
            yield ImageResult(item.index, {})


RUN = """
import sys
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.execution.dispatch import Quarantined, run
from relight_assets.engine.execution.local import LocalPool
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.stages.registry import stage_names
from relight_assets_tests.faults.test_memory import Greedy
engine = LocalPool([DeviceSlot("cpu 0")], Greedy, {"itself": sys.argv[1] == "itself"})
for outcome in run([WorkItem(0, "", "", stage_names())], engine, batch=1, start_s=60, hang_s=60):
    if isinstance(outcome, Quarantined):
        print(outcome.reason)
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of the kernel's with a limit; skipped where this user may make none."""
    with control_group("memory", "oom", limit_in_bytes=LIMIT_MIB << 20) as made:
        yield made


def reason(group: Path, how: str) -> str:
    script = f'echo $$ > {group}/cgroup.procs; exec "$0" -c "$1" {how}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, RUN], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_worker_that_the_kernel_ends_for_want_of_memory_names_the_limit_and_what_takes_less(group: Path) -> None:
    assert reason(group, "greedy") == (
        f"the worker on cpu 0 was ended by SIGKILL, as the kernel does when memory runs out; all processes of {group} "
        f"together may have {LIMIT_MIB} MiB; fewer workers (cpu_workers, num_gpus), fewer threads or a smaller "
        f"memory_mib take less"
    )


def test_a_worker_that_somebody_ends_is_no_want_of_memory(group: Path) -> None:
    assert reason(group, "itself") == (
        "the worker on cpu 0 was ended by SIGKILL, and not by the kernel for want of memory"
    )
