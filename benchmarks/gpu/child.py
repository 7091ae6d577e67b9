"""Runs a check in a process of its own, so that what breaks a device or takes all memory ends that process alone.

What a check has yielded before it broke, or before its time was up, is kept.
"""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Literal

from benchmarks.gpu.setting import Row, Setting

Check = Callable[[Setting], Iterator[Row]]
"""Yields its figures, a row each; importable, as it is called in another process."""

_EXIT_S = 10.0
"""In which a process that has closed its pipe is gone."""


class CannotCheckError(Exception):
    """A check that cannot be done on this machine; its message says why."""


@dataclass
class Outcome:
    """What became of a check."""

    name: str
    state: Literal["done", "cut short", "failed", "left out"]
    why: str = ""
    """Of a check that is not ``done``."""
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)


def run_check(name: str, check: Check, setting: Setting, limit_s: float) -> Outcome:
    """Run a check for ``limit_s`` seconds at most; then it is ended, with all that it started."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(check, setting, theirs), name=f"check {name}")
    start = time.monotonic()
    process.start()
    theirs.close()
    outcome = Outcome(name, "cut short", f"its {limit_s:.0f} s were up")
    try:
        if _collect(ours, outcome, start + limit_s):
            process.join(timeout=_EXIT_S)
        if outcome.state == "failed" and not outcome.why:
            outcome.why = f"its process ended with exit code {process.exitcode}"
    finally:
        _end(process)
    outcome.seconds = round(time.monotonic() - start, 1)
    return outcome


def _collect(pipe: Connection, outcome: Outcome, until: float) -> bool:
    """Receive what a check says; false where its time was up."""
    while pipe.poll(max(0.0, until - time.monotonic())):
        try:
            message = pipe.recv()
        except EOFError:
            outcome.state, outcome.why = "failed", ""
            return True
        if isinstance(message, Outcome):
            outcome.state, outcome.why = message.state, message.why
            return True
        outcome.rows.append(message)
    return False


def _end(process: BaseProcess) -> None:
    """End a check's process and what it started, which is in the group that it leads."""
    if process.is_alive() and process.pid is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # where it had not yet come to lead a group
    process.join()


def _child(check: Check, setting: Setting, pipe: Connection) -> None:
    os.setsid()
    if setting.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    end = Outcome("", "done")
    try:
        for row in check(setting):
            pipe.send(row)
    except CannotCheckError as error:
        end = Outcome("", "left out", str(error))
    except Exception as error:  # noqa: BLE001  (whatever it is, the other checks go on, and this one says what it was)
        traceback.print_exc()
        first = str(error).strip().split("\n", maxsplit=1)[0]
        end = Outcome("", "failed", f"{type(error).__name__}: {first}")
    pipe.send(end)
    pipe.close()
