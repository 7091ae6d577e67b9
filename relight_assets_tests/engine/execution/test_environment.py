"""What the environment of a worker process does to it."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from relight_assets.engine.execution.environment import WORKER_ENVIRONMENT

HEAP_FLAGS = """
image = bytearray(64 << 20)
heap = open("/proc/self/smaps").read().partition("[heap]")[2]
print(heap.partition("VmFlags:")[2].partition("\\n")[0])
"""


def test_the_heap_of_a_worker_asks_for_huge_pages_where_they_are_given_to_those_who_ask() -> None:
    mode = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    library, version = platform.libc_ver()
    knows = library == "glibc" and tuple(int(part) for part in version.split(".")) >= (2, 35)
    child = subprocess.run(
        [sys.executable, "-c", HEAP_FLAGS],
        env={**os.environ, **WORKER_ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    asks = "hg" in child.stdout.split()
    assert asks == (knows and mode.exists() and "[madvise]" in mode.read_text(encoding="ascii"))
