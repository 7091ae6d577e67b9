"""An actor's process ends with its node's."""

import signal
import subprocess
import sys

import pytest

from relight_assets_tests.faults.driver import alive, state, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
CHILD = """
import os, time
from relight_assets.engine.execution.ray.actor import end_with_parent
end_with_parent()
print(os.getpid(), flush=True)
time.sleep(3600)
"""


@pytest.mark.processes
def test_a_process_ends_with_its_parent_whose_exit_code_nobody_asks_for() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    with parent:  # waits for it at last
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)
        wait_for(lambda: not alive(child))
        assert state(parent.pid) == "Z"
