"""What is started in place of Dagster's web server, and how it ends; with Dagster: faults/test_web_requests.py."""

import signal
import sys

import pytest
from dagster._cli import dev as dagster_dev

from relight_assets.defs.server import dev
from relight_assets.errors import ServersEndedError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that come of those of Dagster with the guard in place, read-only."""
    found: list[list[str]] = []
    monkeypatch.setattr(dev, "_Server", found.append)
    monkeypatch.setattr(dagster_dev, "open_ipc_subprocess", dagster_dev.open_ipc_subprocess)
    dev._start_guarded(["--read-only"])
    return found


def start(*command: str) -> None:
    dagster_dev.open_ipc_subprocess(list(command), pass_fds=[])


def test_the_web_server_is_the_guarded_one(started: list[list[str]]) -> None:
    start("python", "-m", "dagster_webserver", "--port", "3000", "--shutdown-pipe", "7", "-w", "x")
    start("python", "-m", "dagster._daemon", "run", "--shutdown-pipe", "9")
    guarded = ["python", "-m", "relight_assets.defs.server.webserver", "--port", "3000", "-w", "x", "--read-only"]
    assert started == [guarded, ["python", "-m", "dagster._daemon", "run"]]


def test_a_server_that_is_not_known_is_not_started(started: list[list[str]]) -> None:
    pipe = ("--shutdown-pipe", "7")
    for command in (
        ("python", "-m", "dagster_webserver.next", *pipe),
        ("dagster-webserver", "--port", "3000", *pipe),
        ("python", "-m", "dagster_webserver", "--port", "3000"),
    ):
        with pytest.raises(ServersEndedError, match="in a way that is not known here"):
            start(*command)
    assert started == []


def test_a_server_ends_when_it_is_waited_for_and_one_that_will_not_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "_END_S", 0.5)
    sleeps = dev._Server([sys.executable, "-c", "import time; time.sleep(600)"])
    assert sleeps.wait(60) == -signal.SIGTERM
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    ignores = dev._Server([sys.executable, "-c", deaf], stdout=-1)
    assert ignores.stdout is not None
    assert ignores.stdout.readline() == b"up\n"
    ignores.end()
    assert ignores.returncode == -signal.SIGKILL
    ignores.stdout.close()
