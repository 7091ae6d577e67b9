"""A step in a process of its own, as Dagster's multiprocess executor starts one: it ends with the process of its run.

Dagster lets such a step live on when the run's process is killed, workers and all, and the devices stay taken.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.connection import wait

from relight_assets.defs.dagster_internals import is_child_process_of_executor

_PR_SET_PDEATHSIG = 1


def is_step_process() -> bool:
    """Whether an executor of Dagster started this process for one step of a run."""
    return is_child_process_of_executor(multiprocessing.current_process())


def end_with_run_worker() -> None:
    """Have this process end, and its workers with it, as soon as the process of its run has ended.

    The signal of the kernel comes even while native code runs; it is tied to the parent that forked this process, which
    under a fork server is not the run's.  The thread watches the run's own, on every system.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101  (an executor started this process)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="run worker").start()
