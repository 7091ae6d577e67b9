"""Whether a stage of an image is current: one evaluator, for the parent that plans and the worker that computes.

A stage is current when its record has the digest that the stage would have now, and its files are those of the record.
"""

from collections.abc import Callable, Mapping

from relight_assets.dataset.record_types import RecordStamps
from relight_assets.engine.state.digests import Digests
from relight_assets.stages.base import Stage

FilesMatch = Callable[[RecordStamps, Stage], bool]
"""Whether the files of a stage are there, as the record says."""


def is_current(record: RecordStamps | None, stage: Stage, digest: str, files_match: FilesMatch) -> bool:
    """Whether a stage, which would have this digest now, need not be redone."""
    entry = record.stages.get(stage) if record is not None else None
    return entry is not None and record is not None and entry.digest == digest and files_match(record, stage)


def current_stages(
    digests: Digests,
    record: RecordStamps | None,
    source_sha256: str,
    files_match: FilesMatch,
    outside: Mapping[str, str] | None = None,
) -> tuple[Stage, ...]:
    """The stages of a record that need not be redone, in order; a stage whose upstream is not current is not either.

    ``outside`` are the sha256 of the user's own files (depth, normals); None: of those that the record remembers.
    """
    if record is None:
        return ()
    good: list[Stage] = []
    files = digests.files_read(record, outside)
    for position, stage in enumerate(digests.stages):
        if stage not in record.stages or (len(good) < position and not digests.has_upstream(stage, good)):
            continue
        if is_current(record, stage, digests.of(stage, source_sha256, files), files_match):
            good.append(stage)
            for name, stamp in record.stages[stage].files.items():
                files[name] = stamp.sha256
    return tuple(good)
