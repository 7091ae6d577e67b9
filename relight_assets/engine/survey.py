"""Where does every image of a split stand?  Reads records and stats files; writes nothing.

The answer comes from the files alone: the records, the failures and what ``stat`` says.  No picture is read: a file
with the size and token that were recorded of it has the recorded sha256, and one with the same size and another token
is unchecked, until somebody has hashed it and the scan is given the result.
"""

import gc
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec.structs import replace

from relight_assets import __version__
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.files import FileStamp, output_token, same_token, source_token
from relight_assets.dataset.layout import FAILURE_SUFFIX, RECORD_SUFFIX, SplitLayout, stage_files
from relight_assets.dataset.origin import Origin, read_origin
from relight_assets.dataset.paths import Folders, index_key, locate_image, possible_places
from relight_assets.dataset.records import Failure, Record, SourceInfo, files_match, read_failure, read_record
from relight_assets.dataset.split_csv import SplitCsv
from relight_assets.engine.digests import Digests
from relight_assets.engine.geometry_maps import known_sha256
from relight_assets.errors import BlankPathError, ImageError, RecordUnreadableError, SourceUnreadableError
from relight_assets.recipe import STAGES, Stage

RowStatus = Literal["done", "failed", "rejected", "pending"]
NOTHING: Mapping[str, FileStamp] = MappingProxyType({})
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


@dataclass(frozen=True)
class SourceFile:
    """A photo as ``stat`` finds it: its file, the place at which the CSV names it, size in bytes and token."""

    file: Path
    place: str
    size: int
    token: str


@dataclass(frozen=True)
class ImageState:
    """One image: what of it is current, and the failure that still holds, if one does."""

    key: str
    index: int | None
    """None: it has no number yet, so nothing of it was ever made."""
    source: SourceFile | None
    """None: the path may not be opened, or leads nowhere; ``failure`` says why."""
    photo: Photo = "unread"
    current: tuple[Stage, ...] = ()
    record: Record | None = None
    failure: Failure | None = None
    source_known: bool = False
    """The source has the size and token of the record or failure."""
    outlived: bool = False
    """A failure file lies there although its stage is current."""
    unchecked: tuple[str, ...] = ()
    """Files with the recorded size and another token: nothing is known of them until they are hashed."""
    renewed: Record | None = None
    """The record with the tokens, and the place, that its files have now; None where it has them already."""
    renewed_failure: Failure | None = None
    """Likewise."""

    @property
    def file(self) -> Path | None:
        """Where the photo is; None where it cannot be read."""
        return self.source.file if self.source is not None else None

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
    """Numbers whose rows are gone, and under which something lies."""
    origin: Origin | None = None
    """The CSV that the folder belongs to; None: it does not say."""
    index: Mapping[str, int] = field(default_factory=dict)
    """The number of every image that has one, those whose rows are gone too."""
    variants: int = 1
    """Different lights that each portrait is to have."""
    misnumbered: bool = False
    """``index.csv`` gives a number to an image, and a record gives it to another."""

    @property
    def unchecked_rows(self) -> int:
        """How many rows wait for files to be hashed; they count as pending meanwhile."""
        return sum(key is not None and bool(self.images[key].unchecked) for key in self.keys)

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


def scan(
    split: SplitCsv,
    layout: SplitLayout,
    digests: Digests,
    image_root: Path | None,
    *,
    hashes: Hashes = NO_HASHES,
) -> Survey:
    """Look at every image of a split.

    Args:
        split: the CSV as it was read.
        layout: the split's folder.
        digests: under the recipe that counts.
        image_root: the setting.
        hashes: what files are that were hashed just now.

    Raises:
        OSError: the folder, its index or its origin cannot be read.
    """
    look = partial(survey, split, layout, digests, image_root=image_root, origin=read_origin(layout), hashes=hashes)
    found = look(lasting_index.load(layout))
    # Records are the truth: where one of them says otherwise than the index, all of them are asked.
    return look(lasting_index.rebuild(layout)) if found.misnumbered else found


def survey(
    split: SplitCsv,
    layout: SplitLayout,
    digests: Digests,
    index: Mapping[str, int],
    image_root: Path | None,
    *,
    origin: Origin | None = None,
    hashes: Hashes = NO_HASHES,
) -> Survey:
    """As :func:`scan`, with the numbers of the images and the folder's origin as they are given."""
    keys = row_keys(split, image_root)
    cells: dict[str, str] = {}
    for key, cell in zip(keys, split.table["image_path"], strict=True):
        if key is not None:
            cells.setdefault(key, cell)
    look = _Look(split, layout, digests, image_root=image_root, origin=origin, hashes=hashes)
    with _garbage_left_alone():
        images = {key: look.at(key, cell, index.get(key)) for key, cell in cells.items()}
    return Survey(
        split,
        layout,
        keys,
        images,
        orphans=len(orphan_numbers(layout, index, images)),
        origin=origin,
        index=index,
        variants=digests.variants,
        misnumbered=look.misnumbered,
    )


