"""An image that crashes its worker twice alone is quarantined, so that the others can be done."""

from functools import partial
from pathlib import Path

from relight_assets.core.regular_files import AnyRoot
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import files_match, known_failure, known_record
from relight_assets.engine.execution.dispatch import Quarantined
from relight_assets.engine.execution.messages import ImageResult, StageStatus, WorkItem
from relight_assets.engine.state.current import current_stages
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.geometry_stamps import stamp_now
from relight_assets.engine.state.image_state import failed, put_failure
from relight_assets.errors import ImageError, WorkerKilledError
from relight_assets.stages.base import Stage
from relight_assets.storage.files import stamp_source


def quarantine(layout: SplitLayout, digests: Digests, killed: Quarantined, image_root: AnyRoot = None) -> ImageResult:
    """Record an image that killed its worker, at the stage that was to be made."""
    item = killed.item
    assert isinstance(item, WorkItem)  # noqa: S101  (others kill nobody's images)
    error = WorkerKilledError(f"{item.file}: its worker died twice while it was processed alone: {killed.reason}")
    record = known_record(layout, item.index)
    try:
        source = stamp_source(Path(item.file), image_root)
    except ImageError:
        source = None
    reads = stamp_now(digests.geometry, Path(item.file), image_root, item.geometry_file)
    outside = {name: stamp.sha256 for name, stamp in reads.items()}
    current: tuple[Stage, ...] = ()
    if record is not None and source is not None:
        current = current_stages(digests, record, source.sha256, partial(files_match, layout), outside)
    stage = next((each for each in item.stages if each not in current), item.stages[0])
    failure = failed(
        item.image_path,
        item.index,
        error,
        stage,
        previous=known_failure(layout, item.index),
        source=source,
        digest=digests.tried(stage, source.sha256, record, current, outside) if source else None,
        reads=reads,
    )
    failure = put_failure(layout, failure)
    outcomes: dict[Stage, StageStatus] = {each: "reused" if each in current else "failed" for each in digests.stages}
    return ImageResult(item.index, outcomes, code=error.code, message=str(error), failure=failure)
