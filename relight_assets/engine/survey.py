"""Where does every image of a split stand?  Reads records and stats files; writes nothing.

The answer comes from the files alone: the records, the failures and what ``stat`` says.  Sources are not
read, because their sha256 is remembered together with their size and modification time.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from relight_assets import __version__
from relight_assets.dataset.files import FileStamp
from relight_assets.dataset.layout import FAILURE_SUFFIX, RECORD_SUFFIX, SplitLayout, stage_files
from relight_assets.dataset.paths import Folders, index_key, resolve_image_path
from relight_assets.dataset.records import Failure, Record, files_match, read_failure, read_record
from relight_assets.dataset.split_csv import SplitCsv
from relight_assets.engine.digests import Digests
from relight_assets.engine.geometry_maps import known_sha256
from relight_assets.errors import BlankPathError, ImageError, RecordUnreadableError, SourceUnreadableError
from relight_assets.recipe import STAGES, Stage

RowStatus = Literal["done", "failed", "rejected", "pending"]
NOTHING: Mapping[str, FileStamp] = MappingProxyType({})
ROW_STATUSES: tuple[RowStatus, ...] = ("done", "failed", "rejected", "pending")
"""What a row can count as; every row counts as exactly one."""


@dataclass(frozen=True)
class ImageState:
    """One image: what of it is current, and the failure that still holds, if one does."""

    key: str
    index: int | None
    """None: it has no number yet, so nothing of it was ever made."""
    file: Path | None
    """None: the path may not be opened, or leads nowhere; ``failure`` says why."""
    current: tuple[Stage, ...] = ()
    record: Record | None = None
    failure: Failure | None = None
    source_known: bool = False
    """The source's size and modification time are those of the record or failure."""
    outlived: bool = False
    """A failure file lies there although its stage is current."""

    @property
    def status(self) -> RowStatus:
        """What a row with this image counts as."""
        if self.failure is not None:
            return "rejected" if self.failure.rejected else "failed"
        return "done" if len(self.current) == len(STAGES) else "pending"


@dataclass(frozen=True)
class Survey:
    """All rows of a split CSV and the images they name."""

    split: SplitCsv
    layout: SplitLayout
    keys: list[str | None]
    """The image of each row; None where the cell is blank."""
    images: dict[str, ImageState]
    orphans: int
    """Numbers whose rows are gone."""
    variants: int = 1
    """Different lights that each portrait is to have."""

    def row_status(self, row: int) -> RowStatus:
        """What one row counts as.  Rows = done + rejected + failed + pending, always."""
        key = self.keys[row]
        return "rejected" if key is None else self.images[key].status

    def row_counts(self) -> Counter[RowStatus]:
        """How many rows have each status."""
        return Counter(self.row_status(row) for row in range(len(self.keys)))

    def outputs(self) -> list[Path | None]:
        """Per row: the composite, of the first variant where there are several; None unless all stages are current."""
        return [found[0] if found else None for found in self.variant_outputs()]

    def variant_outputs(self) -> list[list[Path]]:
        """Per row: the composites of all variants; none unless all stages are current."""
        return [self._composites(self.images[key]) if key is not None else [] for key in self.keys]

    def _composites(self, image: ImageState) -> list[Path]:
        if image.status != "done" or image.index is None:
            return []
        return [self.layout.png(image.index, name) for name in stage_files("composites", self.variants)]


def row_keys(split: SplitCsv, image_root: Path | None) -> list[str | None]:
    """The lasting name of each row's image; None where the cell is blank."""
    cells: Iterable[str] = split.table["image_path"]
    return [index_key(cell, split.path.parent, image_root) or None for cell in cells]