def orphan_numbers(layout: SplitLayout, index: Mapping[str, int], rows: Container[str]) -> set[int]:
    """The numbers whose rows are gone, and under which something lies.

    Raises:
        OSError: the folder cannot be read.
    """
    gone = {number for key, number in index.items() if key not in rows}
    return gone & layout.numbers() if gone else gone


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


class _Look:
    """Looks at one image after the other."""

    def __init__(
        self,
        split: SplitCsv,
        layout: SplitLayout,
        digests: Digests,
        *,
        image_root: Path | None,
        origin: Origin | None,
        hashes: Hashes,
    ):
        known: Folders = {}
        folder = split.path.parent.absolute()
        self._layout, self._digests, self._hashes, self._origin = layout, digests, hashes, origin
        self._locate = partial(locate_image, csv_folder=folder, image_root=image_root, known=known)
        self._outside = partial(known_sha256, digests.geometry, image_root=image_root)
        self.misnumbered = False

    def at(self, key: str, cell: str, index: int | None) -> ImageState:
        """Look at one image."""
        # Text and not Path, which to make costs more than a file that is not there.
        numbered = f"{self._layout.folder}/{index:05d}_" if index is not None else ""
        try:
            record = read_record(f"{numbered}{RECORD_SUFFIX}") if numbered else None
            failure = read_failure(f"{numbered}{FAILURE_SUFFIX}") if numbered else None
        except OSError as error:
            unreadable = RecordUnreadableError(f"its record cannot be read: {error}")
            return ImageState(key, index, None, failure=failed(key, index, unreadable, "masks", previous=None))
        record, failure = self._of_this_image(key, record, failure)
        try:
            source = self._source(cell)
        except BlankPathError:
            raise AssertionError("a blank cell has no key") from None
        except ImageError as error:
            told = failure is not None and (failure.code, failure.message) == (error.code, str(error))
            refused = failure if told else failed(key, index, error, "masks", previous=failure)
            return ImageState(key, index, None, record=record, failure=refused)
        return self._judged(key, index, source, record, failure)

    def _of_this_image(
        self, key: str, record: Record | None, failure: Failure | None
    ) -> tuple[Record | None, Failure | None]:
        owner = record or failure
        if owner is not None and owner.image_path != key:
            self.misnumbered = True
            return None, None
        return record, failure if failure is not None and failure.image_path == key else None

    def _source(self, cell: str) -> SourceFile:
        file, place = self._locate(cell)
        try:
            status = file.stat()
        except OSError as error:  # gone, or not answering, since the path was resolved
            raise SourceUnreadableError(f"{file.name!r} cannot be read: {error.strerror}; it is tried again") from error
        return SourceFile(file, place, status.st_size, source_token(status))

    def _judged(
        self, key: str, index: int | None, source: SourceFile, record: Record | None, failure: Failure | None
    ) -> ImageState:
        now, photo = self._photo(key, source, record, failure)
        unchecked = [str(source.file)] if photo == "unchecked" or self._was_tried(source, record, failure) else []
        sha256 = now.sha256 if now is not None else None
        if sha256 is None and photo != "unchecked":
            unread = failure if failure is not None and failure.code == SourceUnreadableError.code else None
            return ImageState(key, index, source, photo, record=record, failure=unread, unchecked=tuple(unchecked))
        given = self._outside(source.file, record=record, failure=failure)
        files = _Files(self._layout, self._hashes)
        # What is unchecked may well be what it was: only so are all files known that need a look.
        hoped = self._digests.current(record, sha256 or (record.source.sha256 if record else ""), files.hoped, given)
        unchecked += files.unchecked
        current = hoped if not unchecked else ()
        if files.unchecked and sha256 is not None:
            current = self._digests.current(record, sha256, files.sure, given)
        holds = (
            failure is not None
            and sha256 is not None
            and _still_holds(
                failure, record=record, current=current, source_sha256=sha256, digests=self._digests, outside=given
            )
        )
        return ImageState(
            key,
            index,
            source,
            photo,
            current,
            record,
            failure if holds else None,
            source_known=sha256 is not None,
            outlived=failure is not None and failure.stage in current,
            unchecked=tuple(unchecked),
            renewed=_renewed(record, now, source.place, files) if record is not None else None,
            renewed_failure=_renewed_failure(failure, now) if holds else None,
        )

    def _photo(
        self, key: str, source: SourceFile, record: Record | None, failure: Failure | None
    ) -> tuple[FileStamp | None, Photo]:
        """The stamp of a photo, None where its content is not known; and how it stands to the record."""
        path = str(source.file)
        hashed = self._hashes.get(path)
        stamps = (hashed, failure.source if failure is not None else None)
        now = next((stamp for stamp in stamps if stamp is not None and has_stamp(source, stamp)), None)
        if record is None:
            return now, "new"
        was = record.source
        here = was.place == source.place if was.place is not None else self._was_here(key, source.place)
        if now is None and here and has_stamp(source, was):
            now = was.stamp
        if now is not None and now.sha256 == was.sha256:
            return now, "same" if here else "moved"
        if now is not None or source.size != was.size:
            return now, "changed" if here else "other"
        return None, "unread" if path in self._hashes and hashed is None else "unchecked"

    def _was_tried(self, source: SourceFile, record: Record | None, failure: Failure | None) -> bool:
        """Whether a photo of which nothing was made may be the one that failed: then it need not fail again."""
        if record is not None or failure is None or failure.source is None or str(source.file) in self._hashes:
            return False
        return failure.source.size == source.size and not has_stamp(source, failure.source)

    def _was_here(self, key: str, place: str) -> bool:
        """Whether a photo of a record without a place was at this one, as far as the folder's origin tells."""
        if self._origin is None:
            return True
        root = self._origin.image_root
        return place in possible_places(key, Path(self._origin.path).parent, Path(root) if root is not None else None)


