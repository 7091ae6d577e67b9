"""``dagster dev`` in this process, with the guarded web server in place of Dagster's."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relight_assets.defs.dagster_internals import WEB_SERVER, replace_servers, run_dev
from relight_assets.errors import ServersEndedError

HOST = "127.0.0.1"
GUARDED_SERVER = "relight_assets.defs.server.webserver"
_END_S = 10.0


def serve(workspace: Sequence[str], port: int, *, read_only: bool, environment: Mapping[str, str]) -> None:
    """Run web server, daemon and code server until Ctrl-C, SIGTERM or SIGHUP ends them all.

    Args:
        workspace: Dagster's options for what to load, ``-w FILE`` or ``-m MODULE``.
        port: of the web server, on 127.0.0.1.
        read_only: whether the UI changes nothing; sensors and schedules go on.
        environment: variables that the servers have besides those of this process.

    Raises:
        ServersEndedError: one of them ended by itself.
        KeyboardInterrupt: it was stopped before there was any.
    """
    # Each tick of each sensor is two lines of the daemon at its own level, twenty a minute.
    options = [*workspace, "-h", HOST, "-p", str(port), "--log-level", "warning"]
    servers = _start_guarded(("--read-only",) if read_only else ())
    stop = _stop_when_asked()
    os.environ.update(environment)  # Dagster's command reads it in this process, and hands it on to the servers
    try:
        run_dev(options)
    except KeyboardInterrupt:  # before Dagster waited for it, or once more
        if not servers:
            raise
    finally:
        for server in servers:
            server.end()
    if not stop.requested:
        raise ServersEndedError("a server of the UI ended by itself; what it printed says why")


class _Server(subprocess.Popen[bytes]):
    """A server that is ended by a signal.

    Dagster ends its servers by a word in a pipe.  One that ends by itself then waits for ever for the thread that reads
    the pipe, and nobody sees that it is gone.
    """

    def wait(self, timeout: float | None = None) -> int:
        """End it, and wait until it has ended; Dagster waits for that alone."""
        if self.poll() is None:
            self.terminate()
        return super().wait(timeout)

    def end(self) -> None:
        """End it, however it takes that."""
        try:
            self.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            super().wait()


def _start_guarded(options: Sequence[str]) -> list[_Server]:
    """Have Dagster start its web server with the guard, with ``options`` besides its own; what it has started."""
    servers: list[_Server] = []

    def start(python: str, module: str, arguments: list[str]) -> _Server:
        guarded = [GUARDED_SERVER, *arguments, *options] if module == WEB_SERVER else [module, *arguments]
        servers.append(_Server([python, "-m", *guarded]))
        return servers[-1]

    replace_servers(start)
    return servers


@dataclass
class _Stop:
    requested: bool = False


def _stop_when_asked() -> _Stop:
    """Have Ctrl-C, SIGTERM and SIGHUP (unless under nohup) end what is done; whether one of them did."""
    stop = _Stop()

    def interrupt(*_: object) -> None:
        stop.requested = True
        raise KeyboardInterrupt

    # Whatever the shell has set: one that starts a command in the background has it ignore Ctrl-C.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, interrupt)
    return stop
