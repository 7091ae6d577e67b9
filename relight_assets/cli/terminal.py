"""What the command line shows: tables, progress and messages."""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import WARNINGS, decoration
from relight_assets.dataset.csv.folder import CsvFolder, list_csvs, no_rows, split_label
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.progress import read_progress
from relight_assets.engine.publish import failures_path, mapping_path, variants_path
from relight_assets.engine.run import COMPARISON, CONTACT_SHEET, load_split_state
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import CsvError, OtherPhotosError, RelightError
from relight_assets.quality.duplicates import Pair
from relight_assets.quality.thresholds import Measured, rejected_of, terciles
from relight_assets.quality.verify.split import Verification
from relight_assets.stages.registry import stage_names

FAULTS_SHOWN = 20
_THIRDS = ("dark", "middle", "light")
SLIM: dict[str, Any] = {"box": None, "pad_edge": False, "header_style": "bold"}
# File names may hold anything: no smileys for `:cat:`, and everything of a user's is escaped.


class _Terminal(Console):
    """A console whose reader may go, or whose disk may be full: then it is silent, and the work goes on."""

    def on_broken_pipe(self) -> None:
        """Be silent from now on; rich would end the process."""
        self.quiet = True

    def print(self, *objects: Any, **how: Any) -> None:
        """Print what can be printed."""
        try:
            super().print(*objects, **how)
        except OSError:
            self.quiet = True


out = _Terminal(emoji=False)
err = _Terminal(stderr=True, emoji=False)


