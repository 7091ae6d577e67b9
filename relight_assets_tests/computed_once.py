"""Pure functions that make or measure images are computed once for the same input, in each process that runs tests.

Most tests of runs, exports, checks and commands make the same few photos by the same recipe, and image work was two
thirds of their time.  A result is taken again only where every argument is the same, byte for byte.  Tests of the
stages themselves compute everything (``stages/conftest.py``), and so do workers that are processes of their own.
"""

import functools
import hashlib
import importlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pytest

FUNCTIONS = (
    ("relight_assets.stages.masks.stage", "cut_out"),
    ("relight_assets.stages.albedo.albedo", "find_gains"),
    ("relight_assets.stages.albedo.stage", "measure_albedo"),
    ("relight_assets.stages.degraded.stage", "degrade"),
    ("relight_assets.stages.degraded.stage", "measure_downsampled"),
    ("relight_assets.defs.metadata.run_metadata", "charts"),
)
"""Modules, and the names by which they call."""
KEPT = 256
"""Results of each function, about 1 MB each."""

_always = threading.Event()
"""Set while everything is computed."""


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which remembers its last results.  Callers get copies."""
    kept: OrderedDict[bytes, bytes] = OrderedDict()
    lock = threading.Lock()

    @functools.wraps(function)
    def found(*args: Any, **kwargs: Any) -> Any:
        if _always.is_set():
            return function(*args, **kwargs)
        key = hashlib.blake2b(pickle.dumps((args, kwargs), protocol=5)).digest()
        with lock:
            known = kept.get(key)
            if known is not None:
                kept.move_to_end(key)
        if known is None:
            known = pickle.dumps(function(*args, **kwargs), protocol=5)
            with lock:
                kept[key] = known
                while len(kept) > KEPT:
                    kept.popitem(last=False)
        return pickle.loads(known)  # noqa: S301  (our own)

    return found


@contextmanager
def computed_once() -> Iterator[None]:
    """Meanwhile the functions remember."""
    with ExitStack() as stack:
        for module, name in FUNCTIONS:
            target = importlib.import_module(module)
            stack.enter_context(mock.patch.object(target, name, once(getattr(target, name))))
        yield


@contextmanager
def computed_always() -> Iterator[None]:
    """Meanwhile they compute."""
    _always.set()
    try:
        yield
    finally:
        _always.clear()


@pytest.fixture(scope="session", autouse=True)
def _computed_once() -> Iterator[None]:
    with computed_once():
        yield
