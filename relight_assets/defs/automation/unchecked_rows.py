"""How many rows of a CSV that changed are unchecked: said before its run starts, and within a time limit."""

import time
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.core.crash_reports import unexpected
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.engine.run import load_split_state
from relight_assets.engine.state.identity import refusal
from relight_assets.errors import OtherPhotosError, RelightError

SCAN_S = 20.0
"""Longest that a tick waits for the scans of what changed: a disk that does not answer must not keep its run back."""


def log_unchecked_rows(
    context: dg.SensorEvaluationContext, changed: Mapping[str, SplitCsv], source: ProjectSource, settings: Settings
) -> dict[str, int]:
    """How many rows of each changed split wait for files to be hashed; without splits whose run would be refused."""
    found: dict[str, int] = {}
    for split, rows in _scanned(changed, source, settings).items():
        if isinstance(rows, RelightError):
            context.log.error(f"{split}: {rows}")
            continue
        found[split] = rows
        if rows:
            context.log.info(f"{split}: {rows} rows unchecked: their files must be hashed")
    for split in changed.keys() - found.keys():
        context.log.warning(f"{split}: the scan of its files took longer than {SCAN_S:g} s; the run will say more")
    return found


def _scanned(
    changed: Mapping[str, SplitCsv], source: ProjectSource, settings: Settings
) -> dict[str, int | RelightError]:
    """The unchecked rows of each split, or why its run would be refused; without those that take too long."""
    if not changed:
        return {}
    answers: SimpleQueue[tuple[str, int | RelightError]] = SimpleQueue()

    def scan_all() -> None:
        for split, csv in changed.items():
            answers.put((split, _unchecked_rows(csv, source, settings)))

    Thread(target=scan_all, daemon=True).start()
    found: dict[str, int | RelightError] = {}
    latest = time.monotonic() + SCAN_S
    with suppress(Empty):
        while len(found) < len(changed):
            split, rows = answers.get(timeout=max(0.0, latest - time.monotonic()))
            found[split] = rows
    return found


def _unchecked_rows(csv: SplitCsv, source: ProjectSource, settings: Settings) -> int | RelightError:
    try:
        state = load_split_state(csv, source.recipe().recipe, settings)
        reason = refusal(state)
    except RelightError as error:
        return error
    except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
        return unexpected(error)
    return state.unchecked_rows if reason is None else OtherPhotosError(reason)
