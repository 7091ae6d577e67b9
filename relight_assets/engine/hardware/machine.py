"""Which machine this is, between two boots: by what tells apart the processes of several hosts on one disk.

A host name is no proof: pods and containers change theirs.  The boot id is the kernel's own: two processes with one
boot id are under one kernel, and its locks decide between them.
"""

import platform
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Machine:
    """A machine between two boots; ``boot_id`` is None where it cannot be known."""

    host: str
    boot_id: str | None


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(socket.gethostname(), _boot_id())


def _boot_id() -> str | None:
    if platform.system() == "Darwin":
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
            return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip() or None
        return None
    with suppress(OSError, ValueError):
        return _BOOT_ID.read_text(encoding="utf-8").strip() or None
    return None
