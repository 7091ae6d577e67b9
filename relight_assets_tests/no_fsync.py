"""No test waits for the disk: fsync and sync return at once, in xdist's workers and in all that tests start.

Dagster's databases alone ask for it a thousand times a run.  Processes that are killed prove the same without: what
they have written is the kernel's, and only a machine that loses power could lose it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SOURCE = """
int fsync(int file) { (void) file; return 0; }
int fdatasync(int file) { (void) file; return 0; }
void sync(void) {}
"""


def pytest_configure(config: pytest.Config) -> None:
    """Preload it, on Linux where there is a C compiler; before xdist starts its workers."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if hasattr(config, "workerinput") or sys.platform != "linux" or compiler is None or "LD_PRELOAD" in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="relight-tests-"))
    library = folder / "no_fsync.so"
    command = [compiler, "-shared", "-fPIC", "-x", "c", "-o", str(library), "-"]
    subprocess.run(command, input=SOURCE, text=True, check=True)
    os.environ["LD_PRELOAD"] = str(library)

    def clean() -> None:
        del os.environ["LD_PRELOAD"]
        shutil.rmtree(folder)

    config.add_cleanup(clean)
