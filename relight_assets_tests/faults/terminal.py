"""A command in a terminal of its own."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import tempfile
import termios
import threading
from contextlib import suppress
from pathlib import Path

from relight_assets_tests.faults.processes import clean_environment, default_signals, processes_of


class Terminal:
    """A command in a terminal of its own: what it shows there, and Ctrl-C typed into it; stderr goes to a file."""

    def __init__(self, command: list[str], folder: Path):
        self._shown = b""
        self._master, theirs = pty.openpty()
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".stderr", delete=False) as errors:
            self._errors = Path(errors.name)
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**clean_environment(), "TERM": "xterm", "COLUMNS": "120"},
                stdin=theirs,
                stdout=theirs,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_own_terminal,  # noqa: PLW1509
            )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self) -> str:
        """All that was shown so far, without colours and moves of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._shown.decode(errors="replace"))

    @property
    def errors(self) -> str:
        """What it wrote to stderr, which is not the terminal."""
        return self._errors.read_text(errors="replace").strip()

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def ctrl_c(self) -> None:
        """As a user types it: the terminal sends SIGINT to every process of the group."""
        os.write(self._master, b"\x03")

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        for process in processes_of(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):  # the other end was closed
            while more := os.read(self._master, 65536):
                self._shown += more


def _own_terminal() -> None:
    default_signals()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
