"""The checks that stand on a split's mapping CSV: may what it names be trained on?

They are made by the asset's own step, of the mapping before it is published, from the same scan that it was made of.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import Warn, best_effort
from relight_assets.dataset.csv.folder import list_csvs, split_label
from relight_assets.dataset.csv.read import OUTPUT_COLUMN, SplitCsv
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.defs.assets.splits import splits
from relight_assets.engine.publish import StagedMapping
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.engine.state.scan import SplitState, row_keys
from relight_assets.errors import CsvError
from relight_assets.quality.duplicates import Pair, Photo, duplicates_across, duplicates_within
from relight_assets.quality.statistics import SplitStatistics, Spread, drift, spreads
from relight_assets.quality.thresholds import Verdict, verdicts
from relight_assets.quality.verify.csvs import Fault, mapping_faults
from relight_assets.quality.verify.files import FilesRead, read_files

SAMPLE = 50
"""Images whose files are read; the job `verify` reads all."""
SHOWN = 20
MAX_DRIFT = 0.2
"""Standard deviations; what Cohen (1988) calls a small effect."""
MAPPING = dg.AssetKey("mapping_csv")
_ignore_warning: Warn = lambda _: None  # noqa: E731
_VERDICTS = dg.TableSchema(
    [
        dg.TableColumn("metric", "string"),
        dg.TableColumn("figure", "float"),
        dg.TableColumn("wanted", "string"),
        dg.TableColumn("good", "bool"),
        dg.TableColumn("worst_images", "string"),
    ]
)


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
    _spec("failure_rate", "The share of rows that failed is at most max_failed_share of config/platform.yaml."),
    _spec(
        "split_leakage",
        "No photo of this split is that of another or nearly so, by sha256 and fingerprint: train must not know test.",
    ),
    _spec(
        "duplicates",
        "The split has no photo twice or nearly so, by sha256 and fingerprint: what is there twice counts twice.",
    ),
    _spec(
        "metric_drift",
        f"No mean of the records has moved by more than {MAX_DRIFT:g} standard deviations, and more than chance could "
        f"move it, since this partition was materialized before: coverage, mask score, faces, clipping, shading, "
        f"strength, exposure, families of light.",
    ),
]


@dataclass(frozen=True)
class _Split:
    state: SplitState
    loaded: LoadedRecipe
    settings: Settings
    mapping: StagedMapping
    before: Mapping[str, Spread]
    warn: Warn
    records: Callable[[SplitState], "SplitRecords"]

    @property
    def photos(self) -> Sequence[Photo]:
        """Of all images that have a record, by their numbers."""
        return self.records(self.state).photos


@dataclass(frozen=True)
class SplitRecords:
    """What the checks need of the records of a split, of one pass over them."""

    statistics: SplitStatistics
    photos: list[Photo]

    @classmethod
    def of(cls, state: SplitState) -> "SplitRecords":
        """Read the records of a split."""
        found = cls(SplitStatistics(), [])
        for image in recorded_images(state.layout, state.images.values()):
            found.statistics.add(image)
            found.photos.append(Photo.of(state.split.split, image.record))
        found.photos.sort(key=lambda photo: photo.index)
        return found


def blocking_checks(mapping: StagedMapping, loaded: LoadedRecipe, settings: Settings) -> list[dg.AssetCheckResult]:
    """The checks without which a mapping is not published."""
    split = _Split(mapping.state, loaded, settings, mapping, {}, _ignore_warning, SplitRecords.of)
    return [
        *_check_rows(split),
        *(each for each in _check_files(split) if each.severity is dg.AssetCheckSeverity.ERROR),
    ]


def check_split(
    mapping: StagedMapping,
    loaded: LoadedRecipe,
    settings: Settings,
    before: Mapping[str, Spread],
    *,
    warn: Warn = _ignore_warning,
    records: Callable[[SplitState], SplitRecords] | None = None,
) -> list[dg.AssetCheckResult]:
    """Every check of :data:`SPECS` on a staged mapping.

    A check that only warns, and that cannot be made, has failed; what it raised is told to ``warn`` too.

    Args:
        mapping: as staged.
        loaded: the recipe.
        settings: the platform's.
        before: how the split's numbers were at the last materialization.
        warn: who is to be warned.
        records: reads the records of a split; None: :meth:`SplitRecords.of`.
    """
    # Once for all checks, and not before the first of them asks: what it raises is that check's fault.
    split = _Split(mapping.state, loaded, settings, mapping, before, warn, records or cache(SplitRecords.of))
    return [
        *_check_rows(split),
        *_check_files(split),
        _advice("failure_rate", lambda name: _of_failures(name, split), warn),
        _advice("split_leakage", lambda name: _of_other_splits(name, split), warn),
        _advice("duplicates", lambda name: _check_pairs(name, duplicates_within(split.photos)), warn),
        _advice("metric_drift", lambda name: _of_drift(name, split), warn),
    ]


def _advice(name: str, make: Callable[[str], dg.AssetCheckResult], warn: Warn) -> dg.AssetCheckResult:
    """The result of a check that does not block, whatever becomes of it."""
    messages: list[str] = []
    with best_effort(f"the check `{name}`", messages.append):
        return make(name)
    warn(messages[0])
    return _result(name, passed=False, severity=dg.AssetCheckSeverity.WARN, metadata={"not_made": messages[0]})


def _check_rows(split: _Split) -> Iterator[dg.AssetCheckResult]:
    counts = split.state.row_counts()
    rows = len(split.state.split.table)
    named = _outputs_named(split.mapping)
    yield _result(
        "row_counts_reconcile",
        passed=sum(counts[status] for status in ROW_STATUSES) == rows == len(named) and sum(named) == counts["done"],
        metadata={
            "rows": rows,
            "rows_in_mapping": len(named),
            "outputs_in_mapping": sum(named),
            **{f"rows_{status}": counts[status] for status in ROW_STATUSES},
        },
    )
    faults = list(mapping_faults(split.state, split.mapping.file, split.mapping.target))
    yield _result("mapping_matches_input", passed=not faults, metadata={"rows": rows, **_shown(faults)})


def _outputs_named(mapping: StagedMapping) -> list[bool]:
    """For each row of the mapping as it was written, whether it names an output."""
    data = mapping.state.layout.storage.read(mapping.file) or b""
    header, *rows = csv_reader(data.decode("utf-8"))
    column = header.index(OUTPUT_COLUMN)
    return [bool(row[column]) for row in rows]


def _check_files(split: _Split) -> Iterator[dg.AssetCheckResult]:
    read = read_files(split.state, split.loaded.recipe, SAMPLE)
    background = [fault for fault in read.faults if fault.code == "background"]
    metrics = [fault for fault in read.faults if fault.code == "metric"]
    others = [fault for fault in read.faults if fault.code not in ("background", "metric")]
    counts = {"images": read.images, "files": len(read.sizes)}
    yield _result("files_match_records", passed=not others, metadata=counts | _shown(others))
    yield _result("background_is_exact", passed=not background, metadata=counts | _shown(background))
    yield _advice("quality_thresholds", lambda name: _of_metrics(name, split, read, metrics), split.warn)


def _of_metrics(name: str, split: _Split, read: FilesRead, metrics: list[Fault]) -> dg.AssetCheckResult:
    found = verdicts(read.measured, split.loaded.recipe, split.settings.quality_of(split.loaded))
    return _result(
        name,
        passed=all(verdict.passed for verdict in found) and not metrics,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "images": len(read.measured),
            **_shown(metrics),
            "bad": sum(not verdict.passed for verdict in found),
            **({"metrics": verdict_table(found)} if found else {}),
        },
    )


def verdict_table(found: Sequence[Verdict]) -> dg.TableMetadataValue:
    """A row per metric: its figure, what is wanted, and the numbers of the worst images."""
    records = [
        dg.TableRecord(
            {
                "metric": verdict.metric,
                "figure": round(verdict.value, 4),
                "wanted": verdict.bound,
                "good": verdict.passed,
                "worst_images": ", ".join(map(str, verdict.worst)),
            }
        )
        for verdict in found
    ]
    return dg.MetadataValue.table(records, _VERDICTS)


def _of_failures(name: str, split: _Split) -> dg.AssetCheckResult:
    counts = split.state.row_counts()
    share = counts["failed"] / max(1, counts.total())
    codes = Counter(image.failure.code for image in split.state.images.values() if image.failure is not None)
    return _result(
        name,
        passed=share <= split.settings.max_failed_share,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed_share": round(share, 4), "failures_by_code": dict(codes)},
    )


def _of_other_splits(name: str, split: _Split) -> dg.AssetCheckResult:
    rows, skipped = _rows_of_splits(split.settings)
    unread: list[str] = []
    pairs = duplicates_across(split.photos, split.state.layout, rows, unread)
    for messages in unread:
        split.warn(f"the check `{name}` says nothing of one split: {messages}")
    return _check_pairs(name, pairs, unread, skipped)


def _check_pairs(
    name: str, pairs: Sequence[Pair], unread: Sequence[str] = (), skipped: Sequence[str] = ()
) -> dg.AssetCheckResult:
    """``unread``: what could not be read, though it can be used; ``skipped``: the splits that cannot be used."""
    not_compared = [*skipped, *unread]
    records = [
        dg.TableRecord(
            {
                "image": pair.own.index,
                "image_path": pair.own.image_path,
                "other_split": pair.other.split,
                "other_image": pair.other.index,
                "other_image_path": pair.other.image_path,
                "differs": "not at all" if pair.bits is None else f"in {pair.bits} of 256 bits",
            }
        )
        for pair in pairs[:SHOWN]
    ]
    same = sum(pair.bits is None for pair in pairs)
    return _result(
        name,
        passed=not pairs and not unread,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "same": same,
            "nearly_the_same": len(pairs) - same,
            **({"not_compared": ", ".join(not_compared)} if not_compared else {}),
            **({"examples": dg.MetadataValue.table(records)} if records else {}),
        },
    )


def _rows_of_splits(settings: Settings) -> tuple[dict[str, set[str | None]], list[str]]:
    """The images that the rows of each split name, and the splits whose CSV cannot be used."""
    rows: dict[str, set[str | None]] = {}
    unread: list[str] = []
    with suppress(CsvError):  # the folder is not there now, so there is no other split
        for path, csv in list_csvs(settings.csv_dir, settings.csv_glob).read_all():
            if isinstance(csv, SplitCsv):
                rows[csv.split] = set(row_keys(csv, settings.image_root))
            else:
                unread.append(split_label(path))  # what is wrong is for its own run to tell
    return rows, unread


def _of_drift(name: str, split: _Split) -> dg.AssetCheckResult:
    now = spreads(split.records(split.state).statistics)
    moved = {name: round(drift(split.before[name], now[name]), 3) for name in now if name in split.before}
    far = [name for name, deviations in moved.items() if deviations > MAX_DRIFT]
    records = [
        dg.TableRecord(
            {
                "number": name,
                "mean_before": round(split.before[name].mean, 4),
                "mean_now": round(now[name].mean, 4),
                "moved_by_deviations": moved[name],
            }
        )
        for name in far
    ]
    return _result(
        name,
        passed=not far,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "largest_move": max(moved.values(), default=0.0),
            "compared": len(moved),
            **({"moved": dg.MetadataValue.table(records)} if records else {}),
        },
    )


def _shown(faults: list[Fault]) -> dict[str, Any]:
    if not faults:
        return {"faults": 0}
    records = [dg.TableRecord({"code": f.code, "file": str(f.file), "text": f.text}) for f in faults[:SHOWN]]
    return {"faults": len(faults), "examples": dg.MetadataValue.table(records)}


def _result(
    name: str,
    *,
    passed: bool,
    metadata: dict[str, Any],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(check_name=name, asset_key=MAPPING, passed=passed, severity=severity, metadata=metadata)
