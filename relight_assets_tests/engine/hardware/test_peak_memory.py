"""The peak of memory is this process's own, and it grows with it."""

import subprocess
import sys

import numpy as np

from relight_assets.engine.hardware.peak_memory import peak_mib


def test_it_is_this_process_s_own_and_not_that_of_whoever_started_it() -> None:
    block = np.ones(200 << 17)  # 200 MiB
    assert peak_mib() >= 200
    code = "from relight_assets.engine.hardware.peak_memory import peak_mib; print(peak_mib())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 3 < int(done.stdout) < 100
    assert block.size
