"""The checks for photos that a split has twice, or shares with another split."""

from collections.abc import Sequence
from contextlib import suppress

import dagster as dg

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import list_csvs, split_label
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.defs.checks.checked_split import CheckedSplit
from relight_assets.defs.checks.results import SHOWN, check_result
from relight_assets.engine.state.scan import row_keys
from relight_assets.errors import CsvError
from relight_assets.quality.duplicates.pairs import Pair, duplicates_across, duplicates_within


def check_duplicates(name: str, split: CheckedSplit) -> dg.AssetCheckResult:
    """Whether the split has a photo twice."""
    return _pairs_result(name, duplicates_within(split.photos, split.state.layout), "in the split twice")


def check_leakage(name: str, split: CheckedSplit) -> dg.AssetCheckResult:
    """Whether another split has a photo of this one."""
    rows, skipped = _rows_of_splits(split.settings)
    unread: list[str] = []
    pairs = duplicates_across(split.photos, split.state.layout, rows, unread)
    for message in unread:
        split.warn(f"the check `{name}` says nothing of one split: {message}")
    return _pairs_result(name, pairs, "in another split too", unread, skipped)


def _pairs_result(
    name: str, pairs: Sequence[Pair], where: str, unread: Sequence[str] = (), skipped: Sequence[str] = ()
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
    return check_result(
        name,
        passed=not pairs and not unread,
        text=f"{same} photos are {where}, {len(pairs) - same} nearly so; none may be.",
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
                unread.append(split_label(path))  # its own run says what is wrong
    return rows, unread
