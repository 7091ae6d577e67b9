"""Every check on a split's mapping CSV, and those that block its publication.

They are made by the asset's own step, of the mapping before it is published, from the same scan that it was made of.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from itertools import chain

import dagster as dg

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import Warn
from relight_assets.defs.checks.checked_split import CheckedSplit, SplitRecords
from relight_assets.defs.checks.drift import check_drift
from relight_assets.defs.checks.duplicates import check_duplicates, check_leakage
from relight_assets.defs.checks.files import check_files
from relight_assets.defs.checks.results import advisory
from relight_assets.defs.checks.rows import check_failure_rate, check_rows, check_up_to_date
from relight_assets.defs.checks.specs import CHECKS, UP_TO_DATE
from relight_assets.engine.publish import StagedMapping
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.statistics import Spread

_ignore_warning: Warn = lambda _: None  # noqa: E731


def blocking_checks(mapping: StagedMapping, loaded: LoadedRecipe, settings: Settings) -> list[dg.AssetCheckResult]:
    """The checks without which a mapping is not published."""
    split = CheckedSplit(mapping.state, loaded, settings, mapping, {}, _ignore_warning, SplitRecords.of)
    return [
        *check_rows(split),
        *(each for each in check_files(split) if each.severity is dg.AssetCheckSeverity.ERROR),
    ]


def check_split(
    mapping: StagedMapping,
    loaded: LoadedRecipe,
    settings: Settings,
    before: Mapping[str, Spread],
    *,
    warn: Warn = _ignore_warning,
    records: Callable[[SplitState], SplitRecords] | None = None,
    names: Collection[str] = (),
) -> list[dg.AssetCheckResult]:
    """Every check of :data:`relight_assets.defs.checks.specs.CHECKS` on a staged mapping.

    A check that only warns, and that cannot be made, has failed; ``warn`` gets what it raised too.

    Args:
        mapping: as staged.
        loaded: the recipe.
        settings: the platform's.
        before: how the split's numbers were at the last materialization.
        warn: gets the sentence of each warning.
        records: reads the records of a split; None: :meth:`SplitRecords.of`.
        names: of the checks that are made; empty: all.
    """
    # Once for all checks, and not before the first of them asks: what it raises is that check's fault.
    split = CheckedSplit(mapping.state, loaded, settings, mapping, before, warn, records or cache(SplitRecords.of))
    wanted = {*names} if names else {*CHECKS}
    made = chain.from_iterable(make(split) for made, make in _MAKERS.items() if wanted & {*made})
    return [each for each in made if each.check_name in wanted]


_MAKERS: dict[tuple[str, ...], Callable[[CheckedSplit], Iterable[dg.AssetCheckResult]]] = {
    ("row_counts_reconcile", "mapping_matches_input"): check_rows,
    ("files_match_records", "background_is_exact", "quality_thresholds"): check_files,
    (UP_TO_DATE,): lambda split: [advisory(UP_TO_DATE, lambda name: check_up_to_date(name, split), split.warn)],
    ("failure_rate",): lambda split: [
        advisory("failure_rate", lambda name: check_failure_rate(name, split), split.warn)
    ],
    ("split_leakage",): lambda split: [advisory("split_leakage", lambda name: check_leakage(name, split), split.warn)],
    ("duplicates",): lambda split: [advisory("duplicates", lambda name: check_duplicates(name, split), split.warn)],
    ("metric_drift",): lambda split: [advisory("metric_drift", lambda name: check_drift(name, split), split.warn)],
}
"""What makes checks, by their names: some are made of one reading."""
