"""Removes and rewrites files, and keeps account of it; what cannot be removed is named, and the rest goes on."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL


@dataclass(frozen=True)
class Left:
    """What is still there of a photo, and why."""

    path: Path
    reason: str


@dataclass
class Eraser:
    """Removes and rewrites files.  A rehearsal counts what it would do, and does nothing."""

    dry_run: bool = False
    storage: Storage = LOCAL
    went: dict[Path, Counter[str]] = field(default_factory=dict)
    """What went, by place and by kind: a place is a folder of a split, a snapshot, or another file."""
    left: list[Left] = field(default_factory=list)
    _place: Path | None = None

    def remove(self, path: Path, kind: str) -> bool:
        """Remove a file; false where it cannot be removed, which is kept in mind."""
        return self.do(path, kind, lambda: self.storage.remove(path))

    def put(self, path: Path, data: bytes | Iterable[bytes], kind: str, count: int = 1) -> bool:
        """Write a file anew, durably; ``count`` things of a kind go with it."""
        return self.do(path, kind, lambda: self.storage.put(path, data, durable=True), count)

    def do(self, path: Path, kind: str, work: Callable[[], object], count: int = 1) -> bool:
        """Do some work on a path and account for it; false where it fails."""
        if not self.dry_run:
            try:
                work()
            except OSError as error:
                self.fail(path, error)
                return False
        if count:
            self.went.setdefault(self._place or path, Counter())[kind] += count
        return True

    def fail(self, path: Path, error: OSError) -> None:
        """Keep in mind that a path could not be read, written or removed."""
        self.left.append(Left(path, error.strerror or str(error)))

    @contextmanager
    def trying(self, path: Path) -> Iterator[None]:
        """Have what the system refuses be named instead of raised."""
        try:
            yield
        except OSError as error:
            self.fail(Path(error.filename) if isinstance(error.filename, str) else path, error)

    @contextmanager
    def within(self, place: Path) -> Iterator[None]:
        """Account for all that is done in the block at one place; :meth:`trying` likewise."""
        self._place = place
        try:
            with self.trying(place):
                yield
        finally:
            self._place = None
