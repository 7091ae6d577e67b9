"""Counts of a run under way, in ``.progress.json`` beside the outputs, for whoever wants to watch.

The command line's progress bar, ``relight status --watch`` and the run itself all go by this one file, so a
run can be watched from another terminal, and one that waits for its turn shows nothing yet.
"""

import json
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from relight_assets.core.best_effort import best_effort
from relight_assets.engine.hardware.usage import DeviceUsage
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

EVERY_S = 1.0
MAX_NOTICES = 50
_RATE_WINDOW_S = 30.0

# The limits of what is read: nothing else was ever written, and larger numbers fit neither a float nor a process id.
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Pid = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Rates = Annotated[float, msgspec.Meta(ge=0, le=2**53)]
Counted = Literal["images", "images hashed"]


@dataclass(frozen=True)
class DeviceProgress:
    """One worker's place just now."""

    name: str
    images: _Count
    images_per_s: _Rates
    gpu_percent: int | None = None
    """Share of the last moment in which the GPU was busy, 0..100; None: no GPU, or the driver does not tell."""
    gpu_memory_mib: int | None = None

    def __str__(self) -> str:
        busy = "" if self.gpu_percent is None else f", {self.gpu_percent} % busy"
        memory = "" if self.gpu_memory_mib is None else f", {self.gpu_memory_mib:,} MiB"
        return f"{self.name}: {self.images} images, {self.images_per_s:.2f} images/s{busy}{memory}"


@dataclass(frozen=True)
class Progress:
    """How far one run of one split is.  Images, not rows."""

    split: str
    total: _Count
    done: _Count
    failed: _Count
    images_per_s: _Rates
    started: float
    updated: float
    finished: bool
    pid: _Pid
    devices: tuple[DeviceProgress, ...] = ()
    notices: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_NOTICES)] = ()
    """What a person should know, in order: replaced workers, little space on the disk; the first fifty."""
    counted: Counted = "images"
    """What is counted: images, or those whose files are hashed before the work (`images hashed`)."""

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the present rate; None before there is one."""
        return (self.total - self.done) / self.images_per_s if self.images_per_s > 0 else None


class _Rate:
    """Counts, and images per second over the last half minute."""

    def __init__(self, now: float):
        self.count = 0
        self._recent: deque[tuple[float, int]] = deque([(now, 0)])

    def mark(self, now: float) -> None:
        self._recent.append((now, self.count))
        while now - self._recent[0][0] > _RATE_WINDOW_S and len(self._recent) > 2:
            self._recent.popleft()

    def per_s(self, now: float) -> float:
        first_time, first_count = self._recent[0]
        return round((self.count - first_count) / (now - first_time), 3) if now > first_time else 0.0


class ProgressWriter:
    """Counts results and writes the file at most once a second."""

    def __init__(
        self,
        path: Path,
        split: str,
        total: int,
        slots: Sequence[str] = (),
        usage: Callable[[int], DeviceUsage | None] = lambda _: None,
        *,
        counted: Counted = "images",
        storage: Storage = LOCAL,
    ):
        """``slots`` are the names of the workers' slots; ``usage``, given a slot's number, says how busy it is."""
        self._path, self._split, self._total, self._counted = path, split, total, counted
        self._slots, self._usage, self._storage = slots, usage, storage
        self._failed = 0
        self._started = time.time()
        self._written = 0.0
        self._all = _Rate(self._started)
        self._each = [_Rate(self._started) for _ in slots]
        self._notices: list[str] = []
        self.warnings: list[str] = []
        """What of the watching went wrong, each thing once; not reported yet."""
        if counted == "images":
            self.write()
        else:
            self._written = self._started  # nothing is written of what takes no second

    def count(self, *, failed: bool, slot: int | None = None) -> bool:
        """Count one image; true when the file was brought up to date, which is the time to log too."""
        self._all.count += 1
        self._failed += failed
        if slot is not None and slot < len(self._each):
            self._each[slot].count += 1
        if time.time() - self._written < EVERY_S:
            return False
        self.write()
        return True

    def note(self, text: str) -> None:
        """Tell people something, now."""
        if len(self._notices) < MAX_NOTICES:
            self._notices.append(text)
            self.write()

    def finish(self) -> Progress:
        """Write that the run is over, and return the last state."""
        self.write(finished=True)
        return self.now(finished=True)

    def now(self, *, finished: bool = False) -> Progress:
        """The present state."""
        now = time.time()
        return Progress(
            split=self._split,
            total=self._total,
            done=self._all.count,
            failed=self._failed,
            images_per_s=self._all.per_s(now),
            started=self._started,
            updated=now,
            finished=finished,
            pid=os.getpid(),
            devices=tuple(self._device_now(slot, rate, now, finished=finished) for slot, rate in enumerate(self._each)),
            notices=tuple(self._notices),
            counted=self._counted,
        )

    def write(self, *, finished: bool = False) -> None:
        """Bring the file up to date, if it can be written."""
        now = time.time()
        self._written = now
        for rate in (self._all, *self._each):
            rate.mark(now)
        with best_effort(f"the progress file {self._path}", self.warn):
            self._storage.put(self._path, json.dumps(asdict(self.now(finished=finished))).encode())

    def warn(self, text: str) -> None:
        """Keep what of the watching went wrong."""
        if text not in self.warnings and len(self.warnings) < MAX_NOTICES:
            self.warnings.append(text)

    def _device_now(self, slot: int, rate: _Rate, now: float, *, finished: bool) -> DeviceProgress:
        name, use = self._slots[slot], None
        with best_effort(f"the load of {name}", self.warn):
            use = self._usage(slot) if not finished else None
        return DeviceProgress(
            name, rate.count, rate.per_s(now), use.percent if use else None, use.memory_mib if use else None
        )


_DECODER = msgspec.json.Decoder(Progress)
_CLOCKS_APART_S = 60.0


def read_progress(path: Path, storage: Storage = LOCAL) -> Progress | None:
    """The last state written, or None where there is none that can be read, or one from the future."""
    try:
        found = _DECODER.decode(storage.read(path) or b"")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if max(found.started, found.updated) <= time.time() + _CLOCKS_APART_S else None
