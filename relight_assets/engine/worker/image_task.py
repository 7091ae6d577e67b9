"""One image on its way through the stages, and the commit of each.

The order of writing is what makes a kill at any moment harmless.  Before a file of a stage is touched, a
record that claims only the stages before it is written; then the files, each under a temporary name that is
renamed; then the record with them.  A record never claims bytes that are not there.
"""

import dataclasses
import logging
import traceback
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from relight_assets import __version__
from relight_assets.core.atomic_io import PlaceTakenError
from relight_assets.core.best_effort import best_effort
from relight_assets.dataset.derived.thumbnails import remove_thumbnail
from relight_assets.dataset.record_types import Failure, Record, StageEntry
from relight_assets.dataset.records import files_match, known_failure, remove_failure, remove_record, write_record
from relight_assets.engine.execution.messages import UPSTREAM_STALE, ImageResult, StageStatus, WorkItem
from relight_assets.engine.hardware.peak_memory import peak_mib
from relight_assets.engine.state.current import is_current
from relight_assets.engine.state.geometry_stamps import stamps_of
from relight_assets.engine.state.image_state import blocked, failed, put_failure
from relight_assets.engine.worker.artifacts import DamagedFileError, ImageArtifacts, WorkerContext, encoded_files
from relight_assets.engine.worker.stage_inputs import TaskInputs
from relight_assets.engine.worker.thumbnails import keep_photo_thumbnail, keep_thumbnail
from relight_assets.errors import (
    DeviceFailedError,
    ForgottenError,
    HostLimitError,
    ImageError,
    InternalError,
    RecordUnreadableError,
)
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_spec
from relight_assets.storage.files import FileStamp, SourceInfo, same_token, stamp_source

_LOG = logging.getLogger(__name__)


