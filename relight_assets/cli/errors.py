"""How a command ends that meets an error: with one sentence, and an exit code."""

from typing import Any

import click

from relight_assets.cli.terminal.messages import lenient_streams, print_error
from relight_assets.core.messages.crash_reports import unexpected
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.errors import InterruptedRunError, RelightError


class SentenceErrors(click.Command):
    """Shows errors as one sentence; that of one which nobody foresaw names the file with its traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: D102  (click's)
        try:
            with lenient_streams():
                return super().invoke(ctx)
        except RelightError as error:
            print_error(str(error))
            ctx.exit(exit_code([error]))
        except KeyboardInterrupt:  # before or after the work, or while it waited for the devices
            stopped = InterruptedRunError()
            print_error(str(stopped))
            ctx.exit(exit_code([stopped]))
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own; the last: nobody reads what is printed
        except Exception as error:  # noqa: BLE001
            crash = unexpected(error)
            print_error(str(crash))
            ctx.exit(exit_code([crash]))


class CommandGroup(SentenceErrors, click.Group):
    """A group of commands that shows errors so."""