@contextmanager
def lenient_streams() -> Iterator[None]:
    """Have stdout and stderr take any text, and end the process without complaint where nobody takes theirs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may hold what the terminal's encoding has not
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            # What is left is flushed again at the end of the process, whose exit code that would spoil.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """One line on stdout, as it is."""
    out.print(escape(text), highlight=False, soft_wrap=True)


def tell(kind: str, color: str, text: str) -> None:
    """An error, a warning or a note on stderr; ``text`` as it is."""
    err.print(f"[{color}]{kind}:[/] {escape(text)}", highlight=False, soft_wrap=True)


def line(label: str, text: object) -> None:
    """A labelled line under a heading."""
    out.print(f"  {label:<14}{escape(str(text))}", highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """A warning on stderr; ``text`` as it is."""
    tell("warning", "yellow", text)


def usable_csvs(folder: CsvFolder, errors: list[RelightError]) -> Iterator[SplitCsv]:
    """The CSVs that can be used, each read when its turn comes; of the others it is told what is wrong with them.

    What is wrong is added to ``errors``; one without rows is no error.
    """
    for path, csv in folder.read_all():
        if isinstance(csv, CsvError):
            tell_error(path, csv)
            errors.append(csv)
        elif csv.table.empty:
            tell("note", "yellow", no_rows(path))
        else:
            yield csv


def tell_error(csv: Path, error: RelightError) -> None:
    """Why a command cannot do its work with a split; the others go on."""
    tell(f"error in split {escape(split_label(csv))}", "bold red", str(error))


def print_closing_table(
    runs: list[tuple[SplitState, dict[str, Any]]], settings: Settings, experiment: str | None = None
) -> None:
    """Per split: rows by status, images computed and reused, the codes of failures, and what the run warned of."""
    for state, metadata in runs:
        for told in dict.fromkeys(told for part in metadata.values() for told in part.get(WARNINGS, ())):
            warn(f"{state.split.split}: {told}")
    with decoration("the closing table", warn):
        _print_closing_table(runs, settings, experiment)


def _print_closing_table(
    runs: list[tuple[SplitState, dict[str, Any]]], settings: Settings, experiment: str | None
) -> None:
    if not runs:
        return
    table = Table("split", "rows", "done", "failed", "rejected", "pending", "computed", "reused", "images/s", **SLIM)
    for state, metadata in runs:
        counts = state.row_counts()
        stages = [metadata[stage] for stage in stage_names() if stage in metadata]
        rate = stages[0].get("images_per_s") if stages else None
        table.add_row(
            state.split.split,
            str(len(state.keys)),
            *(str(counts[name]) for name in ROW_STATUSES),
            str(max((m["computed"] for m in stages), default=0)),
            str(min((m["reused"] for m in stages), default=0)),
            f"{rate:.2f}" if any(m["computed"] for m in stages) and rate is not None else "",
        )
    if runs:
        out.print(table)
    for state, metadata in runs:
        _print_places(state, settings, experiment)
        _print_devices(next(iter(metadata.values())).get("devices"))


def _print_places(state: SplitState, settings: Settings, experiment: str | None) -> None:
    out.print(f"[bold]{state.split.split}[/]")
    codes = Counter(image.failure.code for image in state.images.values() if image.failure is not None)
    if codes:
        line("failures", ", ".join(f"{count} {code}" for code, count in sorted(codes.items())))
        line("", failures_path(state, settings, experiment))
    line("mapping", mapping_path(state, settings, experiment))
    if state.variants > 1:
        line("all variants", variants_path(state, settings, experiment))
    line("pictures", state.layout.folder)
    for label, name in (("contact sheet", CONTACT_SHEET), ("comparison", COMPARISON)):
        if (sheet := state.layout.folder / name).exists():
            line(label, sheet)


def _print_devices(devices: Any) -> None:
    """What each device did, so that one that lags behind shows; ``devices``: the table of the metadata."""
    records = [record.data for record in devices.records] if devices is not None else []
    for label, row in zip(["devices", *[""] * len(records)], records, strict=False):
        replaced = f", replaced {row['replaced']} times" if row["replaced"] else ""
        line(
            label,
            f"{row['device']}: {row['images']} images, {row['images_per_s']:.2f} images/s, "
            f"segmenter busy {row['segmenter_busy']:.0%}, threads {row['threads_busy']:.0%}{replaced}",
        )


def print_verifications(found: Sequence[Verification]) -> None:
    """Per split: rows by status, what was read, and the first faults."""
    table = Table("split", *ROW_STATUSES, "images", "files", "MiB", "faults", **SLIM)
    for each in found:
        counts = (str(each.rows[status]) for status in ROW_STATUSES)
        table.add_row(each.split, *counts, str(each.images), str(each.files), f"{each.mib:,.0f}", str(len(each.faults)))
    out.print(table)
    for each in found:
        for fault in each.faults[:FAULTS_SHOWN]:
            tell(fault.code, "bold red", f"{fault.file} {fault.text}")
        if len(each.faults) > FAULTS_SHOWN:
            say(f"{each.split}: and {len(each.faults) - FAULTS_SHOWN} faults more")
    for each in found:
        if any(each.tags.values()):
            told = ", ".join(f"{count} {name}" for name, count in each.tags.items() if count)
            say(f"{each.split}: photos with a tag, of all: {told}")
        if each.duplicates:
            say(f"{each.split}: {_duplicates_sentence(each.duplicates)}")
        if each.verdicts:
            out.print(f"\n[bold]{each.split}[/]: what {len(each.measured)} pictures measure")
            out.print(_verdict_table(each))
        if thirds := terciles(each.measured):
            out.print("by the lightness of the skin, medians")
            out.print(_thirds_table(thirds))
            say(_told_rejections(thirds, each.rejected_skins))


def _duplicates_sentence(pairs: Sequence[Pair]) -> str:
    """Which images are of one photo, and which of nearly one."""
    shown = {
        "photos that are there twice": [f"{p.other.index} = {p.own.index}" for p in pairs if p.bits is None],
        "photos that are nearly the same": [
            f"{p.other.index} ~ {p.own.index} ({p.bits} of 256 bits)" for p in pairs if p.bits is not None
        ],
    }
    return "; ".join(f"{what}: {_first(those)}" for what, those in shown.items() if those)


def _first(those: Sequence[str]) -> str:
    more = len(those) - FAULTS_SHOWN
    return ", ".join(those[:FAULTS_SHOWN]) + (f", and {more} more" if more > 0 else "")


def _told_rejections(thirds: Sequence[Sequence[Measured]], rejected: Sequence[float]) -> str:
    counts = zip(rejected_of(thirds, rejected), _THIRDS, strict=True)
    return f"turned away by photo_qa: {', '.join(f'{count} {label}' for count, label in counts)}"


def _verdict_table(found: Verification) -> Table:
    table = Table("metric", "", "figure", "wanted", "worst images", **SLIM)
    for verdict in found.verdicts:
        mark = "[green]ok[/]" if verdict.passed else "[bold red]fails[/]"
        worst = ", ".join(map(str, verdict.worst))
        table.add_row(verdict.metric, mark, f"{verdict.value:.3f}", verdict.bound, worst)
    return table


def _thirds_table(thirds: Sequence[Sequence[Measured]]) -> Table:
    names = ("identity", "strength", "exposure", "clipping", "crushed", "chroma")
    table = Table("skin", "images", "L*", *names, **SLIM)
    for label, third in zip(_THIRDS, thirds, strict=True):
        lightness = median(each.skin_lightness or 0.0 for each in third)
        figures = (_middle([getattr(each.metrics, name) for each in third]) for name in names)
        table.add_row(label, str(len(third)), f"{lightness:.0f}", *figures)
    return table


def _middle(figures: Sequence[float | None]) -> str:
    known = [figure for figure in figures if figure is not None]
    return f"{median(known):.3f}" if known else ""


@contextmanager
def progress_bar(layout: SplitLayout, name: str) -> Iterator[None]:
    """A bar that follows the run of a split by its progress file, as far as it can be drawn."""
    bar: _Bar | None = None
    with decoration("the progress bar", warn):
        bar = _Bar(layout, name)
    try:
        yield
    finally:
        with decoration("the progress bar", warn):
            if bar is not None:
                bar.stop()


class _Bar:
    """Follows a run from a thread of its own."""

    def __init__(self, layout: SplitLayout, name: str):
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
        )
        self._file, self._started, self._told = layout.progress, time.time(), 0
        self._bar = Progress(*columns, console=out)
        self._bar.start()
        self._task = self._bar.add_task(name, total=None, rate="planning")
        self._over = threading.Event()
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    def stop(self) -> None:
        """Show the end of the run."""
        self._over.set()
        self._follower.join()
        try:
            self._show()
        finally:
            self._bar.stop()

    def _follow(self) -> None:
        with decoration("the progress bar", warn):
            while not self._over.wait(0.5):
                self._show()

    def _show(self) -> None:
        now = read_progress(self._file)
        if now is None or now.started < self._started:
            return  # an earlier run's
        for notice in now.notices[self._told :]:
            self._bar.console.print(f"[yellow]note[/] {escape(notice)}", highlight=False)
        self._told = max(self._told, len(now.notices))
        eta = f", {now.eta_s:.0f} s to go" if now.eta_s and not now.finished else ""
        failed = f", {now.failed} failed" if now.failed else ""
        if now.total == 0:
            self._bar.update(self._task, total=1, completed=1, rate="up to date")
            return
        rate = f"{now.images_per_s:.2f} {now.counted}/s{eta}{failed}"
        self._bar.update(self._task, total=now.total, completed=now.done, rate=rate)


@dataclass(frozen=True)
class Status:
    """Where every split stands."""

    table: Table
    errors: list[RelightError]
    """Of the splits that cannot be used; each stands in its row."""
    done: bool
    """Whether every row of the others is done."""


def status_of(settings: Settings, recipe: Recipe) -> Status:
    """Where every split stands; what is wrong with one stands in its row.

    Raises:
        CsvError: the folder of CSVs cannot be listed.
    """
    table = Table("split", "rows", *ROW_STATUSES, "orphans", "now", **SLIM)
    errors: list[RelightError] = []
    done = True
    for path, csv in list_csvs(settings.csv_dir, settings.csv_glob).read_all():
        try:
            if isinstance(csv, CsvError):
                raise csv
            state = load_split_state(csv, recipe, settings)
        except RelightError as error:
            errors.append(error)
            table.add_row(escape(split_label(path)), *[""] * 6, escape(str(error)))
            continue
        counts = state.row_counts()
        if reason := refusal(state):
            errors.append(OtherPhotosError(reason))
        done = done and counts["done"] == counts.total()
        table.add_row(
            csv.split,
            str(len(state.keys)),
            *(str(counts[status]) for status in ROW_STATUSES),
            str(state.orphans),
            escape(reason or "") or _running(state.layout) or _unchecked(state) or _without_rows(csv),
        )
    return Status(table, errors, done)


def _without_rows(csv: SplitCsv) -> str:
    return "" if len(csv.table) else escape(no_rows(csv.path))


def _unchecked(state: SplitState) -> str:
    """How many pending rows wait for files to be hashed, which the next run does."""
    return f"{state.unchecked_rows} rows unchecked: their files have other times" if state.unchecked_rows else ""


def _running(layout: SplitLayout) -> str:
    now = read_progress(layout.progress)
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
