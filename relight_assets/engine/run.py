"""One run of one split: lock, index, survey, plan, dispatch, sums."""

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.files import clean_temp_files, stamp_source, write_atomic
from relight_assets.dataset.layout import SplitLayout, refuse_foreign_folder, split_folder
from relight_assets.dataset.records import files_match, read_failure, read_record, remove_failure, write_failure
from relight_assets.dataset.split_csv import SplitCsv
from relight_assets.engine.devices import threads_per_worker, worker_slots
from relight_assets.engine.digests import Digests
from relight_assets.engine.dispatch import Quarantined
from relight_assets.engine.dispatch import run as dispatch
from relight_assets.engine.local import LocalEngine
from relight_assets.engine.plan import Plan, make_plan
from relight_assets.engine.progress import Progress, ProgressWriter
from relight_assets.engine.survey import Survey, failed, row_keys, survey
from relight_assets.engine.tally import Tally
from relight_assets.engine.work import ImageResult, Outcome
from relight_assets.engine.worker import PortraitWorker
from relight_assets.errors import ImageError, OutputFolderError, RecordUnreadableError, WorkerKilledError
from relight_assets.models import store
from relight_assets.recipe import STAGES, Recipe, Stage
from relight_assets.settings import Settings

CONTACT_SHEET = "contact_sheet.jpg"
"""The split's preview, beside its pictures."""

Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class RunOptions:
    """What one run is asked to do beyond the recipe and the settings."""

    stages: Collection[Stage] = STAGES
    num_samples: int | None = None
    retry_failed: bool = False
    overwrite: bool = False
    experiment: str | None = None


@dataclass(frozen=True)
class RunSummary:
    """What a run did, and where the split stands after it."""

    tally: Tally
    survey: Survey
    wall_s: float
    workers: int

    @property
    def images_per_s(self) -> float:
        """Images computed now, over the wall time of the run; 0 when nothing was computed."""
        return self.tally.computed_images / self.wall_s if self.wall_s > 0 else 0.0


def digests_of(recipe: Recipe) -> Digests:
    """The digests under a recipe and the models that belong to this version."""
    return Digests(recipe, store.sha256_of)


def look(split: SplitCsv, recipe: Recipe, settings: Settings, experiment: str | None = None) -> Survey:
    """Where a split stands, without touching anything.

    Raises:
        OutputFolderError: the folder cannot be read.
    """
    layout = SplitLayout(split_folder(settings.output_root, split.split, experiment))
    try:
        index = lasting_index.load(layout)
    except OSError as error:
        raise OutputFolderError(f"{layout.folder} cannot be read: {error}") from error
    return survey(split, layout, digests_of(recipe), index, settings.image_root)


def run_split(
    split: SplitCsv, recipe: Recipe, settings: Settings, options: RunOptions, watch: Watch = lambda _: None
) -> RunSummary:
    """Bring the selected stages of a split up to date.

    ``watch`` is called about once a second.  Rows' failures are recorded and never raise.

    Raises:
        UserError: the output folder, a model file or the devices asked for cannot be used.
        WorkersFailedError: no worker is left to go on; what was finished stays done.
    """
    start = time.monotonic()
    layout = SplitLayout(split_folder(settings.output_root, split.split, options.experiment))
    with _locked(layout):
        refuse_foreign_folder(layout, options.overwrite)
        clean_temp_files(layout.folder)
        write_atomic(layout.recipe, yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False).encode())
        digests = digests_of(recipe)
        keys = [key for key in row_keys(split, settings.image_root) if key is not None]
        index = lasting_index.extend(layout, keys)
        plan = make_plan(
            survey(split, layout, digests, index, settings.image_root),
            digests,
            options.stages,
            num_samples=options.num_samples,
            retry_failed=options.retry_failed,
        )
        tally = Tally()
        tally.add_all(plan.settled)
        _write_refusals(layout, plan)
        workers = _work(plan, layout, recipe=recipe, settings=settings, name=split.split, tally=tally, watch=watch)
        after = survey(split, layout, digests, index, settings.image_root)
    return RunSummary(tally, after, time.monotonic() - start, workers)


