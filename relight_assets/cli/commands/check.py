"""``relight check``: evaluates the checks of splits; materializes nothing."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from relight_assets.cli.dagster_runs import Splits, each_split
from relight_assets.cli.options import select_splits
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import out, print_line, waiting
from relight_assets.cli.terminal.tables import SLIM
from relight_assets.config.project import ProjectSource
from relight_assets.core.messages.exit_codes import exit_code

if TYPE_CHECKING:
    from relight_assets.defs.runs.launch import CheckOutcome


@click.command()
@click.option("--csv", "csv_file", type=LOCAL_PATH, help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--check", "names", multiple=True, metavar="NAME", help="Only this check; may be repeated.")
@click.pass_obj
def check(
    source: ProjectSource, csv_file: Path | None, split: str | None, all_splits: bool, names: tuple[str, ...]
) -> None:
    """Evaluate the checks of splits, as the job `run_checks`.  Nothing is computed or written but the UI's history."""
    project = source.context()
    settings, csvs = select_splits(project.settings, csv_file, split, all_splits=all_splits)

    def evaluate(splits: Splits, name: str) -> "tuple[str, list[CheckOutcome]]":
        from relight_assets.defs.runs import launch  # noqa: PLC0415  (Dagster is slow)

        with waiting(f"checking {name}"):
            return name, launch.check(splits.definitions, splits.instance, split=name, names=names)

    found, errors = each_split(source, replace(project, settings=settings), csvs, evaluate)
    for name, outcomes in found:
        _print_outcomes(name, outcomes)
    blocked = any(each.blocking and not each.passed for _, outcomes in found for each in outcomes)
    sys.exit(exit_code(errors, done=not blocked))


def _print_outcomes(split: str, outcomes: "list[CheckOutcome]") -> None:
    table = Table(escape(split), "", "", **SLIM)
    for each in outcomes:
        mark = "[green]ok[/]" if each.passed else "[bold red]fails[/]" if each.blocking else "[yellow]warns[/]"
        table.add_row(each.name, mark, escape(each.text))
    out.print(table)
    failed, warned = (
        sum(not each.passed and each.blocking is blocking for each in outcomes) for blocking in (True, False)
    )
    print_line(f"{split}: {len(outcomes)} checks, {failed} fail, {warned} warn")
