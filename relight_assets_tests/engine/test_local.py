"""Workers end with their parent, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import os, sys, time
from relight_assets.engine.devices import Slot
from relight_assets.engine.local import LocalEngine
from relight_assets_tests.engine.test_dispatch import ToyWorker
import queue

if __name__ == "__main__":
    engine = LocalEngine([Slot("cpu 0"), Slot("cpu 1")], ToyWorker, {})
    events = queue.SimpleQueue()
    handles = [engine.start(number, 0, events) for number in range(2)]
    for _ in handles:
        events.get(timeout=60)
    print(*[handle._process.pid for handle in handles], flush=True)
    time.sleep(600)
"""


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_parent(tmp_path: Path, end: signal.Signals, stopped: bool) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        # Under a shell that had this run ignore Ctrl-C, Dagster has it ignore SIGTERM too, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    if stopped:
        os.kill(pids[0], signal.SIGSTOP)
    parent.send_signal(end)
    parent.wait(timeout=10)
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while any(running(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker is left"
        time.sleep(0.05)
