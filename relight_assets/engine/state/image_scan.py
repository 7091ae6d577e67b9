"""Scanning one image: its photo, files and failure against its record.

A file with the size and token that were recorded of it has the recorded sha256.  One with the same size and another
token is unchecked, until somebody has hashed it and the scan is given the result.
"""

from collections.abc import Container, Mapping

from msgspec.structs import replace

from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.layout import FAILURE_SUFFIX, RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.origin import Origin
from relight_assets.dataset.paths import Locator
from relight_assets.dataset.record_types import Failure, RecordStamps
from relight_assets.dataset.records import files_match, read_failure
from relight_assets.dataset.spelling import Folders
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.state.current import current_stages
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.geometry_stamps import known_sha256
from relight_assets.engine.state.image_state import (
    Hashes,
    ImageState,
    NewStamps,
    Photo,
    SourceFile,
    failed,
    has_stamp,
)
from relight_assets.engine.state.record_cache import RecordCache
from relight_assets.errors import (
    BlankPathError,
    ForgottenError,
    ImageError,
    PathRefusedError,
    RecordUnreadableError,
    SourceUnreadableError,
)
from relight_assets.stages.base import Stage
from relight_assets.storage.files import FileStamp, source_token


class ImageScanner:
    """Scans one image of a split after the other; reads records and stats files, and writes nothing."""

    def __init__(
        self,
        split: SplitCsv,
        records: RecordCache,
        digests: Digests,
        *,
        image_root: AnyRoot,
        origin: Origin | None,
        tombstones: Tombstones,
        hashes: Hashes,
        failures: Container[int],
        geometry_files: Mapping[str, str],
        trust: bool = False,
    ):
        """``trust``: what is kept of finished images is believed, unless an ``image_root`` must be looked for."""
        known = Folders()
        folder = split.path.parent.absolute()
        self._root = ImageRoot.of(image_root)
        self._layout, self._digests, self._hashes, self._origin = records.layout, digests, hashes, origin
        self._storage = records.layout.storage
        self._locate = Locator(folder, image_root, known).locate
        self._image_root, self._records = image_root, records
        self._failures, self._tombstones = failures, tombstones
        self._geometry_files = geometry_files
        self._trusts = trust and self._root is None
        self.misnumbered = False
        self.trusted = 0
        """Images whose photo and files were not looked at."""

    def scan(self, key: str, cell: str, index: int | None) -> ImageState:
        """Compare one image with its record and its failure."""
        if index is not None and (finished := self._finished(key, cell, index)) is not None:
            return finished
        try:
            known = self._records.read(index) if index is not None else None
        except OSError as error:
            unreadable = RecordUnreadableError.of(f"{index:05d}_{RECORD_SUFFIX}", error)
            held = failed(key, index, unreadable, "masks", previous=None)
            return ImageState(key, index, None, stages=self._digests.stages, failure=held)
        record = known.stamps if known is not None else None
        try:
            failure = self._failure(index)
        except OSError as error:
            return self._without_failure(key, cell, index, record, error)
        state = self._with_record(key, cell, index, record, failure)
        if known is not None:
            self._records.keep(known, settled=state.is_settled and not self._digests.geometry.from_file)
        return state

    def _finished(self, key: str, cell: str, index: int) -> ImageState | None:
        """An image of which all is current, as :meth:`scan` finds it; None of one that must be looked at."""
        if index in self._failures:
            return None
        known = self._records.finished(index, trusted=self._trusts)
        if known is None or known.key != key:
            return None
        if self._trusts and known.place is not None:
            self.trusted += 1
            return self._all_current(key, index, SourceFile(known.place, known.place, known.size, known.token))
        try:
            source = self._source(cell)
        except ImageError:
            return None
        if source.size != known.size or source.token != known.token or source.place != known.place:
            return None
        if source.path in self._hashes:
            return None
        if not self._storage.have_states(self._layout.numbered_as(index), known.files):
            return None
        return self._all_current(key, index, source)

    def _all_current(self, key: str, index: int, source: SourceFile) -> ImageState:
        given = self._geometry_files.get(key)
        stages = self._digests.stages
        return ImageState(
            key, index, source, "same", stages, stages, recorded=True, source_known=True, geometry_file=given
        )

    def _failure(self, index: int | None) -> Failure | None:
        if index is None or index not in self._failures:
            return None
        return read_failure(f"{self._layout.numbered_as(index)}{FAILURE_SUFFIX}", self._layout.storage)

    def _without_failure(
        self, key: str, cell: str, index: int | None, record: RecordStamps | None, error: OSError
    ) -> ImageState:
        """An image whose failure cannot be read: it is tried again, unless all of it is current."""
        state = self._with_record(key, cell, index, record, None)
        if state.status != "pending" or state.unchecked:
            return state
        unreadable = RecordUnreadableError.of(f"{index:05d}_{FAILURE_SUFFIX}", error)
        return replace(state, failure=failed(key, index, unreadable, "masks", previous=None))

    def _with_record(
        self, key: str, cell: str, index: int | None, record: RecordStamps | None, failure: Failure | None
    ) -> ImageState:
        record, failure = self._of_this_image(key, record, failure)
        try:
            source = self._source(cell)
        except BlankPathError:
            raise AssertionError("a blank cell has no key") from None
        except ImageError as error:
            # Whoever has a photo forgotten deletes it too.
            if failure is not None and failure.code == ForgottenError.code and self._tombstones.reasons:
                stages = self._digests.stages
                return ImageState(key, index, None, stages=stages, recorded=record is not None, failure=failure)
            return self._unreadable(key, index, error, record, failure)
        state = self._judged(key, index, source, record, failure)
        if source.refusal is None or state.status != "pending" or state.unchecked:
            return state  # a link that is made to a photo later costs nothing of what is finished
        refused = PathRefusedError(f"{source.file.name!r} is refused: {source.refusal}.")
        return self._unreadable(key, index, refused, record, failure)

    def _of_this_image(
        self, key: str, record: RecordStamps | None, failure: Failure | None
    ) -> tuple[RecordStamps | None, Failure | None]:
        owner = record or failure
        if owner is not None and owner.image_path != key:
            self.misnumbered = True
            return None, None
        return record, failure if failure is not None and failure.image_path == key else None

    def _source(self, cell: str) -> SourceFile:
        found = self._locate(cell)
        path, place, status = found.path, found.place, found.status
        refusal = self._root.refuses(status) if self._root is not None else None
        return SourceFile(path, path if path == place else place, status.st_size, source_token(status), refusal)

    def _judged(
        self, key: str, index: int | None, source: SourceFile, record: RecordStamps | None, failure: Failure | None
    ) -> ImageState:
        now, photo = self._photo(key, source, record, failure)
        if photo == "unread":
            # Nobody knows whose photo it is, so nothing that was made may be written over because of it.
            name = source.file.name
            error = SourceUnreadableError(f"{name!r} cannot be read to see whether it has changed; it is tried again")
            return self._unreadable(key, index, error, record, failure)
        if (forgotten := self._forgotten(key, index, source, now, failure)) is not None:
            return ImageState(
                key,
                index,
                source,
                photo,
                stages=self._digests.stages,
                recorded=record is not None,
                failure=forgotten,
                source_known=True,
            )
        unchecked = [source.path] if photo == "unchecked" or self._was_tried(source, record, failure) else []
        sha256 = now.sha256 if now is not None else None
        if sha256 is None and photo != "unchecked":
            held = failure if failure is not None and failure.code == SourceUnreadableError.code else None
            recorded = record is not None
            return ImageState(
                key,
                index,
                source,
                photo,
                stages=self._digests.stages,
                recorded=recorded,
                failure=held,
                unchecked=tuple(unchecked),
                geometry_file=self._geometry_files.get(key),
            )
        given = self._given(key, source, record, failure) if self._digests.geometry.from_file else {}
        files = _RecordedFiles(self._layout, self._hashes, record)
        # What is unchecked may well be what it was: only so are all files known that need a look.
        assumed = sha256 or (record.source.sha256 if record else "")
        possible = current_stages(self._digests, record, assumed, files.may_match, given)
        unchecked += files.unchecked
        current = possible if not unchecked else ()
        if files.unchecked and sha256 is not None:
            current = current_stages(self._digests, record, sha256, files.match, given)
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
            self._digests.stages,
            record is not None,
            failure if holds else None,
            source_known=sha256 is not None,
            outlived=failure is not None and failure.stage in current,
            unchecked=tuple(unchecked),
            new_stamps=_new_stamps(record, now, source.place, files) if record is not None else None,
            new_failure=_new_failure(failure, now) if holds else None,
            geometry_file=self._geometry_files.get(key),
        )

    def _unreadable(
        self, key: str, index: int | None, error: ImageError, record: RecordStamps | None, failure: Failure | None
    ) -> ImageState:
        """An image whose photo cannot be read: what was made of it stays."""
        known = failure is not None and (failure.code, failure.message) == (error.code, str(error))
        held = failure if known else failed(key, index, error, "masks", previous=failure)
        stages = self._digests.stages
        return ImageState(key, index, None, stages=stages, recorded=record is not None, failure=held)

    def _forgotten(
        self, key: str, index: int | None, source: SourceFile, now: FileStamp | None, failure: Failure | None
    ) -> Failure | None:
        """The rejection of a photo that was forgotten; None of any other."""
        was = failure is not None and failure.code == ForgottenError.code
        if failure is not None and was and self._tombstones.sealed(failure.digest, source.size, source.token):
            return failure
        if now is None or now.sha256 not in self._tombstones:
            return None
        return failed(key, index, ForgottenError(), "masks", previous=None, digest=self._tombstones.seal(now))

    def _given(
        self, key: str, source: SourceFile, record: RecordStamps | None, failure: Failure | None
    ) -> dict[str, str]:
        """The sha256 of the photo's file of depth or normals, as far as it is known."""
        files = self._geometry_files.get(key)
        return known_sha256(self._digests.geometry, source.file, self._image_root, record, failure, files=files)

    def _photo(
        self, key: str, source: SourceFile, record: RecordStamps | None, failure: Failure | None
    ) -> tuple[FileStamp | None, Photo]:
        """The stamp of a photo, None where its content is not known; and how it stands to the record."""
        path = source.path
        hashed = self._hashes.get(path)
        now = None
        for stamp in (hashed, failure.source if failure is not None else None):
            if now is None and stamp is not None and has_stamp(source, stamp):
                now = stamp
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

    def _was_tried(self, source: SourceFile, record: RecordStamps | None, failure: Failure | None) -> bool:
        """Whether a photo of which nothing was made may be the one that failed: then it need not fail again."""
        if record is not None or failure is None or failure.source is None or source.path in self._hashes:
            return False
        return failure.source.size == source.size and not has_stamp(source, failure.source)

    def _was_here(self, key: str, place: str) -> bool:
        """Whether a photo of a record without a place was at this one, as far as the folder's origin tells."""
        return self._origin is None or place in self._origin.places_of(key)


