"""What travels between the parent and its workers: small, plain, picklable."""

from dataclasses import dataclass, field
from typing import Literal

from relight_assets.dataset.record_types import Failure
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import all_stage_names
from relight_assets.storage.files import FileStamp

UPSTREAM_STALE = "upstream_stale"
"""Code of an image with a selected stage that waits for one that was not selected."""

StageStatus = Literal["computed", "reused", "failed", "rejected", "pending"]


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
    place: str | None = None
    """The file's path as the CSV names it, links unresolved; None: as ``file``."""
    source_known: bool = True
    """Whether the record may be believed about the source where size and token are the recorded ones."""
    geometry_file: str | None = None
    """Where its row says that its depth or normals are; None: where the recipe does."""


@dataclass(frozen=True)
class HashItem:
    """Files of one image to be hashed."""

    index: int
    files: tuple[str, ...]

    @property
    def file(self) -> str:
        """The first of them, for messages."""
        return self.files[0]


@dataclass(frozen=True)
class FilesHashed:
    """The stamps of an image's files as they are; None of one that cannot be read."""

    index: int
    stamps: dict[str, FileStamp | None]


@dataclass(frozen=True)
class ImageResult:
    """What became of one image in one run."""

    index: int
    outcomes: dict[Stage, StageStatus]
    code: str | None = None
    """Failure code, when a stage failed, was rejected, or is pending."""
    message: str | None = None
    failure: Failure | None = None
    """As it was written, when a stage failed or was rejected."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Time of what was done now: decode, segment, each stage, encode."""
    peak_mib: int = 0
    """The largest resident memory of the worker's process so far, MiB."""

    @property
    def current(self) -> tuple[Stage, ...]:
        """The stages that are current now."""
        return tuple(stage for stage in all_stage_names() if self.outcomes.get(stage) in ("computed", "reused"))

    @property
    def failed(self) -> bool:
        """Whether a stage failed or was rejected."""
        return not {"failed", "rejected"}.isdisjoint(self.outcomes.values())


@dataclass(frozen=True)
class Shrunk:
    """The device's memory holds fewer images at a time than it was given; so many from now on."""

    batch: int


Item = WorkItem | HashItem
Result = ImageResult | FilesHashed
