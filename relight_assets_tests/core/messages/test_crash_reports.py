"""Errors that nobody foresaw: the innermost cause in one line, the traceback in a file."""

import re
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets.config.project import ProjectSource
from relight_assets.core.messages.crash_reports import LONGEST, cause_of, chain, unexpected


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fails() -> None:
    raise OSError(28, "No space left on device")


def raised(kind: str) -> BaseException:
    try:
        try:
            fails()
        except OSError as error:
            if kind == "from":
                raise RuntimeError("could not\nwrite") from error
            if kind == "while":
                raise RuntimeError("could not\nwrite")  # noqa: B904
            if kind == "from None":
                raise RuntimeError("could not\nwrite") from None
            raise
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("kind", "reported"),
    [
        ("", "OSError: [Errno 28] No space left on device"),
        ("from", "OSError: [Errno 28] No space left on device (which led to RuntimeError: could not write)"),
        ("while", "OSError: [Errno 28] No space left on device (which led to RuntimeError: could not write)"),
        ("from None", "RuntimeError: could not write"),
    ],
)
def test_the_innermost_cause_comes_first(kind: str, reported: str) -> None:
    assert cause_of(chain(raised(kind))) == reported


def test_what_dagster_wraps_it_in_says_nothing() -> None:
    wrapped = [("DagsterExecutionStepExecutionError", "Error occurred while"), ("KeyError", "'x'")]
    assert cause_of(wrapped) == "KeyError: 'x'"
    assert cause_of(wrapped[:1]) == "DagsterExecutionStepExecutionError: Error occurred while"


def test_a_message_is_one_line_of_bounded_length() -> None:
    reported = cause_of([("ValueError", "word\n" * 10_000)])
    assert "\n" not in reported
    assert len(reported) < LONGEST + 50
    assert cause_of([("MemoryError", "")]) == "MemoryError"


def test_an_error_that_cannot_be_printed_and_a_circle_of_causes_are_reported() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    mute = MuteError()
    mute.__cause__ = circle = ValueError("circle")
    circle.__cause__ = mute
    assert cause_of(chain(mute)) == "ValueError: circle"


def test_the_whole_traceback_is_in_a_file_of_the_user_alone(logs: Path) -> None:
    reported = str(unexpected(raised("from"), "run 1"))
    assert reported.startswith("run 1: OSError: [Errno 28]")
    (log,) = logs.iterdir()
    assert reported.endswith(f"the traceback is in {log}")
    assert log.stat().st_mode & 0o077 == 0
    assert {"RuntimeError: could not", "No space left", "in raised"} <= set(
        re.findall(r"RuntimeError: could not|No space left|in raised", log.read_text())
    )


def test_where_no_file_can_be_written_it_is_reported_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    reported = str(unexpected(raised("")))
    assert "could not be written (No such file or directory):\nTraceback" in reported
    assert "in raised" in reported


@pytest.mark.parametrize(
    ("error", "code", "reported"),
    [
        (ValueError("odd"), 1, "error: ValueError: odd; the traceback is in "),
        (MemoryError(), 1, "error: MemoryError; the traceback is in "),
        (KeyboardInterrupt(), 130, "error: stopped; "),
        (click.UsageError("wrong"), 2, "Error: wrong"),
        (SystemExit(3), 3, ""),
    ],
)
def test_every_command_tells_them(
    monkeypatch: pytest.MonkeyPatch, logs: Path, error: BaseException, code: int, reported: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(logs)
    (logs / "config").mkdir()
    for read in ("settings", "recipe", "context"):
        monkeypatch.setattr(ProjectSource, read, fails)
    for command in (["status"], ["verify", "--all-splits"], ["doctor"], ["prune"], ["models", "list"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == code, command
        assert reported in result.output
        assert "Traceback" not in result.output
        assert len(list(logs.glob("relight-*.log"))) == (code == 1)
        for log in logs.glob("relight-*.log"):
            log.unlink()
