"""A step's own process is told from that of a run, as Dagster starts both; `faults/test_hosted_runs.py` kills one."""

import multiprocessing
from collections.abc import Iterator
from typing import Any

import pytest
from dagster._core.executor.child_process_executor import (
    ChildProcessCommand,
    ChildProcessDoneEvent,
    ChildProcessStartEvent,
    execute_child_process_command,
)

from relight_assets.defs.runs.step_process import is_step_process

pytestmark = pytest.mark.processes


class Ask(ChildProcessCommand):
    """What an executor has a step's process do; here, to say what it is."""

    def execute(self) -> Iterator[Any]:
        yield {"is a step's": is_step_process()}


def test_the_process_of_a_step_is_known(light_workers: None) -> None:
    told = [*execute_child_process_command(multiprocessing.get_context("spawn"), Ask())]
    assert [event for event in told if isinstance(event, dict)] == [{"is a step's": True}], (
        "mend is_child_process_of_executor: steps outlive their killed run"
    )
    assert {ChildProcessStartEvent, ChildProcessDoneEvent} <= {*map(type, told)}


def _answer(queue: Any) -> None:
    queue.put(is_step_process())


def test_the_process_of_a_run_is_none(light_workers: None) -> None:
    """Dagster's code server starts it by the same means."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_answer, args=(queue,))
    process.start()
    assert queue.get(timeout=180) is False
    process.join()
    assert not is_step_process()
