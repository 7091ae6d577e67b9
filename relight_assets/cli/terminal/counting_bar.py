"""A bar for work that counts what is through."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from relight_assets.cli.terminal.messages import out


@contextmanager
def counting_bar(name: str, noun: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is gone when the block is through; it is shown on a terminal alone.

    Gives what takes how many are done, and of how many.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(noun),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
