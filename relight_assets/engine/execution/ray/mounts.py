"""How a folder's file system is mounted, as Linux tells: whether its locks hold between machines."""

import re
from pathlib import Path
from typing import NamedTuple


class Mount(NamedTuple):
    """A line of ``/proc/self/mountinfo`` (proc(5))."""

    point: str
    kind: str
    options: tuple[str, ...]
    """Of the mount and of the file system."""


def locks_fault(folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Why two runs on two machines could both write a split in a folder; None where nothing says so."""
    mount = mount_of(folder, mountinfo)
    if mount is None:
        return None
    options = {*mount.options}
    of_nfs = {"nolock", "local_lock=all", "local_lock=flock"} & options
    if mount.kind.startswith("nfs") and of_nfs:
        return _sentence(mount, ", ".join(sorted(of_nfs)), "mount it with NFS 4, or without that option")
    if mount.kind == "lustre" and "flock" not in options:
        return _sentence(mount, "no `flock`", "mount it with `-o flock`")
    return None


def _sentence(mount: Mount, why: str, advice: str) -> str:
    return (
        f"locks on {mount.point} ({mount.kind}) do not hold between machines ({why}), so that two runs could write one "
        f"split: {advice}, or see that all runs start on one machine"
    )


def mount_of(folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> Mount | None:
    """The mount that a folder is on; None where the system does not tell."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    above = [mount for mount in map(_mount, lines) if mount is not None and folder.is_relative_to(mount.point)]
    # Of two at one point, the later one hides the other.
    return max(enumerate(above), key=lambda each: (len(each[1].point), each[0]))[1] if above else None


def _mount(line: str) -> Mount | None:
    left, _, right = line.partition(" - ")
    here, there = left.split(" "), right.split(" ")
    if len(here) < 6 or len(there) < 3:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), here[4])
    return Mount(point, there[0], (*here[5].split(","), *there[2].split(",")))