def survey(
    split: SplitCsv, layout: SplitLayout, digests: Digests, index: Mapping[str, int], image_root: Path | None
) -> Survey:
    """Look at every image of a split."""
    keys = row_keys(split, image_root)
    cells: dict[str, str] = {}
    for key, cell in zip(keys, split.table["image_path"], strict=True):
        if key is not None:
            cells.setdefault(key, cell)
    known: Folders = {}
    resolve = partial(resolve_image_path, csv_folder=split.path.parent, image_root=image_root, known=known)
    outside = partial(known_sha256, digests.geometry, image_root=image_root)
    look = partial(_look, resolve=resolve, outside=outside, layout=layout, digests=digests)
    with _garbage_left_alone():
        images = {key: look(key, cell, index.get(key)) for key, cell in cells.items()}
    return Survey(split, layout, keys, images, orphans=len(index.keys() - images.keys()), variants=digests.variants)


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Records are many small objects that stay and hold no cycles: a fifth of the time went into looking for some."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _look(
    key: str,
    cell: str,
    index: int | None,
    *,
    resolve: Callable[[str], Path],
    outside: Callable[..., dict[str, str]],
    layout: SplitLayout,
    digests: Digests,
) -> ImageState:
    # Text and not Path, which to make costs more than a file that is not there.
    numbered = f"{layout.folder}/{index:05d}_" if index is not None else ""
    try:
        record = read_record(f"{numbered}{RECORD_SUFFIX}") if numbered else None
        failure = read_failure(f"{numbered}{FAILURE_SUFFIX}") if numbered else None
    except OSError as error:
        unreadable = RecordUnreadableError(f"its record cannot be read: {error}")
        return ImageState(key, index, None, failure=failed(key, index, unreadable, "masks", previous=None))
    try:
        file = resolve(cell)
        size, mtime_ns = _stamp(file)
    except BlankPathError:
        raise AssertionError("a blank cell has no key") from None
    except ImageError as error:
        told = failure is not None and (failure.code, failure.message) == (error.code, str(error))
        refused = failure if told else failed(key, index, error, "masks", previous=failure)
        return ImageState(key, index, None, record=record, failure=refused)
    source_sha256 = _known_sha256(record, failure, size, mtime_ns)
    if source_sha256 is None:
        unread = failure if failure is not None and failure.code == SourceUnreadableError.code else None
        return ImageState(key, index, file, record=record, failure=unread)
    given = outside(file, record=record, failure=failure)
    current = digests.current(record, source_sha256, lambda rec, stage: files_match(layout, rec, stage), given)
    holds = failure is not None and _still_holds(
        failure, record=record, current=current, source_sha256=source_sha256, digests=digests, outside=given
    )
    return ImageState(
        key,
        index,
        file,
        current,
        record,
        failure if holds else None,
        source_known=True,
        outlived=failure is not None and failure.stage in current,
    )


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError as error:  # gone, or not answering, since the path was resolved
        raise SourceUnreadableError(f"{file.name!r} cannot be read: {error.strerror}; it is tried again") from error
    return status.st_size, status.st_mtime_ns


def _known_sha256(record: Record | None, failure: Failure | None, size: int, mtime_ns: int) -> str | None:
    """The sha256 of the source, if its size and modification time are those it was remembered with."""
    if record is not None and (record.source.size, record.source.mtime_ns) == (size, mtime_ns):
        return record.source.sha256
    if failure is not None and (failure.source_size, failure.source_mtime_ns) == (size, mtime_ns):
        return failure.source_sha256
    return None


def _still_holds(
    failure: Failure,
    *,
    record: Record | None,
    current: tuple[Stage, ...],
    source_sha256: str,
    digests: Digests,
    outside: Mapping[str, str],
) -> bool:
    """A failure holds until the source, the recipe or the code of its stage changes."""
    if failure.stage is None or failure.stage in current:
        return False
    if failure.digest is None:
        return failure.retryable
    return failure.digest == digests.tried(failure.stage, source_sha256, record, current, outside)


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
    reads: Mapping[str, FileStamp] = NOTHING,
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
        source_sha256=source.sha256 if source else None,
        source_size=source.size if source else None,
        source_mtime_ns=source.mtime_ns if source else None,
        digest=digest,
        traceback=traceback,
        skin_lightness=error.skin_lightness,
        package_version=__version__,
        reads=dict(reads),
    )
