"""The checks of a sample of images: their files, their background, and the thresholds of their metrics."""

from collections.abc import Iterator, Sequence

import dagster as dg

from relight_assets.defs.checks.checked_split import CheckedSplit
from relight_assets.defs.checks.results import advisory, check_result, shown_faults
from relight_assets.defs.checks.specs import SAMPLE
from relight_assets.quality.measured import Verdict
from relight_assets.quality.thresholds import verdicts
from relight_assets.quality.verify.csvs import Fault
from relight_assets.quality.verify.files import FilesRead, read_files

_VERDICTS = dg.TableSchema(
    [
        dg.TableColumn("metric", "string"),
        dg.TableColumn("figure", "float"),
        dg.TableColumn("wanted", "string"),
        dg.TableColumn("good", "bool"),
        dg.TableColumn("worst_images", "string"),
    ]
)


def check_files(split: CheckedSplit) -> Iterator[dg.AssetCheckResult]:
    """`files_match_records`, `background_is_exact` and `quality_thresholds`, of one reading of the files."""
    read = read_files(split.state, split.loaded.recipe, SAMPLE)
    background = [fault for fault in read.faults if fault.code == "background"]
    metrics = [fault for fault in read.faults if fault.code == "metric"]
    others = [fault for fault in read.faults if fault.code not in ("background", "metric")]
    counts = {"images": read.images, "files": len(read.sizes)}
    yield check_result(
        "files_match_records",
        passed=not others,
        text=f"{len(others)} faults in {len(read.sizes)} files of {read.images} images; there may be none.",
        metadata=counts | shown_faults(others),
    )
    yield check_result(
        "background_is_exact",
        passed=not background,
        text=f"{len(background)} of {read.images} composites have another background; none may.",
        metadata=counts | shown_faults(background),
    )
    yield advisory("quality_thresholds", lambda name: _check_thresholds(name, split, read, metrics), split.warn)


def _check_thresholds(name: str, split: CheckedSplit, read: FilesRead, metrics: list[Fault]) -> dg.AssetCheckResult:
    found = verdicts(read.measured, split.loaded.recipe, split.settings.quality_of(split.loaded))
    bad = [f"{verdict.metric} {verdict.value:.3f} (wanted {verdict.bound})" for verdict in found if not verdict.passed]
    return check_result(
        name,
        passed=not bad and not metrics,
        text=(
            f"{len(bad)} of {len(found)} metrics of {len(read.measured)} images are out of their bounds"
            f"{': ' if bad else ''}{', '.join(bad)}; none may be."
        ),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "images": len(read.measured),
            **shown_faults(metrics),
            "bad": len(bad),
            **({"metrics": verdict_table(found)} if found else {}),
        },
    )


def verdict_table(found: Sequence[Verdict]) -> dg.TableMetadataValue:
    """A row per metric: its value, its threshold, and the numbers of the worst images."""
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
