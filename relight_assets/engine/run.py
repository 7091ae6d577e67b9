"""One run of one split: lock, whose photos these are, index, scan, plan, dispatch, sums."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import yaml

from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.atomic_io import PlaceTakenError
from relight_assets.core.best_effort import best_effort
from relight_assets.core.regular_files import AnyRoot
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.derived.thumbnails import clean_thumbnails
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout, refuse_foreign_folder, split_folder
from relight_assets.dataset.records import known_failure, remove_failure, write_failure
from relight_assets.dataset.tombstones import Tombstones, read_tombstones
from relight_assets.engine.disk_space import space_warning
from relight_assets.engine.execution.base import MakeWorker
from relight_assets.engine.execution.dispatch import DispatchEvent, Notice, Quarantined, hand_out_size
from relight_assets.engine.execution.dispatch import run as dispatch
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.execution.registry import make_engine
from relight_assets.engine.preparation import Preparation
from relight_assets.engine.progress import Progress, ProgressWriter
from relight_assets.engine.quarantine import quarantine
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.load import digests_of
from relight_assets.engine.state.plan import Plan, make_plan
from relight_assets.engine.state.record_cache import keep_records
from relight_assets.engine.state.scan import SplitState, of_this_run
from relight_assets.engine.tally import DeviceTally, Tally
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import OutputFolderError
from relight_assets.models.files import ModelFiles
from relight_assets.stages.base import Stage
from relight_assets.stages.degraded.families.registry import extra_modules as family_modules
from relight_assets.stages.registry import all_stage_names, extra_modules
from relight_assets.storage.base import Storage
from relight_assets.storage.files import host_limit
from relight_assets.storage.local import LOCAL

CONTACT_SHEET = "contact_sheet.jpg"
"""The split's preview, beside its images."""
COMPARISON = "comparison.jpg"
"""An experiment's images beside the split's own, in the experiment's folder."""

Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class RunOptions:
    """What one run is asked to do beyond the recipe and the settings."""

    stages: Collection[Stage] = field(default_factory=all_stage_names)
    """May be computed, as far as the recipe asks for them."""
    num_samples: int | None = None
    retry_failed: bool = False
    overwrite: bool = False
    replace_photos: bool = False
    """Where the CSV names other photos than the folder's images were made of: redo those, instead of refusing."""
    experiment: str | None = None
    quality: Quality = DEFAULT_QUALITY
    """Thresholds of the run's own, kept beside the recipe for ``verify``; no pixel depends on them."""
    storage: Storage = LOCAL
    """Where the split's files lie."""
    wait_s: float = 0.0
    """Seconds to wait for who has the split's folder."""


@dataclass(frozen=True)
class RunSummary:
    """What a run did, and where the split stands after it."""

    tally: Tally
    state: SplitState
    """As it was scanned when the run began, and updated by every result."""
    num_samples: int | None
    """The run was asked for so many rows; None: for all."""
    wall_s: float
    devices: dict[str, DeviceTally]
    """What each worker's place did, by its name, and which were lost; empty where there was nothing to do."""
    threads: int
    """Stage threads of each worker."""
    warnings: tuple[str, ...] = ()
    """What went wrong in reporting the progress; it cost no image, and was not reported."""

    @property
    def workers(self) -> int:
        """How many places for workers there were, but for those that were lost."""
        return sum(not device.lost for device in self.devices.values())

    @property
    def images_per_s(self) -> float:
        """Images computed now, over the wall time of the run; 0 when nothing was computed."""
        return self.tally.computed_images / self.wall_s if self.wall_s > 0 else 0.0


