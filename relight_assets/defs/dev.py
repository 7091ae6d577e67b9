"""``dagster dev`` in this process, with the guarded web server in place of Dagster's."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagster._cli import dev

from relight_assets.errors import ServersEndedError

HOST = "127.0.0.1"
GUARDED_SERVER = "relight_assets.defs.webserver"
_START = "open_ipc_subprocess"
_SERVER, _DAEMON = "dagster_webserver", "dagster._daemon"


def serve(workspace: Sequence[str], port: int, *, read_only: bool) -> None:
    """Run web server, daemon and code server until Ctrl-C or SIGTERM ends them all.

    Args:
        workspace: Dagster's options for what to load, ``-w FILE`` or ``-m MODULE``.
        port: of the web server, on 127.0.0.1.
        read_only: whether the UI changes nothing; sensors and schedules go on.

    Raises:
        ServersEndedError: one of them ended by itself.
        KeyboardInterrupt: they were stopped before they were up.
    """
    options = [*workspace, "-h", HOST, "-p", str(port)]
    _start_guarded(("--read-only",) if read_only else ())
    stop = _stop_when_told()
    # In this process, so that whoever ends it ends the servers.
    with dev.dev_command.make_context("relight dev", options) as context:
        dev.dev_command.invoke(context)
    if not stop.asked:
        raise ServersEndedError("a server of the UI ended by itself; what it printed says why")


def _start_guarded(options: Sequence[str]) -> None:
    """Have Dagster start its web server with the guard, with ``options`` besides its own."""
    start = getattr(dev, _START)

    def start_guarded(command: Sequence[str], **given: Any) -> "subprocess.Popen[Any]":
        python, flag, module, *rest = command
        if flag != "-m" or module not in {_SERVER, _DAEMON}:
            # Rather nothing than a server without a guard, should another Dagster start it in another way.
            raise ServersEndedError(f"this Dagster starts its servers in a way that is not known here: {command[:3]}")
        if module == _SERVER:
            module, rest = GUARDED_SERVER, [*rest, *options]
        return start([python, flag, module, *rest], **given)

    setattr(dev, _START, start_guarded)


@dataclass
class _Stop:
    asked: bool = False


def _stop_when_told() -> _Stop:
    """Have Ctrl-C end what is done, and SIGTERM, for which Dagster takes the same handler; whether one of them did."""
    stop = _Stop()

    def interrupt(*_: object) -> None:
        stop.asked = True
        raise KeyboardInterrupt

    # Whatever the shell has set: one that starts a command in the background has it ignore Ctrl-C.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)
    return stop
