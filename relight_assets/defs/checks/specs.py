"""The checks there are, as Dagster shows them before any run: names, descriptions, and whether each blocks."""

from typing import NamedTuple

import dagster as dg

from relight_assets.defs.names import OWN, Names

SAMPLE = 50
"""Images whose files are read; the job `verify` reads all."""
MAX_DRIFT = 0.2
"""Standard deviations; what Cohen (1988) calls a small effect."""
UP_TO_DATE = "up_to_date"


class _Check(NamedTuple):
    name: str
    description: str
    blocking: bool = False


_ALL = [
    _Check(
        "row_counts_reconcile",
        "Rows in = done + rejected + failed + pending; the mapping has as many, and an output for each done.",
        blocking=True,
    ),
    _Check(
        "mapping_matches_input",
        "The mapping has the input's rows, in order, and every output that it names is there.",
        blocking=True,
    ),
    _Check(
        "files_match_records",
        f"The files of {SAMPLE} images, evenly spread, have the sha256 of their records.",
        blocking=True,
    ),
    _Check(
        "background_is_exact",
        f"In the composites of {SAMPLE} images, what is beside the person is exactly the background.",
        blocking=True,
    ),
    _Check(
        "quality_thresholds",
        f"What {SAMPLE} images measure is within the bounds of the section `quality` of config/platform.yaml: detail "
        f"kept, strength, exposure, clipping, colour, no rim, foreground over background is the photo.",
    ),
    _Check(
        UP_TO_DATE,
        "A run would have nothing to do: no row is pending, no file is gone or changed. Evaluated by each run, and "
        "between runs by the sensor.",
    ),
    _Check("failure_rate", "The share of rows that failed is at most max_failed_share of config/platform.yaml."),
    _Check(
        "split_leakage",
        "No photo of this split is that of another or nearly so, by sha256 and fingerprint (leakage).",
    ),
    _Check(
        "duplicates",
        "The split has no photo twice or nearly so, by sha256 and fingerprint: what is there twice counts twice.",
    ),
    _Check(
        "metric_drift",
        f"No mean of the records has moved by more than {MAX_DRIFT:g} standard deviations, and more than chance could "
        f"move it, since this partition was materialized before: coverage, mask score, faces, clipping, shading, "
        f"strength, exposure, light families.",
    ),
]
DESCRIPTIONS = {check.name: check.description for check in _ALL}
CHECKS = tuple(DESCRIPTIONS)
"""Their names, in order."""


def specs_of(names: Names = OWN) -> list[dg.AssetCheckSpec]:
    """The checks on the mapping of a project of these names."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=names.mapping,
            description=check.description,
            blocking=check.blocking,
            partitions_def=names.splits,
        )
        for check in _ALL
    ]