def run_split(
    split: SplitCsv,
    recipe: Recipe,
    settings: Settings,
    options: RunOptions,
    watch: Watch = lambda _: None,
    *,
    worker: MakeWorker = ImageWorker,
) -> RunSummary:
    """Bring the selected stages of a split up to date.

    ``watch`` is called about once a second; what it raises is no more than a warning.  Rows' failures are recorded
    and never raise.  ``worker`` is what is made in each process; both it and its module must be importable there.

    Raises:
        OtherPhotosError: the CSV names other photos than those that the folder's images were made of.
        UserError: the output folder, a model file or the devices asked for cannot be used.
        WorkersFailedError: no worker is left to go on; what was finished stays done.
    """
    start = time.monotonic()
    layout = SplitLayout(split_folder(settings.output_root, split.split, options.experiment), options.storage)
    warnings: dict[str, None] = {}
    watch = partial(_watched, watch, warnings)
    with locked_folder(layout, wait_s=options.wait_s), _stopping_whole(layout):
        refuse_foreign_folder(layout, options.overwrite)
        tombstones = read_tombstones(settings.output_root, layout.storage)
        layout.storage.clean(layout.folder)
        clean_thumbnails(layout)
        digests = digests_of(recipe, settings)
        preparation = Preparation(
            split,
            settings,
            layout,
            digests,
            tombstones,
            watch,
            experiment=options.experiment,
            num_samples=options.num_samples,
            replace_photos=options.replace_photos,
            notes=[*split.notes],
        )
        state = preparation.prepared()
        # Now that nothing refuses the start: what lies there is of this recipe, or about to be.
        layout.storage.put(layout.recipe, _resolved(recipe, options.quality))
        state = of_this_run(state, recipe)
        plan = make_plan(
            state, digests, options.stages, num_samples=options.num_samples, retry_failed=options.retry_failed
        )
        tally = plan.settled
        _write_refusals(layout, plan)
        devices, threads = _work(
            plan,
            state,
            recipe=recipe,
            settings=settings,
            tombstones=tombstones,
            tally=tally,
            watch=watch,
            worker=worker,
            notes=preparation.notes,
            warnings=warnings,
        )
        keep_records(layout, digests, tombstones, (state.images[item.image_path] for item in plan.work))
    return RunSummary(tally, state, options.num_samples, time.monotonic() - start, devices, threads, tuple(warnings))


def _watched(watch: Watch, warnings: dict[str, None], progress: Progress) -> None:
    with best_effort("the report of the progress", warnings.setdefault):
        watch(progress)


def _resolved(recipe: Recipe, quality: Quality) -> bytes:
    given = quality.model_dump(mode="json", exclude_unset=True)
    resolved = recipe.model_dump(mode="json") | ({"quality": given} if given else {})
    return yaml.safe_dump(resolved, sort_keys=False).encode()


