"""What the kernel lets this process have where control groups limit it: memory and CPU time, of version 1 and 2.

A limit holds for everything below it, so every group from the process's own up to the root of the mount counts,
and the tightest one is the answer (cgroups(7); admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel).
``root`` is where the file system begins, for tests on copies of real layouts.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_NO_LIMIT = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of the page size."""


@dataclass(frozen=True)
class MemoryLimit:
    """The memory of one control group, bytes."""

    limit: int
    used: int
    """What it holds and could not give back: page cache that can be dropped is not counted."""
    group: Path
    """The folder of the group."""

    @property
    def room(self) -> int:
        """What its processes can still take."""
        return max(0, self.limit - self.used)


def memory_limit(root: Path = Path("/")) -> MemoryLimit | None:
    """Of all limits that hold for this process, the one that leaves the least room; None: there is none."""
    limits = [*_memory_2(_groups(root, None)), *_memory_1(_groups(root, "memory"))]
    return min(limits, key=lambda each: each.room, default=None)


def cpu_limit(root: Path = Path("/")) -> float | None:
    """The CPU time that this process may have, in cores (1.5 = one and a half); None: there is no limit."""
    limits = [_quota(*_words(group / "cpu.max")) for group in _groups(root, None)]
    limits += [
        _quota(*_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us"))
        for group in _groups(root, "cpu")
    ]
    return min((limit for limit in limits if limit is not None), default=None)


def oom_kills(root: Path = Path("/")) -> int | None:
    """How many processes of this process's group the kernel has ended for want of memory; None: it does not tell."""
    counts = [
        _fields(file).get("oom_kill")
        for groups, name in ((_groups(root, None), "memory.events"), (_groups(root, "memory"), "memory.oom_control"))
        for file in [group / name for group in groups[:1]]
    ]
    return next((count for count in counts if count is not None), None)


def _memory_2(groups: list[Path]) -> Iterator[MemoryLimit]:
    for group in groups:
        # Above `high` a group is not refused memory but slowed down until it stands still.
        limits = [_number(group / "memory.max"), _number(group / "memory.high")]
        used = (_number(group / "memory.current") or 0) - _reclaimable(_fields(group / "memory.stat"))
        yield from (MemoryLimit(limit, max(0, used), group) for limit in limits if limit is not None)


def _memory_1(groups: list[Path]) -> Iterator[MemoryLimit]:
    for group in groups:
        stat = _fields(group / "memory.stat")
        if group != groups[0] and _number(group / "memory.use_hierarchy") == 0:
            continue  # what it limits is itself alone
        # "memsw" is memory and swap together: what is swapped out leaves less room for what is not.
        for name, above in (("memory", "hierarchical_memory_limit"), ("memory.memsw", "hierarchical_memsw_limit")):
            used = (_number(group / f"{name}.usage_in_bytes") or 0) - _reclaimable(stat, "total_")
            limits = [_number(group / f"{name}.limit_in_bytes"), stat.get(above)]  # ... of groups out of sight, too
            yield from (
                MemoryLimit(limit, max(0, used), group) for limit in limits if limit is not None and limit < _NO_LIMIT
            )


def _reclaimable(stat: dict[str, int], prefix: str = "") -> int:
    """Bytes of page cache and slabs that the kernel drops before it refuses memory.

    As its own MemAvailable: both lists of file pages and reclaimable slabs.  Files that are mapped, such as programs
    and models at work, would be read again at once, so they are not counted.
    """

    def of(name: str) -> int:
        return stat.get(prefix + name, stat.get(name, 0))

    mapped = of("file_mapped") if "file_mapped" in stat else of("mapped_file")
    return of("inactive_file") + max(0, of("active_file") - mapped) + of("slab_reclaimable")


def _quota(quota: str = "", period: str = "", *_: str) -> float | None:
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None  # "max", -1, or no such file
    return int(quota) / int(period)


class _Mount(NamedTuple):
    root: str
    """The group that is mounted."""
    point: Path


def _groups(root: Path, controller: str | None) -> list[Path]:
    """The folders of this process's group and of those above it that are in sight, its own first.

    ``controller``: of version 1; None: version 2.  Empty where it is not mounted.
    """
    mounts = _mounts(root, controller)
    path = _membership(root, controller)
    inside = [(mount, below) for mount in mounts if (below := _below(path, mount.root)) is not None]
    if inside:
        mount, below = min(inside, key=lambda each: len(each[0].root))  # from where most of those above are in sight
        group = mount.point / below
    elif mounts:
        # A cgroup namespace over mounts of another: the path says nothing, but the group lists its processes.
        mount = mounts[0]
        group = _listing(mount.point, os.getpid()) or mount.point
    else:
        return []
    above = group.relative_to(mount.point).parents if group != mount.point else ()
    return [group, *(mount.point / parent for parent in above)]


def _membership(root: Path, controller: str | None) -> str | None:
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, names, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not names if controller is None else controller in names.split(","):
            return path.removesuffix(" (deleted)")
    return None


def _mounts(root: Path, controller: str | None) -> list[_Mount]:
    found: dict[str, _Mount] = {}
    for line in _text(root / "proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = [*right.split(" "), "", ""][:3]
        where = left.split(" ")
        if len(where) < 5:
            continue
        if kind == "cgroup2" if controller is None else kind == "cgroup" and controller in options.split(","):
            group, point = (_unescaped(text) for text in where[3:5])
            found[point] = _Mount(group, root / point.lstrip("/"))  # a later mount hides an earlier one
    return list(found.values())


def _below(path: str | None, mounted: str) -> PurePosixPath | None:
    """Where a group lies below the one that is mounted; None: outside of it, or it cannot be known."""
    if path is None:
        return None
    top = mounted.rstrip("/")
    if path != mounted and not path.startswith(f"{top}/"):
        return None
    below = PurePosixPath(path[len(top) :].lstrip("/"))
    return None if ".." in below.parts else below


def _listing(top: Path, pid: int) -> Path | None:
    """The group at or below ``top`` that a process is in."""
    for folder, _, files in os.walk(top):
        if "cgroup.procs" in files and str(pid) in _words(Path(folder, "cgroup.procs")):
            return Path(folder)
    return None


def _unescaped(text: str) -> str:
    """As proc_pid_mountinfo(5) writes blanks."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _fields(path: Path) -> dict[str, int]:
    """A file of lines of a name and a number."""
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
