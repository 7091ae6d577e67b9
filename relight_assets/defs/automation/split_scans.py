"""Where splits stand: whether a run would have something to do, and why; scanned within a time limit."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.crash_reports import unexpected
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.engine.publish import mapping_is_current
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import OtherPhotosError, RelightError
from relight_assets.stages.registry import all_stage_names

SCAN_S = 20.0
"""Longest that a tick waits for its scans: a disk that does not answer must keep no run back."""


@dataclass(frozen=True)
class SplitScan:
    """Where a split stands."""

    unchecked_rows: int
    stale: str | None
    """What a run would have to do; None: nothing."""


def scan(csv: SplitCsv, recipe: Recipe, settings: Settings) -> SplitScan:
    """Scan a split; nothing is written and no photo is read.

    Raises:
        RelightError: its folder or its models cannot be used, or its run would be refused.
    """
    state = load_split_state(csv, recipe, settings)
    if (reason := refusal(state)) is not None:
        raise OtherPhotosError(reason)
    return SplitScan(state.unchecked_rows, _why_stale(state, recipe, settings))


def _why_stale(state: SplitState, recipe: Recipe, settings: Settings) -> str | None:
    if state.unchecked_rows:
        return f"{state.unchecked_rows} rows unchecked: their files must be hashed"
    if new := sum(image.index is None for image in state.images.values()):
        return f"{new} images without a number"
    if work := make_plan(state, digests_of(recipe, settings), all_stage_names()).work:
        return f"{len(work)} images of which something is missing or stale"
    # A row that is gone, a label that was edited, another order: then the mapping is to be another one.
    return None if mapping_is_current(state, settings) else "the mapping is not that of the CSV"


def scans_of(
    csvs: Mapping[str, SplitCsv], source: ProjectSource, settings: Settings
) -> dict[str, SplitScan | RelightError]:
    """The scan of each split, or why its run would be refused; without those that take longer than :data:`SCAN_S`."""
    if not csvs:
        return {}
    answers: SimpleQueue[tuple[str, SplitScan | RelightError]] = SimpleQueue()

    def scan_all() -> None:
        for split, csv in csvs.items():
            answers.put((split, _scan_or_error(csv, source, settings)))

    Thread(target=scan_all, daemon=True).start()
    found: dict[str, SplitScan | RelightError] = {}
    latest = time.monotonic() + SCAN_S
    with suppress(Empty):
        while len(found) < len(csvs):
            split, answer = answers.get(timeout=max(0.0, latest - time.monotonic()))
            found[split] = answer
    return found


def _scan_or_error(csv: SplitCsv, source: ProjectSource, settings: Settings) -> SplitScan | RelightError:
    try:
        return scan(csv, source.recipe().recipe, settings)
    except RelightError as error:
        return error
    except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
        return unexpected(error)


def log_scans(
    context: dg.SensorEvaluationContext, changed: Mapping[str, SplitCsv], source: ProjectSource, settings: Settings
) -> dict[str, SplitScan]:
    """Scan the splits whose CSVs changed, and log what a person should know before their runs start.

    Returns:
        The scans; without splits whose run would be refused, and without those that take too long.
    """
    found: dict[str, SplitScan] = {}
    scans = scans_of(changed, source, settings)
    for split, answer in scans.items():
        if isinstance(answer, RelightError):
            context.log.error(f"{split}: {answer}")
            continue
        found[split] = answer
        if answer.unchecked_rows:
            context.log.info(f"{split}: {answer.unchecked_rows} rows unchecked: their files must be hashed")
    for split in changed.keys() - scans.keys():
        context.log.warning(f"{split}: the scan of its files took longer than {SCAN_S:g} s; the run will say more")
    return found
