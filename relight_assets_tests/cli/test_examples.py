"""The examples of ``--help``: every command has some, and takes them as they stand."""

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        assert each is not None
        assert each.name == name
        yield (*names, name), each
        if isinstance(each, click.Group):
            yield from commands(each, *names, name)


@pytest.mark.parametrize(("names", "command"), list(commands(main)), ids=str)
def test_every_command_shows_examples_that_it_takes(names: tuple[str, ...], command: click.Command) -> None:
    shown = CliRunner().invoke(main, [*names, "--help"]).output
    examples = [line.strip() for line in shown.partition("Examples:")[2].splitlines() if line.strip()]
    assert examples
    for example in examples:
        program, *words = shlex.split(example)
        assert (program, tuple(words[: len(names)])) == ("relight", names)
        arguments = words[len(names) :]
        if isinstance(command, click.Group):
            assert arguments[0] in command.commands
        else:
            command.make_context(names[-1], list(arguments)).close()  # raises where an option or a value is none