def _work(
    plan: Plan, layout: SplitLayout, *, recipe: Recipe, settings: Settings, name: str, tally: Tally, watch: Watch
) -> int:
    digests = digests_of(recipe)
    progress = ProgressWriter(layout.progress, name, len(plan.work))
    slots = worker_slots(settings)[: max(1, len(plan.work))]
    if plan.work:
        for model in store.MODELS:
            store.path_of(model.name, settings.model_dir)  # one clear error now, not one from every worker
    engine = LocalEngine(
        slots,
        PortraitWorker,
        {
            "folder": layout.folder,
            "recipe": recipe,
            "max_pixels": settings.max_pixels,
            "threads": threads_per_worker(settings, len(slots)),
            "model_dir": settings.model_dir,
        },
    )
    results = dispatch(plan.work, engine, batch=settings.batch, start_s=settings.start_s, hang_s=settings.hang_s)
    try:
        for result in results:
            settled = _quarantine(layout, digests, result) if isinstance(result, Quarantined) else result
            tally.add(settled)
            if progress.count(failed=settled.failed):
                watch(progress.now())
    finally:
        results.close()
        with suppress(OSError):  # what went wrong before is what is to be told
            clean_temp_files(layout.folder)
            progress.write(finished=True)
        watch(progress.now(finished=True))
    return len(slots)


def _write_refusals(layout: SplitLayout, plan: Plan) -> None:
    """Write down the paths that may not be opened or lead nowhere.

    What was made of them stays: a disk that is not mounted must not cost a data set.
    """
    for failure in plan.refusals:
        if failure.code == RecordUnreadableError.code:
            continue  # its place is taken by what cannot be read
        if read_failure(layout.failure(failure.index)) != failure:
            write_failure(layout, failure, durable=False)
    for number in plan.recovered:
        remove_failure(layout, number)


def _quarantine(layout: SplitLayout, digests: Digests, killed: Quarantined) -> ImageResult:
    """Record an image that killed its worker, at the stage that was to be made."""
    item = killed.item
    error = WorkerKilledError(f"{item.file}: its worker died twice while it was processed alone: {killed.reason}")
    record = read_record(layout.record(item.index))
    try:
        source = stamp_source(Path(item.file))
    except ImageError:
        source = None
    current: tuple[Stage, ...] = ()
    if record is not None and source is not None:
        current = digests.current(record, source.sha256, partial(files_match, layout))
    stage = next((each for each in item.stages if each not in current), item.stages[0])
    failure = failed(
        item.image_path,
        item.index,
        error,
        stage,
        previous=read_failure(layout.failure(item.index)),
        source=source,
        digest=digests.tried(stage, source.sha256, record, current) if source else None,
    )
    write_failure(layout, failure)
    outcomes: dict[Stage, Outcome] = {each: "reused" if each in current else "failed" for each in STAGES}
    return ImageResult(item.index, outcomes, code=error.code, message=str(error))


@contextmanager
def _locked(layout: SplitLayout) -> Iterator[None]:
    """Hold the folder's kernel lock, which dies with its holder; who holds it stands beside it, for people."""
    folder = layout.folder
    holder = layout.lock.with_suffix(".json")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(layout.lock, timeout=0)
        lock.acquire()
    except Timeout:
        try:
            who = holder.read_text(encoding="utf-8")
        except OSError:
            who = "another process"
        raise OutputFolderError(f"{folder} is being written by {who.strip()}; wait for it, or stop it") from None
    except OSError as error:
        raise OutputFolderError(f"{folder} cannot be written: {error}") from error
    try:
        since = datetime.now(timezone.utc).isoformat(timespec="seconds")
        write_atomic(holder, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode())
        yield
    except OSError as error:
        raise OutputFolderError(
            f"{folder}: the run stopped: {error}. What is finished stays done; mend it and run again"
        ) from error
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()
