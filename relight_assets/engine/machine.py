"""Which machine this is, and since when it runs: by what tells apart the processes of several hosts on one disk.

A host name is no proof: pods and containers change theirs.  The boot id is the kernel's own: two processes with one
boot id are under one kernel, and its locks decide between them.
"""

import os
import platform
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACHINE_ID = Path("/etc/machine-id")
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Machine:
    """A machine between two boots; None where that cannot be known.

    ``booted`` is in seconds since 1970.
    """

    host: str
    boot_id: str | None
    machine_id: str | None = None
    booted: float | None = None

    def rebooted_since(self, boot_id: str | None, machine_id: str | None, since: float, device: int) -> bool:
        """Whether a lock file is surely of this machine before it was booted, so that nobody can hold it any more.

        The machine id alone is no proof: images of containers and virtual machines carry copies of one.  So the file
        must also lie on a disk of this machine's own (``device``: its ``st_dev``; network file systems have no block
        device), and be older than the boot.
        """
        return (
            None not in (boot_id, self.boot_id, machine_id)
            and boot_id != self.boot_id
            and machine_id == self.machine_id
            and os.major(device) != 0
            and self.booted is not None
            and since < self.booted
        )


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(socket.gethostname(), _boot_id(), _first_line(_MACHINE_ID), _booted())


def _boot_id() -> str | None:
    if platform.system() != "Darwin":
        return _first_line(_BOOT_ID)
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip() or None
    return None


def _booted() -> float | None:
    with suppress(OSError, ValueError):
        for line in _STAT.read_text(encoding="utf-8").splitlines():
            if line.startswith("btime "):
                return float(line.split()[1])
    return None


def _first_line(path: Path) -> str | None:
    with suppress(OSError, ValueError):
        return path.read_text(encoding="utf-8").strip() or None
    return None
