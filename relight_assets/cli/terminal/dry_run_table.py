"""What `relight run --dry-run` shows: by split and stage, how many images would be computed, and why."""

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from relight_assets.cli.terminal.messages import out, print_line, print_note
from relight_assets.cli.terminal.tables import SLIM
from relight_assets.engine.dry_run import DryRun

REASONS_SHOWN = 8
"""Of each stage, the most frequent first."""


def print_dry_runs(planned: Sequence[DryRun]) -> None:
    """A table of all splits with something to compute, and a line for each of the others."""
    table = Table("split", "stage", "images", "why", **SLIM)
    for each in planned:
        for row in _rows(each):
            table.add_row(*row)
    if table.row_count:
        out.print(table)
        print_note("a stage that follows another is computed only if that one gives other bytes")
    for each in planned:
        print_line(f"{each.split}: {_summary(each)}")
        if each.waiting:
            print_note(f"{each.split}: {each.waiting} images wait for a stage that was not selected (upstream_stale)")


def _rows(planned: DryRun) -> Iterator[tuple[str, str, str, str]]:
    split = escape(planned.split)
    for stage, reasons in planned.reasons.items():
        name = stage
        for why, count in reasons.most_common(REASONS_SHOWN):
            yield split, name, str(count), escape(why)
            split = name = ""
        if more := reasons.total() - sum(count for _, count in reasons.most_common(REASONS_SHOWN)):
            yield split, name, str(more), "other reasons"


def _summary(planned: DryRun) -> str:
    if planned.images:
        return f"{planned.images} images would be worked on; the CSV has {planned.rows} rows"
    if not planned.mapping_is_current:
        return "no image would be computed; the CSVs that name the images would be written anew"
    return "everything is up to date; nothing would be computed"
