"""The checks there are, as Dagster shows them before any run: names, descriptions, and whether each blocks."""

import dagster as dg

from relight_assets.defs.assets.splits import splits

SAMPLE = 50
"""Images whose files are read; the job `verify` reads all."""
MAX_DRIFT = 0.2
"""Standard deviations; what Cohen (1988) calls a small effect."""
MAPPING = dg.AssetKey("mapping_csv")
UP_TO_DATE = "up_to_date"


def _spec(name: str, description: str, *, blocking: bool = False) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=MAPPING, description=description, blocking=blocking, partitions_def=splits)


SPECS = [
    _spec(
        "row_counts_reconcile",
        "Rows in = done + rejected + failed + pending; the mapping has as many, and an output for each done.",
        blocking=True,
    ),
    _spec(
        "mapping_matches_input",
        "The mapping has the input's rows, in order, and every output that it names is there.",
        blocking=True,
    ),
    _spec(
        "files_match_records",
        f"The files of {SAMPLE} images, evenly spread, have the sha256 of their records.",
        blocking=True,
    ),
    _spec(
        "background_is_exact",
        f"In the composites of {SAMPLE} images, what is beside the person is exactly the background.",
        blocking=True,
    ),
    _spec(
        "quality_thresholds",
        f"What {SAMPLE} images measure is within the bounds of the section `quality` of config/platform.yaml: detail "
        f"kept, strength, exposure, clipping, colour, no rim, foreground over background is the photo.",
    ),
    _spec(
        UP_TO_DATE,
        "A run would have nothing to do: no row is pending, no file is gone or changed. Evaluated by each run, and "
        "between runs by the sensor.",
    ),
    _spec("failure_rate", "The share of rows that failed is at most max_failed_share of config/platform.yaml."),
    _spec(
        "split_leakage",
        "No photo of this split is that of another or nearly so, by sha256 and fingerprint (leakage).",
    ),
    _spec(
        "duplicates",
        "The split has no photo twice or nearly so, by sha256 and fingerprint: what is there twice counts twice.",
    ),
    _spec(
        "metric_drift",
        f"No mean of the records has moved by more than {MAX_DRIFT:g} standard deviations, and more than chance could "
        f"move it, since this partition was materialized before: coverage, mask score, faces, clipping, shading, "
        f"strength, exposure, light families.",
    ),
]
CHECKS = tuple(spec.name for spec in SPECS)
"""Their names, in order."""
