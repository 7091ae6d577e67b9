"""Where every split stands, in a table."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from relight_assets.cli.terminal.tables import SLIM
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.steps import Steps, no_steps
from relight_assets.dataset.csv.folder import list_csvs, no_csv, no_rows, split_label
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.progress import read_progress
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import CsvError, OtherPhotosError, RelightError


@dataclass(frozen=True)
class Status:
    """Where every split stands."""

    table: Table
    problems: list[str]
    """A sentence for each split that cannot be used or that a person should know of; a table would cut them."""
    errors: list[RelightError]
    """Of the splits that cannot be used."""
    done: bool
    """Whether every row of the others is done."""

    def __rich__(self) -> Group:
        """The table, and the problems below it."""
        return Group(self.table, *(Text(problem) for problem in self.problems))


def status_of(settings: Settings, recipe: Recipe, steps: Steps = no_steps, *, trust: bool = False) -> Status:
    """Where every split stands; what is wrong with one stands below the table.  ``steps`` begins the scan of each.

    With ``trust``, finished images are believed to be as the state beside the records has them.

    Raises:
        CsvError: the folder of CSVs cannot be listed.
    """
    table = Table("split", "rows", *ROW_STATUSES, "orphans", "now", **SLIM)
    errors: list[RelightError] = []
    problems: list[str] = []
    done = True
    for path, csv in list_csvs(settings.csv_dir, settings.csv_glob).read_all():
        try:
            if isinstance(csv, CsvError):
                raise csv
            watch = steps(f"rows of {csv.split} scanned")
            state = load_split_state(csv, recipe, settings, trust=trust, watch=watch)
        except RelightError as error:
            errors.append(error)
            problems.append(f"{split_label(path)}: {error}")
            table.add_row(escape(split_label(path)), *[""] * 6, "cannot be used")
            continue
        counts = state.row_counts()
        if reason := refusal(state):
            errors.append(OtherPhotosError(reason))
        problems += [f"{csv.split}: {text}" for text in (reason, *_remarks(state), _without_rows(csv)) if text]
        done = done and counts["done"] == counts.total()
        table.add_row(
            csv.split,
            str(len(state.keys)),
            *(str(counts[status]) for status in ROW_STATUSES),
            str(state.orphans),
            "refused" if reason else _running(state.layout),
        )
    if not table.row_count:
        problems.append(no_csv(settings.csv_dir, settings.csv_glob))
    return Status(table, problems, errors, done)


def _without_rows(csv: SplitCsv) -> str:
    return "" if csv.lines else no_rows(csv.path)


def _remarks(state: SplitState) -> Iterator[str]:
    """How many pending rows wait for files to be hashed, which the next run does; how many were not looked at."""
    if state.unchecked_rows:
        yield f"{state.unchecked_rows} rows unchecked: their files have other times"
    if state.trusted:
        yield f"{state.trusted} finished images were not looked at (--trust-state)"


def _running(layout: SplitLayout) -> str:
    now = read_progress(layout.progress, layout.storage)
    if now is None or now.finished or not _alive(now.pid):
        return ""
    eta = f", {now.eta_s:.0f} s to go" if now.eta_s else ""
    return f"{now.done} of {now.total}, {now.images_per_s:.2f} {now.counted}/s{eta}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