class ImageTask:
    """One image on its way through the stages."""

    def __init__(self, context: WorkerContext, item: WorkItem, previous: Record | RecordUnreadableError | None):
        self.context, self.item = context, item
        self.previous = previous if isinstance(previous, Record) else None
        self._unreadable = previous if isinstance(previous, RecordUnreadableError) else None
        self.layout = context.layout
        self.entries: dict[Stage, StageEntry] = {}
        self.outcomes: dict[Stage, StageStatus] = {}
        self.artifacts = ImageArtifacts(context, item)
        self.source: SourceInfo | None = None
        self._trying: tuple[Stage, str | None] = ("masks", None)
        """The stage that is brought up to date, and its digest once that is known."""
        self._committed: Record | None = None
        """The record that was written last."""

    # -- ahead of the stages -------------------------------------------------------------------------------

    def read_ahead(self) -> None:
        """Decode the source if the masks will be made of it.  :meth:`run` reports what goes wrong."""
        if "masks" in self.item.stages and self._unreadable is None and not self._masks_are_current():
            with suppress(Exception):
                self.artifacts.decoded()

    @property
    def waits_for_segmenter(self) -> bool:
        """Whether there is an image to segment."""
        image = self.artifacts.ahead
        # The source may merely have been touched; that is known only now.
        return image is not None and not self._masks_reusable(image.source)

    def _masks_are_current(self) -> bool:
        source = self._known_source()
        return source is not None and self._masks_reusable(source)

    def _masks_reusable(self, source: SourceInfo) -> bool:
        return self._reusable("masks", self.context.digests.of("masks", source.sha256, {}))

    def run(self) -> ImageResult:
        """Bring the selected stages up to date, and commit each.

        Raises:
            DamagedFileError: a file is not what its record says, or unreadable; its stage must be redone.
            OSError, HostLimitError, DeviceFailedError, MemoryError: what is no fault of the image's.
        """
        try:
            self._bring_up_to_date()
        except ImageError as error:
            return self._fail(*self._trying, error, None)
        except PlaceTakenError as taken:
            return self._fail(*self._trying, blocked(taken), None)
        except (DamagedFileError, HostLimitError, DeviceFailedError, OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  (one image's fault never stops the others)
            tail = "".join(traceback.format_exception(error))[-4000:]
            return self._fail(*self._trying, InternalError(f"{type(error).__name__}: {error}"), tail)
        self._forget_failure()
        return self._result(None)

    def _bring_up_to_date(self) -> None:
        if self._unreadable is not None:
            raise self._unreadable
        committed: set[Stage] | None = None  # None: nothing was written yet
        self.source = self._known_source() or self._decoded_source()
        if self.source.sha256 in self.context.tombstones:
            raise ForgottenError
        for stage in self.context.digests.stages:
            if any(up not in self.entries for up in self.context.digests.upstream(stage)):
                self.outcomes[stage] = "pending"
                continue
            self._trying = stage, None
            digest = self._digest(stage, self.source.sha256)
            self._trying = stage, digest
            if self.previous and self._reusable(stage, digest):
                self.entries[stage] = replace(self.previous.stages[stage], reads=self._reads(stage))
                self.outcomes[stage] = "reused"
            elif stage in self.item.stages:
                digest = self._digest_of_what_is_read(stage)
                self._trying = stage, digest
                if committed != set(self.entries):
                    self._commit()  # claims only what stays, before anything is overwritten
                    self._remove_unasked()
                self.entries[stage] = self._made(stage, digest, self.source.sha256)
                self.outcomes[stage] = "computed"
                self._commit()
                committed = set(self.entries)
            else:
                self.outcomes[stage] = "pending"
        if committed is None:
            self._remember_touched()
        elif committed != set(self.entries):
            self._commit()
        if self._committed is not None and "composites" in self.entries:
            keep_thumbnail(self.context, self.artifacts, self._committed)

    # -- what the stages read ------------------------------------------------------------------------------

    def _reusable(self, stage: Stage, digest: str) -> bool:
        """Whether the record has this stage, made of the same, and its files are there."""
        return is_current(self.previous, stage, digest, partial(files_match, self.layout))

    def _known_source(self) -> SourceInfo | None:
        """The record's word for the source, if its size and token still are the same."""
        if self.previous is None or not self.item.source_known:
            return None
        remembered = self.previous.source
        try:
            status = Path(self.item.file).stat()
        except OSError:
            return None  # decoding will say why
        same = remembered.size == status.st_size and same_token(remembered.token, status)
        return self._placed(remembered) if same else None

    def _decoded_source(self) -> SourceInfo:
        return self._placed(self.artifacts.decoded().source)

    def _placed(self, source: SourceInfo) -> SourceInfo:
        return replace(source, place=self.item.place or self.item.file)

    def _digest(self, stage: Stage, source_sha256: str) -> str:
        files = {name: stamp.sha256 for entry in self.entries.values() for name, stamp in entry.files.items()}
        if stage_spec(stage).reads_outside(self.context.recipe):
            failure = known_failure(self.layout, self.item.index)
            files |= self.artifacts.geometry.sha256(stamps_of(self.previous, failure))
        return self.context.digests.of(stage, source_sha256, files)

    def _digest_of_what_is_read(self, stage: Stage) -> str:
        """The digest by the files' bytes, whatever was remembered of them."""
        assert self.source is not None  # noqa: S101  (set before any stage)
        spec = stage_spec(stage)
        if spec.reads_photo:
            self.source = self._decoded_source()
        if spec.reads_outside(self.context.recipe):
            self.artifacts.geometry.read()
        return self._digest(stage, self.source.sha256)

    def _reads(self, stage: Stage) -> dict[str, FileStamp]:
        return self.artifacts.geometry.stamps if stage_spec(stage).reads_outside(self.context.recipe) else {}

    # -- the stages ----------------------------------------------------------------------------------------

    def _made(self, stage: Stage, digest: str, source_sha256: str) -> StageEntry:
        artifacts = self.artifacts
        spec, inputs = stage_spec(stage), TaskInputs(artifacts, self.entries, source_sha256)
        with artifacts.timed(stage):
            output = spec.make(inputs)
            metrics = spec.measure(inputs, output) if spec.measure is not None else output.metrics
        for path in self.layout.leftovers(self.item.index, stage, self.context.recipe.variant_count):
            self.layout.storage.remove(path)
        with artifacts.timed("encode"):
            files = {name: self._written(name, data) for name, data in encoded_files(output.files)}
        arrays = {name: made for name, made in output.files.items() if isinstance(made, np.ndarray)}
        for name, pixels in (arrays | output.pixels).items():
            artifacts.keep(name, pixels)
        return StageEntry(digest=digest, files=files, numbers=metrics, reads=self._reads(stage), code=spec.code_version)

    def _written(self, name: str, data: bytes) -> FileStamp:
        return self.layout.storage.put_stamped(self.layout.artifact(self.item.index, name), data)

    # -- the commit ----------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Write the record of what is current now."""
        assert self.source is not None  # noqa: S101  (set before any stage)
        before = self.previous
        light = self.entries["degraded"].lights[0] if "degraded" in self.entries else {}
        record = Record(
            index=self.item.index,
            image_path=self.item.image_path,
            source=self.source,
            stages=dict(self.entries),
            degradation_type=light.get("degradation_type"),
            light_direction=light.get("light_direction"),
            seed=self.context.recipe.seed,
            recipe=self.context.recipe.differences,
            package_version=__version__,
            # What was not done now keeps the time that it took when it was done.
            timings_ms=(before.timings_ms if before else {})
            | {name: round(spent, 2) for name, spent in self.artifacts.timings.items()},
        )
        # Not flushed to the disk one by one: after a power cut a lost file differs in size from its record.
        write_record(self.layout, record, durable=False)
        self._committed = record

    def _remember_touched(self) -> None:
        """The same bytes with another token: remember that, and keep all that the record says.

        Masks that are of this photo show that a record which has another sha256 of it is wrong there.
        """
        before = self.previous
        if before is None or self.source is None:
            return
        if "masks" not in self.entries and before.source.sha256 != self.source.sha256:
            return
        touched = replace(before, source=self.source, stages=before.stages | self.entries)
        if touched != before:
            write_record(self.layout, touched, durable=False)

    def _forget_failure(self) -> None:
        failure = known_failure(self.layout, self.item.index)
        if failure is None or self.outcomes.get(failure.stage or "masks") in ("computed", "reused"):
            with suppress(PlaceTakenError):  # nothing that stands there counts beside a whole record
                remove_failure(self.layout, self.item.index)  # a damaged one too

    def _fail(self, stage: Stage, digest: str | None, error: ImageError, tail: str | None) -> ImageResult:
        """Record the failure.

        Of a stage that cannot be done, and of what follows it, nothing is left that could be mistaken for
        its output.  A fault that may pass (a disk that did not answer) takes nothing away.
        """
        stages = self.context.digests.stages
        later = stages[stages.index(stage) :]
        if not error.retryable:
            try:
                self._remove(later)
            except PlaceTakenError as taken:
                error, tail = blocked(taken), None
            if not isinstance(error, ForgottenError):
                keep_photo_thumbnail(self.context, self.artifacts, self.item.index)
        self.outcomes.update(dict.fromkeys(later, "rejected" if error.rejected else "failed"))
        stamp = self._tried_source()
        if stage == "masks" and stamp is not None:
            digest = self.context.digests.of("masks", stamp.sha256, {})
        if isinstance(error, ForgottenError) and stamp is not None:
            digest = self.context.tombstones.seal(stamp)
            stamp = None  # its sha256 stands in forgotten.csv alone
        previous = known_failure(self.layout, self.item.index)
        failure = failed(
            self.item.image_path,
            self.item.index,
            error,
            stage,
            previous=previous,
            source=stamp,
            digest=digest,
            traceback=tail,
            reads=self._reads(stage),
        )
        return dataclasses.replace(self._result(failure), failure=put_failure(self.layout, failure, durable=False))

    def _remove(self, stages: tuple[Stage, ...]) -> None:
        remove_thumbnail(self.layout, self.item.index)
        if self.entries:
            self._commit()
        else:
            remove_record(self.layout, self.item.index)
        self._remove_unasked()
        for stage in stages:
            for name in stage_spec(stage).files(self.context.recipe.variant_count):
                self.layout.storage.remove(self.layout.artifact(self.item.index, name))
            for path in self.layout.leftovers(self.item.index, stage, self.context.recipe.variant_count):
                self.layout.storage.remove(path)

    def _remove_unasked(self) -> None:
        """Remove what was made under a recipe that asked for more, once no record claims it."""
        for stage, entry in (self.previous.stages if self.previous is not None else {}).items():
            if stage not in self.context.digests.stages:
                for name in entry.files:
                    self.layout.storage.remove(self.layout.artifact(self.item.index, name))

    def _tried_source(self) -> FileStamp | None:
        """What was tried, so that the same bytes are not tried again; None where they cannot be read."""
        if self.source is not None:
            return self.source.stamp
        try:
            return stamp_source(Path(self.item.file), self.context.image_root)
        except ImageError:
            return None

    def _result(self, failure: Failure | None) -> ImageResult:
        waiting = any(self.outcomes.get(stage) == "pending" for stage in self.item.stages)
        peak = 0
        with best_effort("the peak memory", _LOG.warning):
            peak = peak_mib()
        return ImageResult(
            index=self.item.index,
            outcomes=self.outcomes,
            code=failure.code if failure else UPSTREAM_STALE if waiting else None,
            message=failure.message if failure else None,
            failure=failure,
            timings_ms=self.artifacts.timings,
            peak_mib=peak,
        )
