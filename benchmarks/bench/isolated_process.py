"""Run a function in a fresh process, on chosen cores, so that what it costs is its own."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def isolated(cores: frozenset[int], task: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The result of ``task`` in a process of its own, which with all its children stays on ``cores``.

    ``task``, its arguments and its result must be picklable.  No GPU is visible to it: the figures are of the CPU path.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_settle, initargs=(cores,)) as pool:
        return pool.submit(task, *args, **kwargs).result()


def _settle(cores: frozenset[int]) -> None:
    os.sched_setaffinity(0, cores)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.sync()  # what was written before is not to be paid for now


def one_core() -> frozenset[int]:
    """The first core that this process may use."""
    return frozenset({min(os.sched_getaffinity(0))})


def two_cores() -> frozenset[int] | None:
    """Two cores, the first as in :func:`one_core`, that are not two threads of one core; None where there are none."""
    (first,) = one_core()
    siblings = _siblings(first)
    for other in sorted(os.sched_getaffinity(0)):
        if other not in siblings:
            return frozenset({first, other})
    return None


def _siblings(core: int) -> set[int]:
    """The core itself and the other threads of it, as the kernel lists them: ``0,4`` or ``0-1``."""
    try:
        text = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list").read_text(encoding="ascii")
    except OSError:
        return {core}
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers | {core}
