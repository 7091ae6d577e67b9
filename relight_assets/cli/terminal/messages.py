"""One-line messages, and the streams that they go to."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from relight_assets.dataset.csv.folder import split_label
from relight_assets.errors import RelightError

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


def print_line(text: str) -> None:
    """One line on stdout, as it is."""
    out.print(escape(text), highlight=False, soft_wrap=True)


def print_message(kind: str, color: str, text: str) -> None:
    """A message of some kind on stderr; ``text`` as it is."""
    err.print(f"[{color}]{kind}:[/] {escape(text)}", highlight=False, soft_wrap=True)


def print_field(label: str, text: object) -> None:
    """A labelled line under a heading."""
    out.print(f"  {label:<14}{escape(str(text))}", highlight=False, soft_wrap=True)


def print_note(text: str) -> None:
    """A note on stderr; ``text`` as it is."""
    print_message("note", "yellow", text)


def print_warning(text: str) -> None:
    """A warning on stderr; ``text`` as it is."""
    print_message("warning", "yellow", text)


def print_error(text: str) -> None:
    """An error on stderr; ``text`` as it is."""
    print_message("error", "bold red", text)


def print_split_error(csv: Path, error: RelightError) -> None:
    """Why a command cannot do its work with a split; the others go on."""
    print_message(f"error in split {escape(split_label(csv))}", "bold red", str(error))


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something is done which may take seconds; elsewhere nothing."""
    with err.status(escape(f"{what} ...")) if err.is_terminal else nullcontext():
        yield
