"""A bar that shows how far an upload or a check is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from relight_assets.cli.terminal.messages import out, print_warning
from relight_assets.core.best_effort import best_effort
from relight_assets.publishing.publish import Progress as Transfer


def bytes_text(size: int) -> str:
    """A number of bytes for people."""
    return decimal(size)


@contextmanager
def transfer_bar(name: str) -> Iterator[Callable[[Transfer], None]]:
    """A bar on a terminal, as far as it can be drawn, and what to tell it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[files]}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=out, transient=True, disable=not out.is_terminal)
    task = bar.add_task(escape(name), total=None, files="comparing")

    def watch(now: Transfer) -> None:
        with best_effort("the progress bar", print_warning):
            bar.update(task, total=now.all_size, completed=now.size, files=f"{now.files}/{now.all_files} files")

    with best_effort("the progress bar", print_warning):
        bar.start()
    try:
        yield watch
    finally:
        with best_effort("the progress bar", print_warning):
            bar.stop()
