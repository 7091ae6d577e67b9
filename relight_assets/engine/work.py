"""What travels between the parent and its workers: small, plain, picklable."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from relight_assets.recipe import Stage

UPSTREAM_STALE = "upstream_stale"
"""Code of an image with a selected stage that waits for one that was not selected."""

Outcome = Literal["computed", "reused", "failed", "rejected", "pending"]


@dataclass(frozen=True)
class WorkItem:
    """One image to bring up to date."""

    index: int
    image_path: str
    """Its lasting name, the key of the index."""
    file: str
    """Where it is on this machine."""
    stages: tuple[Stage, ...]
    """The stages that may be computed; the others are only looked at."""


@dataclass(frozen=True)
class ImageResult:
    """What became of one image in one run."""

    index: int
    outcomes: dict[Stage, Outcome]
    code: str | None = None
    """Failure code, when a stage failed, was rejected, or is pending."""
    message: str | None = None
    numbers: dict[Stage, dict[str, Any]] = field(default_factory=dict)
    """The recorded numbers of every stage that is current."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Time of what was done now: decode, segment, each stage, encode."""
    peak_mib: int = 0
    """The largest resident memory of the worker's process so far, MiB."""

    @property
    def failed(self) -> bool:
        """Whether a stage failed or was rejected."""
        return not {"failed", "rejected"}.isdisjoint(self.outcomes.values())


@dataclass(frozen=True)
class Shrunk:
    """The device's memory holds fewer pictures at a time than it was given; so many from now on."""

    batch: int


class Worker(Protocol):
    """What runs in a process of its own: built once, where the models are loaded; sees one device."""

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult | Shrunk]:
        """Take items as they come and give each one's result when it is finished, in any order.

        Asking for the next item may wait.  One image's fault is a result, never an exception.

        Raises:
            OutputFolderError, HostLimitError: no image could be finished; the run must stop.
            DeviceFailedError: this process can do no more; another may.
        """