def has_stamp(source: SourceFile, stamp: FileStamp | SourceInfo) -> bool:
    """Whether a photo has the size and token of a stamp."""
    # A token of schema 1 is the mtime, with which the others begin.
    return stamp.size == source.size and stamp.token in (source.token, source.token.partition(".")[0])


class _Files:
    """The files of one image against its record."""

    def __init__(self, layout: SplitLayout, hashes: Hashes):
        self._layout, self._hashes = layout, hashes
        self.unchecked: list[str] = []
        self.renewed: dict[Stage, dict[str, FileStamp]] = {}

    def hoped(self, record: Record, stage: Stage) -> bool:
        """Whether the files of a stage may be those of the record; which must be hashed to know is kept."""
        if files_match(self._layout, record, stage):
            return True
        entry = record.stages[stage]
        stamps: dict[str, FileStamp] = {}
        unchecked = []
        for name, stamp in entry.files.items():
            path = self._layout.png(record.index, name)
            try:
                status = path.stat()
            except OSError:
                return False
            if status.st_size != stamp.size:
                return False
            hashed = stamp if same_token(stamp.token, status) else self._hashes.get(str(path))
            if hashed is None and str(path) not in self._hashes:
                unchecked.append(str(path))
            elif hashed is None or hashed.sha256 != stamp.sha256:
                return False
            else:
                stamps[name] = FileStamp(stamp.sha256, stamp.size, output_token(status))
        self.unchecked += unchecked
        if not unchecked:
            self.renewed[stage] = stamps
        return True

    def sure(self, record: Record, stage: Stage) -> bool:
        """Whether the files of a stage are known to be those of the record."""
        return stage in self.renewed or files_match(self._layout, record, stage)


def _renewed_failure(failure: Failure | None, now: FileStamp | None) -> Failure | None:
    if failure is None or now is None or failure.source in (None, now):
        return None
    return replace(failure, source=now)


def _renewed(record: Record, now: FileStamp | None, place: str, files: _Files) -> Record | None:
    """A record with the tokens that its files have now, and its photo's place; None where it has them already."""
    source = record.source
    # Records of schema 1 without a place go by that of the folder's origin: there is no need to write all of them.
    moved = source.place is not None and source.place != place
    if now is not None and now.sha256 == source.sha256 and (moved or now != source.stamp):
        source = replace(source, token=now.token, place=place)
    stages = {
        stage: replace(entry, files=files.renewed[stage]) if stage in files.renewed else entry
        for stage, entry in record.stages.items()
    }
    renewed = replace(record, source=source, stages=stages)
    return renewed if renewed != record else None


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
        source=source,
        digest=digest,
        traceback=traceback,
        skin_lightness=error.skin_lightness,
        package_version=__version__,
        reads=dict(reads),
    )
