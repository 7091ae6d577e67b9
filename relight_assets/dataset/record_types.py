"""What a record and a failure hold, as msgspec structs.

msgspec reads and checks them at once, because 12,000 are read for a plan; ``gc=False`` says to the garbage collector
that they hold no cycles.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from relight_assets.dataset import metrics
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_spec
from relight_assets.storage.files import Count, FileStamp, Sha256Length, SourceInfo


class StageStamps(msgspec.Struct, frozen=True, gc=False):
    """What one committed stage says of files: its digest, and the stamps of the files it wrote (by name).

    ``reads`` are the user's own files that it read (depth, normals), by role; the source is not among them.
    ``code`` is the version of the stage's code.
    """

    digest: Sha256Length
    files: dict[str, FileStamp]
    reads: dict[str, FileStamp] = msgspec.field(default_factory=dict)
    code: str = ""

    def names(self, stage: Stage) -> tuple[str, ...]:
        """The files that it must have, being the entry of ``stage``."""
        spec = stage_spec(stage)
        return spec.files(max(1, len(self.files) // len(spec.artifacts)))


class StageEntry(StageStamps, frozen=True, gc=False):
    """One committed stage: its digest, the files it wrote and every number it drew or found."""

    numbers: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def lights(self) -> list[dict[str, Any]]:
        """The numbers of each variant of the light; where there is one, those of the stage."""
        return metrics.lights_of(self.numbers)


class RecordStamps(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a record says of files, without its metrics: all that decides whether a stage is current.

    Decoding it takes half the time and a quarter of the memory of a :class:`Record`.
    """

    index: Count
    image_path: Annotated[str, msgspec.Meta(min_length=1)]
    source: SourceInfo
    stages: Mapping[Stage, StageStamps] = msgspec.field(default_factory=dict)


class PhotoNumbers(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Of the metrics of a stage the one by which a photo is found again."""

    fingerprint: Any = None


class PhotoEntry(StageStamps, frozen=True, gc=False, omit_defaults=True):
    """A :class:`StageEntry` with that metric alone."""

    numbers: PhotoNumbers | None = None


class PhotoRecord(RecordStamps, frozen=True, gc=False, kw_only=True):
    """What a record says of its photo, to be compared with others; decoded in a fraction of the time."""

    stages: Mapping[Stage, PhotoEntry] = msgspec.field(default_factory=dict)


class Record(RecordStamps, frozen=True, gc=False, kw_only=True):
    """What is committed for one image.

    ``image_path`` is the image's name in the index (``paths.index_key``), from which the index can be
    rebuilt.  ``light_direction`` is a unit vector: x right, y down, z to the camera; with ``degradation_type``
    it is that of the first variant.  ``recipe`` is what decides the pixels and differs from this version's defaults.
    """

    stages: dict[Stage, StageEntry] = msgspec.field(default_factory=dict)
    degradation_type: str | None = None
    light_direction: list[float] | None = None
    seed: int | None
    recipe: dict[str, Any] | None = None
    package_version: str
    timings_ms: dict[str, float] = msgspec.field(default_factory=dict)


class WrittenEntry(StageStamps, frozen=True, gc=False):
    """A :class:`StageEntry` as a file has it: what must fit, and metrics that may be anything."""

    numbers: Any = None


class WrittenRecord(RecordStamps, frozen=True, gc=False, kw_only=True):
    """A :class:`Record` as a file has it, with metrics that are not yet checked."""

    stages: dict[Stage, WrittenEntry] = msgspec.field(default_factory=dict)
    degradation_type: Any = None
    light_direction: Any = None
    seed: Any = None
    recipe: Any = None
    package_version: Any = None
    timings_ms: Any = None

    def fitted(self) -> Record:
        """The record with its metrics as far as they fit; the others are null, or not there."""
        return Record(
            index=self.index,
            image_path=self.image_path,
            source=self.source,
            stages={
                stage: StageEntry(
                    entry.digest,
                    entry.files,
                    entry.reads,
                    entry.code,
                    metrics.fitted(stage, metrics.renamed(stage, entry.numbers)),
                )
                for stage, entry in self.stages.items()
            },
            degradation_type=metrics.fitted_family(self.degradation_type),
            light_direction=metrics.fitted_direction(self.light_direction),
            seed=self.seed if type(self.seed) is int else None,
            recipe=self.recipe if isinstance(self.recipe, dict) else None,
            package_version=self.package_version if isinstance(self.package_version, str) else "unknown",
            timings_ms=metrics.fitted_timings(self.timings_ms),
        )


class Failure(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Why an image could not be done.

    ``source`` and ``reads`` (stamps of the files as they were tried) and ``digest`` (of the stage that was tried) let a
    later run see whether anything changed since, without which a lasting fault is not tried again.
    """

    index: int
    image_path: str
    code: str
    stage: Stage | None
    message: str
    attempts: int
    rejected: bool
    retryable: bool
    source: FileStamp | None = None
    digest: str | None = None
    traceback: str | None = None
    skin_lightness: float | None = None
    """Median CIE L* of the face of a photo that was rejected."""
    package_version: str
    reads: dict[str, FileStamp] = msgspec.field(default_factory=dict)
