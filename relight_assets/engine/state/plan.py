"""The plan: which images need which stages.  Decides, and writes nothing.

A selected stage whose upstream is missing or not current, and is not selected itself, leaves the image
pending (``upstream_stale``): nothing is computed behind the user's back.
"""

from collections.abc import Collection
from dataclasses import dataclass

from relight_assets.dataset.record_types import Failure
from relight_assets.engine.execution.messages import UPSTREAM_STALE, StageStatus, WorkItem
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.scan import SplitState
from relight_assets.engine.tally import Tally
from relight_assets.stages.base import Stage


@dataclass(frozen=True)
class Plan:
    """What is to be done, and for how many images that is nothing."""

    work: list[WorkItem]
    settled: Tally
    """Counts of the images on which nothing is to be done."""
    refusals: list[Failure]
    """Images whose path may not be opened or leads nowhere; still to be written down."""
    recovered: list[int]
    """Images with nothing to do whose failure file no longer holds; it is to be removed."""


def make_plan(
    state: SplitState,
    digests: Digests,
    selected: Collection[Stage],
    *,
    num_samples: int | None = None,
    retry_failed: bool = False,
) -> Plan:
    """Decide for every image of the first ``num_samples`` rows (all rows: None)."""
    plan = Plan([], Tally(), [], [])
    stages = tuple(stage for stage in digests.stages if stage in selected)
    finished = 0
    for key in dict.fromkeys(key for key in state.keys[:num_samples] if key is not None):
        image = state.images[key]
        if image.is_finished:
            finished += 1
        else:
            _decide(image, stages, digests, plan, retry_failed=retry_failed)
    plan.settled.add(dict.fromkeys(digests.stages, "reused"), images=finished)
    return plan


def _decide(image: ImageState, stages: tuple[Stage, ...], digests: Digests, plan: Plan, *, retry_failed: bool) -> None:
    assert image.index is not None  # noqa: S101  (the index is extended before planning)
    failure = image.failure
    if image.source is None:
        assert failure is not None  # noqa: S101  (why there is no file)
        plan.refusals.append(failure)
        _settle(image, stages, digests, plan)
        return
    if failure is not None and not failure.retryable and not retry_failed:
        blocked = _downstream(failure.stage or "masks", digests)
        stages = tuple(stage for stage in stages if stage not in blocked)
    missing = [stage for stage in stages if stage not in image.current]
    if image.source_known and not _computable(missing, image.current, digests):
        _settle(image, stages, digests, plan)
        if image.outlived:
            plan.recovered.append(image.index)
        return
    known = image.source_known and image.photo in ("same", "moved")
    plan.work.append(
        WorkItem(
            image.index,
            image.key,
            image.source.path,
            stages,
            image.source.place,
            source_known=known,
            geometry_file=image.geometry_file,
        )
    )


def _computable(missing: list[Stage], current: tuple[Stage, ...], digests: Digests) -> bool:
    """Whether the first missing stage, and so any of them, has what it reads."""
    return any(all(up in current for up in digests.upstream(stage)) for stage in missing)


def _downstream(stage: Stage, digests: Digests) -> set[Stage]:
    below = {stage}
    for later in digests.stages:
        if any(up in below for up in digests.upstream(later)):
            below.add(later)
    return below


def _settle(image: ImageState, stages: tuple[Stage, ...], digests: Digests, plan: Plan) -> None:
    """Count an image on which nothing is to be done."""
    failure = image.failure
    failed = _downstream(failure.stage or "masks", digests) if failure is not None else set()
    outcomes: dict[Stage, StageStatus] = {}
    for stage in digests.stages:
        if stage in image.current:
            outcomes[stage] = "reused"
        elif failure is not None and stage in failed:
            outcomes[stage] = "rejected" if failure.rejected else "failed"
        else:
            outcomes[stage] = "pending"
    pending = any(outcomes[stage] == "pending" for stage in stages)
    plan.settled.add(outcomes, failure.code if failure else UPSTREAM_STALE if pending else None)
