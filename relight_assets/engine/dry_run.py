"""What a run would do, and why: planned as a run plans, with nothing written and no photo read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.steps import Steps, no_steps, watched
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import known_record
from relight_assets.engine.execution.messages import UPSTREAM_STALE
from relight_assets.engine.publish import mapping_is_current
from relight_assets.engine.run import RunOptions
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.identity import orphans_of, refusal
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.engine.state.reasons import Reasons
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import OtherPhotosError
from relight_assets.stages.base import Stage

RENAMED = "may be a photo that stood under another name: it is hashed, and then kept"


@dataclass(frozen=True)
class DryRun:
    """What a run of a split would compute."""

    split: str
    rows: int
    images: int
    """Of which anything would be computed, at most: a stage that gives the same bytes stops there."""
    reasons: dict[Stage, Counter[str]] = field(default_factory=dict)
    """How many images of each stage would be computed for which reason; of the stages asked for."""
    waiting: int = 0
    """Images whose selected stages wait for others, which are not selected."""
    mapping_is_current: bool = True
    """Whether the CSVs that go out are those of rows and images as they are."""


def dry_run(
    split: SplitCsv, recipe: Recipe, settings: Settings, options: RunOptions, steps: Steps = no_steps
) -> DryRun:
    """Plan a run of one split; ``steps`` begins what is counted, rows and images.

    Raises:
        OtherPhotosError: the run would refuse the CSV.
        OutputFolderError: the split's folder cannot be read.
        ModelFileError: weights that the recipe needs are not there.
    """
    digests = digests_of(recipe, settings)
    scan = partial(load_split_state, split, recipe, settings, storage=options.storage)
    state = scan(options.experiment, watch=steps("rows scanned"))
    if not options.replace_photos and (reason := refusal(state)) is not None:
        raise OtherPhotosError(reason)
    records = {key: (state.layout, image.index) for key, image in state.images.items() if image.index is not None}
    if options.experiment is not None:
        records |= _lend(scan(watch=steps("rows scanned")), state)
    _number(state)
    plan = make_plan(state, digests, options.stages, num_samples=options.num_samples, retry_failed=options.retry_failed)
    explain = Reasons(recipe, digests)
    sizes = {orphan.stamp.size for orphan in orphans_of(state)}
    found = {stage: Counter[str]() for stage in digests.stages if stage in options.stages}
    for item in watched(plan.work, len(plan.work), steps("images explained")):
        image = state.images[item.image_path]
        stages = list(_computed(image, item.stages, digests))
        if image.photo == "new" and image.source is not None and image.source.size in sizes:
            reasons = dict.fromkeys(stages, RENAMED)
        else:
            place = records.get(image.key) if image.recorded else None
            reasons = explain.of(image, known_record(*place) if place is not None else None, stages)
        for stage, why in reasons.items():
            found[stage][why] += 1
    return DryRun(
        split.split,
        len(state.keys),
        len(plan.work),
        found,
        plan.settled.codes[UPSTREAM_STALE],
        options.experiment is not None or mapping_is_current(state, settings),
    )


def _computed(image: ImageState, stages: Sequence[Stage], digests: Digests) -> Iterator[Stage]:
    """The stages, of those that are asked for, that would be computed."""
    there = {*image.current}
    for stage in stages:
        if stage not in image.current and digests.has_upstream(stage, there):
            there.add(stage)
            yield stage


def _lend(base: SplitState, experiment: SplitState) -> dict[str, tuple[SplitLayout, int]]:
    """Have an experiment hold what a run would link from the split's own folder; the records that lie there."""
    lent: dict[str, tuple[SplitLayout, int]] = {}
    for key, there in experiment.images.items():
        own = base.images[key]
        if own.index is not None and there.source is not None and set(own.current) > set(there.current):
            experiment.images[key] = replace(own, index=there.index)
            lent[key] = (base.layout, own.index)
    return lent


def _number(state: SplitState) -> None:
    """Give images without a number one that nobody has, as a plan asks for; only in this state."""
    free = max((image.index for image in state.images.values() if image.index is not None), default=-1) + 1
    for key, image in state.images.items():
        if image.index is None:
            failure = replace(image.failure, index=free) if image.failure is not None else None
            state.images[key] = replace(image, index=free, failure=failure)
            free += 1