class _RecordedFiles:
    """The files of one image against its record."""

    def __init__(self, layout: SplitLayout, hashes: Hashes, record: RecordStamps | None):
        self._layout, self._hashes = layout, hashes
        self._all_match = record is not None and files_match(layout, record, *record.stages)  # as nearly always
        self.unchecked: list[str] = []
        self.renewed: dict[Stage, dict[str, FileStamp]] = {}

    def may_match(self, record: RecordStamps, stage: Stage) -> bool:
        """Whether the files of a stage may be those of the record; notes which must be hashed to know."""
        if self._all_match or files_match(self._layout, record, stage):
            return True
        entry = record.stages[stage]
        stamps: dict[str, FileStamp] = {}
        unchecked = []
        for name, stamp in entry.files.items():
            path = self._layout.artifact(record.index, name)
            try:
                size, token = self._layout.storage.state(path)
            except OSError:
                return False
            if size != stamp.size:
                return False
            hashed = stamp if token == stamp.token else self._hashes.get(str(path))
            if hashed is None and str(path) not in self._hashes:
                unchecked.append(str(path))
            elif hashed is None or hashed.sha256 != stamp.sha256:
                return False
            else:
                stamps[name] = FileStamp(stamp.sha256, stamp.size, token)
        self.unchecked += unchecked
        if not unchecked:
            self.renewed[stage] = stamps
        return True

    def match(self, record: RecordStamps, stage: Stage) -> bool:
        """Whether the files of a stage are known to be those of the record."""
        return stage in self.renewed or files_match(self._layout, record, stage)


def _new_failure(failure: Failure | None, now: FileStamp | None) -> Failure | None:
    if failure is None or now is None or failure.source in (None, now):
        return None
    return replace(failure, source=now)


def _new_stamps(record: RecordStamps, now: FileStamp | None, place: str, files: _RecordedFiles) -> NewStamps | None:
    """The tokens that the files of a record have now, and its photo's place; None where it has them already."""
    source = record.source
    # Records of schema 1 without a place go by that of the folder's origin: there is no need to write all of them.
    moved = source.place is not None and source.place != place
    if now is not None and now.sha256 == source.sha256 and (moved or now.token != source.token):
        source = replace(source, token=now.token, place=place)
    if not files.renewed and source is record.source:
        return None
    changed = {stage: stamps for stage, stamps in files.renewed.items() if stamps != record.stages[stage].files}
    return NewStamps(source, changed) if changed or source != record.source else None


def _still_holds(
    failure: Failure,
    *,
    record: RecordStamps | None,
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
