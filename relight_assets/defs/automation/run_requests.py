"""The runs that the sensor requests: one for each content of a CSV, and more attempts where it failed."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import dagster as dg

from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.csv.watch import Changes
from relight_assets.defs.names import OWN, Names

MAX_ATTEMPTS = 3
"""Runs of one content of a CSV, the first included: what failed that often is not tried again by itself."""
RETRY_AFTER_S = 60.0
"""Before the second attempt; twice that before the third."""
RUN_KEY = "dagster/run_key"
ATTEMPT = "relight/attempt"
"""The tag with the number of an attempt, of :data:`MAX_ATTEMPTS`."""


@dataclass(frozen=True)
class LastRequest:
    """The run that was last requested because of a split's CSV.

    ``generation`` makes its key another one than any before it: Dagster never starts a key twice, not even when
    the CSV goes back to what it was, or when the run failed.
    """

    sha256: str
    """Of the CSV."""
    generation: int = 1
    attempts: int = 1

    def key(self, split: str, names: Names = OWN) -> str:
        """The run key; another project's for a like CSV is another, for runs are looked up by it."""
        return f"{names.of(split)}:{self.sha256[:16]}:{self.generation}"

    def unused(self, instance: dg.DagsterInstance, split: str, names: Names = OWN) -> "LastRequest":
        """This, of the first generation that no run has which has ended.

        The cursor may have been reset or set back, and Dagster would pass over a key that it knows.  A run that has not
        ended is this very request: the daemon was killed before it could keep the cursor.
        """
        request = self
        while any(
            run.is_finished for run in instance.get_runs(dg.RunsFilter(tags={RUN_KEY: request.key(split, names)}))
        ):
            request = replace(request, generation=request.generation + 1)
        return request

    def for_dagster(self, split: str, names: Names = OWN) -> dg.RunRequest:
        """The request that a tick returns."""
        return dg.RunRequest(run_key=self.key(split, names), partition_key=split, tags={ATTEMPT: str(self.attempts)})


def requests_of_changed(
    instance: dg.DagsterInstance, changed: Mapping[str, SplitCsv], last: dict[str, LastRequest], names: Names = OWN
) -> Iterator[dg.RunRequest]:
    """The first attempt for each CSV whose content is new; each is entered in ``last``."""
    for split, csv in changed.items():
        before = last.get(split)
        request = LastRequest(csv.sha256, before.generation + 1 if before else 1)
        last[split] = request.unused(instance, split, names)
        yield last[split].for_dagster(split, names)


def requests_of_failed(
    instance: dg.DagsterInstance, changes: Changes, last: dict[str, LastRequest], names: Names = OWN
) -> Iterator[dg.RunRequest]:
    """The next attempt for each run that failed, once its time has come; each is entered in ``last``."""
    for split, request in last.items():
        if request.attempts >= MAX_ATTEMPTS or not changes.usable(split):
            continue
        records = instance.get_run_records(dg.RunsFilter(tags={RUN_KEY: request.key(split, names)}), limit=1)
        if not records or records[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
            continue  # on its way, done, or ended by a person, who may have a reason
        if time.time() - (records[0].end_time or 0) < RETRY_AFTER_S * request.attempts:
            continue
        again = LastRequest(request.sha256, request.generation + 1, request.attempts + 1)
        last[split] = again.unused(instance, split, names)
        yield last[split].for_dagster(split, names)
