"""Real control groups of version 1, where this user may make some."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def control_group(controller: str, name: str, **files: object) -> Iterator[Path]:
    """A group below the root of a controller, with these files written; skips the test where none can be made."""
    group = Path("/sys/fs/cgroup", controller, f"relight_{name}_{os.getpid()}_{time.monotonic_ns()}")
    try:
        group.mkdir()
        for file, value in files.items():
            (group / f"{controller}.{file}").write_text(str(value))
    except OSError as error:
        _remove(group)
        pytest.skip(f"no control group of version 1 can be made here: {error}")
    try:
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Its processes are gone a moment before the kernel says so."""
    for _ in range(100):
        try:
            for inner in (*group.glob("*/"), group):
                inner.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