def _work(
    plan: Plan,
    state: SplitState,
    *,
    recipe: Recipe,
    settings: Settings,
    tombstones: Tombstones,
    tally: Tally,
    watch: Watch,
    worker: MakeWorker,
    notes: Sequence[str],
    warnings: dict[str, None],
) -> tuple[dict[str, DeviceTally], int]:
    """Do what is planned; what each device did, and how many stage threads each worker had."""
    layout, count = state.layout, len(plan.work)
    # Too many GPUs asked for are a mistake even where nothing is to be done.
    engine = make_engine(settings, recipe)
    if not count:
        progress = ProgressWriter(layout.progress, state.split.split, 0, storage=layout.storage)
        _notify(notes, progress, watch)
        watch(progress.finish())
        warnings.update(dict.fromkeys(progress.warnings))
        return {}, 0
    engine.check()  # one clear error now, not one from every worker
    worker_settings = {
        "folder": layout.folder,
        "recipe": recipe,
        "max_pixels": settings.max_pixels,
        "models": ModelFiles.of(settings),
        "family_modules": family_modules(),
        "stage_modules": extra_modules(),
        "image_root": settings.photo_root,
        "storage": layout.storage,
        "batch": settings.batch,
        "tombstones": tombstones,
    }
    with engine.open(worker, worker_settings, count) as pool:
        progress = ProgressWriter(
            layout.progress, state.split.split, count, pool.slots, pool.usage, storage=layout.storage
        )
        warning: str | None = None
        with best_effort("the estimate of the space on the disk", progress.warn):
            warning = space_warning(layout.folder, state, plan.work, recipe.image_size, settings.photo_root)
        _notify([*notes, *engine.notes, *([warning] if warning else [])], progress, watch)
        accounts = _Accounts(
            state,
            {item.index: item.image_path for item in plan.work},
            digests_of(recipe, settings),
            tally,
            [DeviceTally() for _ in pool.slots],
            progress,
            settings.photo_root,
        )
        size = hand_out_size(settings.batch, pool, count)
        share = -(-count // len(pool.slots))
        results = dispatch(plan.work, pool, batch=size, share=share, start_s=pool.start_s, hang_s=settings.hang_s)
        try:
            for outcome in results:
                if accounts.add(outcome):
                    watch(accounts.now())
        finally:
            results.close()
            with suppress(OSError):
                layout.storage.clean(layout.folder)
            watch(progress.finish())
    warnings.update(dict.fromkeys(progress.warnings))
    did = dict(zip(pool.slots, accounts.devices, strict=True))
    return did | {name: DeviceTally(lost=True) for name in engine.lost}, pool.threads


def _notify(notes: Sequence[str], progress: ProgressWriter, watch: Watch) -> None:
    for note in notes:
        progress.note(note)
    if notes:
        watch(progress.now())


@dataclass(frozen=True)
class _Accounts:
    """Where everything that a run brings is counted."""

    state: SplitState
    keys: dict[int, str]
    """Of the images that are worked on, by their numbers."""
    digests: Digests
    tally: Tally
    devices: list[DeviceTally]
    progress: ProgressWriter
    image_root: AnyRoot

    def add(self, outcome: DispatchEvent) -> bool:
        """Count one outcome; true when it is time to tell whoever watches."""
        if isinstance(outcome, Notice):
            self.devices[outcome.slot].replaced += outcome.replaced
            self.devices[outcome.slot].lost |= outcome.given_up
            self.progress.note(outcome.text)
            return True
        if isinstance(outcome, Quarantined):
            assert isinstance(outcome.item, WorkItem)  # noqa: S101  (what was handed out)
            result, slot = quarantine(self.state.layout, self.digests, outcome, self.image_root), None
        else:
            assert isinstance(outcome.result, ImageResult)  # noqa: S101  (what these workers give)
            result, slot = outcome.result, outcome.slot
            self.devices[outcome.slot].add(result)
        self.tally.add(result.outcomes, result.code)
        self.state.update(self.keys[result.index], result)
        return self.progress.count(failed=result.failed, slot=slot)

    def now(self) -> Progress:
        """How far the run is, and the devices' memory written down."""
        now = self.progress.now()
        for device, usage in zip(self.devices, now.devices, strict=True):
            device.gpu_peak_mib = max(device.gpu_peak_mib, usage.gpu_memory_mib or 0)
        return now


def _write_refusals(layout: SplitLayout, plan: Plan) -> None:
    """Write down the paths that may not be opened or lead nowhere, and the records that cannot be read.

    What was made of them stays: a disk that is not mounted must not cost a data set.
    """
    for failure in plan.refusals:
        if known_failure(layout, failure.index) != failure:
            with suppress(PlaceTakenError):  # then a scan tells of the row that its failure cannot be read
                write_failure(layout, failure, durable=False)
    for number in plan.recovered:
        with suppress(PlaceTakenError):
            remove_failure(layout, number)


@contextmanager
def _stopping_whole(layout: SplitLayout) -> Iterator[None]:
    """What the system refuses, as one error of ours."""
    try:
        yield
    except OSError as error:
        raise host_limit(error) or OutputFolderError(
            f"{layout.folder}: the run stopped: {error}. What is finished stays done; mend it and run again"
        ) from error
