"""A bar for work that counts what is through, step by step."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from relight_assets.cli.terminal.messages import err, print_warning
from relight_assets.core.best_effort import best_effort
from relight_assets.core.messages.steps import Steps, Watch

_FEWEST = 200
"""A bar is drawn anew at most so many times by one step: work that counts thousands a second has other things to do."""


@contextmanager
def counting_bar(name: str) -> Iterator[Steps]:
    """A bar that is gone when the block is through; it is shown on a terminal alone, beside what the command prints.

    Gives what begins a step; the bar then counts that.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[noun]}"),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
    task = bar.add_task(escape(name), total=None, noun="")

    def begin(counted: str) -> Watch:
        with best_effort("the progress bar", print_warning):
            bar.reset(task, total=None, noun=counted)

        def watch(done: int, total: int) -> None:
            if done % max(1, total // _FEWEST) == 0 or done == total:
                with best_effort("the progress bar", print_warning):
                    bar.update(task, completed=done, total=total)

        return watch

    with best_effort("the progress bar", print_warning):
        bar.start()
    try:
        yield begin
    finally:
        with best_effort("the progress bar", print_warning):
            bar.stop()
