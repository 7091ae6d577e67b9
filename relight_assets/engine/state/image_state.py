"""What is known of one image: its photo, what of it is current, and the failure that holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from relight_assets import __version__
from relight_assets.core.atomic_io import PlaceTakenError
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Failure, Record
from relight_assets.dataset.records import read_failure, write_failure
from relight_assets.errors import ImageError, OutputBlockedError, RecordUnreadableError
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names
from relight_assets.storage.files import FileStamp, SourceInfo

RowStatus = Literal["done", "failed", "rejected", "pending"]
ROW_STATUSES: tuple[RowStatus, ...] = ("done", "failed", "rejected", "pending")
"""What a row can count as; every row counts as exactly one."""
Photo = Literal["new", "same", "moved", "changed", "other", "unchecked", "unread"]
"""How a row's photo stands to that of the record under its number.

new: there is no record.  same: at the recorded place, with the recorded content.  moved: at another place, with the
recorded content.  changed: at the recorded place, with other content.  other: at another place, with other content.
unchecked: the file must be hashed to know.  unread: the photo cannot be read.
"""
Hashes = Mapping[str, FileStamp | None]
"""The stamps of files that were hashed just now, by path; None of one that could not be read."""
NO_HASHES: Hashes = MappingProxyType({})


class SourceFile(Struct, frozen=True, gc=False):
    """A photo as ``stat`` finds it: its path, the place at which the CSV names it, size in bytes and token."""

    path: str
    place: str
    size: int
    token: str
    refusal: str | None = None
    """Why it is not opened to make anything of it; None where it is."""

    @property
    def file(self) -> Path:
        """Its path."""
        return Path(self.path)


@dataclass(frozen=True, slots=True)
class NewStamps:
    """What a record is to say of files that have the recorded content, and another token or place than it says."""

    source: SourceInfo
    files: Mapping[Stage, dict[str, FileStamp]]

    def applied(self, record: Record) -> Record:
        """The record with them."""
        stages = {
            stage: replace(entry, files=self.files.get(stage, entry.files)) for stage, entry in record.stages.items()
        }
        return replace(record, source=self.source, stages=stages)


class ImageState(Struct, frozen=True, gc=False):
    """One image: what of it is current, and the failure that still holds, if one does.

    There is one for every row, so it keeps nothing of the record but what planning asks for again: under 1 kB.  And a
    struct, which is made twenty times as fast as a frozen dataclass.
    """

    key: str
    index: int | None
    """None: it has no number yet, so nothing of it was ever made."""
    source: SourceFile | None
    """None: the path may not be opened, or leads nowhere; ``failure`` says why."""
    photo: Photo = "unread"
    current: tuple[Stage, ...] = ()
    stages: tuple[Stage, ...] = field(default_factory=stage_names)
    """Those that the recipe asks for."""
    recorded: bool = False
    """There is a record of it."""
    failure: Failure | None = None
    source_known: bool = False
    """The source has the size and token of the record or failure."""
    outlived: bool = False
    """A failure file lies there although its stage is current."""
    unchecked: tuple[str, ...] = ()
    """Files with the recorded size and another token: nothing is known of them until they are hashed."""
    new_stamps: NewStamps | None = None
    """What the record is to say of its files; None where it says so already."""
    new_failure: Failure | None = None
    """The failure with the source's token as it is now; None where it says so already."""
    geometry_file: str | None = None
    """Where its row says that its depth or normals are; None: where the recipe does."""

    @property
    def file(self) -> Path | None:
        """Where the photo is; None where it cannot be read."""
        return self.source.file if self.source is not None else None

    @property
    def is_finished(self) -> bool:
        """Whether all of it is current, and nothing lies there of an earlier failure."""
        return self.status == "done" and self.source_known and not self.outlived

    @property
    def is_settled(self) -> bool:
        """Whether the digests of all stages are those of the record, for the photo that it was made of."""
        return self.photo in ("same", "moved") and self.is_whole

    @property
    def status(self) -> RowStatus:
        """What a row with this image counts as."""
        if self.failure is not None:
            return "rejected" if self.failure.rejected else "failed"
        return "done" if self.is_whole else "pending"

    @property
    def is_whole(self) -> bool:
        """Whether all stages that the recipe asks for are current."""
        return len(self.current) == len(self.stages)


def has_stamp(source: SourceFile, stamp: FileStamp | SourceInfo) -> bool:
    """Whether a photo has the size and token of a stamp."""
    # A token of schema 1 is the mtime, with which the others begin.
    if stamp.size != source.size:
        return False
    return stamp.token == source.token or stamp.token == source.token.partition(".")[0]


def blocked(taken: PlaceTakenError) -> OutputBlockedError:
    """What stands where a file of an image belongs, as the reason of its failure."""
    return OutputBlockedError(
        f"{taken.filename} cannot be written over or removed: {taken.strerror}. Move what stands there away and run "
        f"again."
    )


def failed(
    key: str,
    index: int | None,
    error: ImageError,
    stage: Stage,
    *,
    previous: Failure | None,
    source: FileStamp | None = None,
    digest: str | None = None,
    traceback: str | None = None,
    reads: Mapping[str, FileStamp] = MappingProxyType({}),
) -> Failure:
    """The failure of one image at one stage; ``attempts`` goes on from the previous one's."""
    same = previous is not None and previous.stage == stage and previous.digest == digest
    return Failure(
        index=-1 if index is None else index,
        image_path=key,
        code=error.code,
        stage=stage,
        message=str(error),
        attempts=(previous.attempts if previous is not None and same else 0) + 1,
        rejected=error.rejected,
        retryable=error.retryable,
        source=source,
        digest=digest,
        traceback=traceback,
        skin_lightness=error.skin_lightness,
        package_version=__version__,
        reads=dict(reads),
    )


def put_failure(layout: SplitLayout, failure: Failure, *, durable: bool = True) -> Failure:
    """Write a failure; what a scan finds afterwards, where what lies in its place cannot be replaced."""
    try:
        write_failure(layout, failure, durable=durable)
    except PlaceTakenError:
        path = layout.failure(failure.index)
        try:
            read_failure(path, layout.storage)
        except OSError as error:
            unreadable = RecordUnreadableError.of(path.name, error)
            return failed(failure.image_path, failure.index, unreadable, "masks", previous=None)
    return failure
