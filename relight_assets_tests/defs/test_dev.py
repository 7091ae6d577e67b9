"""What is started in place of Dagster's web server; with real processes: faults/test_web_requests.py."""

from typing import Any

import pytest
from dagster._cli import dev as dagster_dev

from relight_assets.defs import dev
from relight_assets.errors import ServersEndedError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """The commands that Dagster starts with the guard in place, read-only."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    monkeypatch.setattr(dagster_dev, "open_ipc_subprocess", lambda command, **given: found.append((command, given)))
    dev._start_guarded(["--read-only"])
    return found


def start(*command: str, **given: object) -> None:
    dagster_dev.open_ipc_subprocess(list(command), **given)


def test_the_web_server_is_the_guarded_one(started: list[tuple[list[str], dict[str, Any]]]) -> None:
    start("python", "-m", "dagster_webserver", "--port", "3000", pass_fds=[7])
    start("python", "-m", "dagster._daemon", "run")
    guarded = ["python", "-m", "relight_assets.defs.webserver", "--port", "3000", "--read-only"]
    assert started == [(guarded, {"pass_fds": [7]}), (["python", "-m", "dagster._daemon", "run"], {})]


def test_a_server_that_is_not_known_is_not_started(started: list[tuple[list[str], dict[str, Any]]]) -> None:
    for command in (("python", "-m", "dagster_webserver.next"), ("dagster-webserver", "--port", "3000")):
        with pytest.raises(ServersEndedError, match="in a way that is not known here"):
            start(*command)
    assert started == []
