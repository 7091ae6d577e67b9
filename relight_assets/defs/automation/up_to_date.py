"""The check `up_to_date` between runs: files that were deleted or changed, and rows that are pending.

Data versions cannot tell these.  So the sensor plans one split in a tick, as a run would, and reports what it finds.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import read_csv
from relight_assets.defs.automation.split_scans import SplitScan, scans_of
from relight_assets.defs.checks.specs import UP_TO_DATE
from relight_assets.defs.dagster_internals import home_of, report_check
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.runs.unfinished import is_under_way, latest_run
from relight_assets.errors import CsvError

PLAN_EVERY_S = 60.0
"""Between two plans of a split."""
MAX_SHARE = 0.05
"""Of the time, at most, goes into planning: a split of which a plan takes 10 s is planned every 200 s."""


@dataclass(frozen=True)
class _Reported:
    """What was reported last of a split, and which of its runs was the latest then: a run reports by itself."""

    why: str | None
    run_id: str | None


class Planner:
    """Which split is planned next, and what was reported of each; kept as long as the process lives."""

    def __init__(self, names: Names = OWN) -> None:
        self._names = names
        self._due: dict[str, float] = {}
        self._reported: dict[str, _Reported] = {}

    def report(
        self,
        instance: dg.DagsterInstance,
        splits: Mapping[str, Path],
        source: ProjectSource,
        settings: Settings,
        *,
        requested: Collection[str] = (),
    ) -> list[dg.AssetCheckEvaluation]:
        """Plan the split whose turn it is; report what was found if it is another than was reported last.

        Args:
            instance: of the project.
            splits: the CSVs that can be used.
            source: the project.
            settings: its settings.
            requested: splits for which runs are requested now.

        Returns:
            What was reported.
        """
        now = time.monotonic()
        waiting = sorted((self._due.get(split, 0.0), split) for split in splits if split not in requested)
        for due, split in waiting:
            if due <= now and not is_under_way(instance, split, self._names):
                return self._planned(instance, split, splits[split], source, settings)
        return []

    def _planned(
        self, instance: dg.DagsterInstance, split: str, path: Path, source: ProjectSource, settings: Settings
    ) -> list[dg.AssetCheckEvaluation]:
        start = time.monotonic()
        try:
            found = scans_of({split: read_csv(path)}, source, settings).get(split)
        except CsvError:  # the tick tells it
            found = None
        end = time.monotonic()
        self._due[split] = end + max(PLAN_EVERY_S, (end - start) / MAX_SHARE)
        if found is None:
            return []
        why = found.stale if isinstance(found, SplitScan) else str(found)
        reported = _Reported(why, latest_run(instance, split, self._names))
        if self._reported.get(split) == reported:
            return []
        self._reported[split] = reported
        found_now = evaluation(split, why, self._names)
        report_check(instance, found_now)
        return [found_now]


def evaluation(split: str, why: str | None, names: Names = OWN) -> dg.AssetCheckEvaluation:
    """What is reported of a split; ``why``: what a run would have to do."""
    return dg.AssetCheckEvaluation(
        asset_key=names.mapping,
        check_name=UP_TO_DATE,
        passed=why is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{split}: {why or 'a run would have nothing to do'}",
        metadata={"to_do": why or "nothing"},
        partition=split,
    )


def planner_of(instance: dg.DagsterInstance, names: Names = OWN) -> Planner:
    """The planner of a project in an instance."""
    return _planner(home_of(instance), names)


@cache
def _planner(_home: Path, names: Names) -> Planner:
    return Planner(names)
