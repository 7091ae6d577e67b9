"""A bar that follows a run by its progress file."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from relight_assets.cli.terminal.messages import out, print_warning
from relight_assets.core.best_effort import best_effort
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.progress import read_progress


@contextmanager
def progress_bar(layout: SplitLayout, name: str) -> Iterator[None]:
    """A bar that follows the run of a split by its progress file, as far as it can be drawn; on a terminal alone."""
    bar: _Bar | None = None
    with best_effort("the progress bar", print_warning):
        bar = _Bar(layout, name)
    try:
        yield
    finally:
        with best_effort("the progress bar", print_warning):
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
        self._layout, self._started, self._shown_notices = layout, time.time(), 0
        self._bar = Progress(*columns, console=out, disable=not out.is_terminal)
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
        with best_effort("the progress bar", print_warning):
            while not self._over.wait(0.5):
                self._show()

    def _show(self) -> None:
        now = read_progress(self._layout.progress, self._layout.storage)
        if now is None or now.started < self._started:
            return  # an earlier run's
        for notice in now.notices[self._shown_notices :]:
            self._bar.console.print(f"[yellow]note[/] {escape(notice)}", highlight=False)
        self._shown_notices = max(self._shown_notices, len(now.notices))
        eta = f", {now.eta_s:.0f} s to go" if now.eta_s and not now.finished else ""
        failed = f", {now.failed} failed" if now.failed else ""
        if now.total == 0:
            self._bar.update(self._task, total=1, completed=1, rate="up to date")
            return
        rate = f"{now.images_per_s:.2f} {now.counted}/s{eta}{failed}"
        self._bar.update(self._task, total=now.total, completed=now.done, rate=rate)
