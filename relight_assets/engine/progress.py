"""Counts of a run under way, in ``.progress.json`` beside the outputs, for whoever wants to watch.

The command line's progress bar, ``relight status --watch`` and the run itself all go by this one file, so a
run can be watched from another terminal, and one that waits for its turn shows nothing yet.
"""

import json
import os
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from relight_assets.dataset.files import write_atomic

EVERY_S = 1.0
_RATE_WINDOW_S = 30.0


@dataclass(frozen=True)
class Progress:
    """How far one run of one split is.  Images, not rows."""

    split: str
    total: int
    done: int
    failed: int
    images_per_s: float
    started: float
    updated: float
    finished: bool
    pid: int

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the present rate; None before there is one."""
        return (self.total - self.done) / self.images_per_s if self.images_per_s > 0 else None


class ProgressWriter:
    """Counts results and writes the file at most once a second."""

    def __init__(self, path: Path, split: str, total: int):
        self._path, self._split, self._total = path, split, total
        self._done = self._failed = 0
        self._started = time.time()
        self._written = 0.0
        self._recent: deque[tuple[float, int]] = deque([(self._started, 0)])
        self.write(finished=False)

    def count(self, *, failed: bool) -> bool:
        """Count one image; true when the file was brought up to date, which is the time to log too."""
        self._done += 1
        self._failed += failed
        if time.time() - self._written < EVERY_S:
            return False
        self.write(finished=False)
        return True

    def now(self, *, finished: bool = False) -> Progress:
        """The present state."""
        now = time.time()
        first_time, first_done = self._recent[0]
        rate = (self._done - first_done) / (now - first_time) if now > first_time else 0.0
        return Progress(
            split=self._split,
            total=self._total,
            done=self._done,
            failed=self._failed,
            images_per_s=round(rate, 3),
            started=self._started,
            updated=now,
            finished=finished,
            pid=os.getpid(),
        )

    def write(self, *, finished: bool) -> None:
        """Bring the file up to date."""
        now = time.time()
        self._written = now
        self._recent.append((now, self._done))
        while now - self._recent[0][0] > _RATE_WINDOW_S and len(self._recent) > 2:
            self._recent.popleft()
        write_atomic(self._path, json.dumps(asdict(self.now(finished=finished))).encode())


def read_progress(path: Path) -> Progress | None:
    """The last state written, or None where there is none that can be read."""
    try:
        return Progress(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
