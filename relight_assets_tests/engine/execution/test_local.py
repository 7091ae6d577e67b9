"""What a worker process is given.  (How it ends with its parent is in faults/test_parent_deaths.py.)"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

import pytest

from relight_assets.engine.execution.dispatch import Finished, run
from relight_assets.engine.execution.environment import WORKER_ENVIRONMENT
from relight_assets.engine.execution.local import LocalPool
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.stages.registry import stage_names

pytestmark = pytest.mark.usefixtures("worker_processes")


class TellsItsEnvironment:
    """Answers with what it finds in its environment."""

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        for item in items:
            yield ImageResult(item.index, {}, message=json.dumps(dict(os.environ)))


def test_a_worker_has_its_device_and_one_thread_a_library_and_the_parent_keeps_its_own() -> None:
    before = dict(os.environ)
    engine = LocalPool([DeviceSlot("gpu 3", {"CUDA_VISIBLE_DEVICES": "GPU-3"})], TellsItsEnvironment, {})
    outcomes = list(run([WorkItem(0, "", "", stage_names())], engine, batch=1, start_s=60, hang_s=60))
    (found,) = [json.loads(outcome.result.message) for outcome in outcomes if isinstance(outcome, Finished)]
    assert found.items() >= {**WORKER_ENVIRONMENT, "CUDA_VISIBLE_DEVICES": "GPU-3"}.items()
    assert dict(os.environ) == before


INTERRUPTED = """
import signal
import sys

from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.execution.dispatch import run
from relight_assets.engine.hash_files import HashWorker
from relight_assets.engine.execution.local import LocalPool
from relight_assets.engine.execution.messages import HashItem

when, number = sys.argv[1], getattr(signal, sys.argv[2])
signal.signal(number, signal.default_int_handler)


class Strikes(LocalPool):
    def start(self, *arguments):
        handle = super().start(*arguments)
        finish = handle.finish
        if when == "closing" and len(self._handles) == 1:  # the second is still to be ended
            handle.finish = lambda: (signal.raise_signal(number), finish())
        return handle


class Place:
    environment = {}
    asked = 0

    @property
    def name(self):  # asked for twice before a worker is started, and again when it runs and is not yet noted
        self.asked += 1
        if when == "started" and self.asked == 3:
            signal.raise_signal(number)
        return "here"


kept = []
try:
    engine = Strikes([Place(), DeviceSlot("there")], HashWorker, {})
    for outcome in run([HashItem(0, (sys.executable,))], engine, batch=1, start_s=60, hang_s=60):
        print("done", flush=True)
except KeyboardInterrupt as error:
    kept.append(error)  # as whoever logs it does: what its frames hold lives on
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", ["started", "closing"])
def test_an_interrupt_while_a_worker_is_started_or_ended_leaves_none(moment: str, number: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, moment, number], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.split() == (["interrupted"] if moment == "started" else ["done", "interrupted"])
    assert ran.stderr == ""
