"""How much memory this process had at most."""

import resource
from pathlib import Path


def peak_mib() -> int:
    """The largest resident memory of this process so far, MiB.

    ``VmHWM`` of Linux (proc(5)).  ``ru_maxrss``, elsewhere, may be that of the process that started this one.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) >> 10
    except (OSError, ValueError):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
