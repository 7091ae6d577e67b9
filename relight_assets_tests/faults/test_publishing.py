"""`relight publish` as a process: killed, stopped, started again; and what it prints while a store fails."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets_tests.faults.processes import CHANGE_S, clean_environment, default_signals, wait_until
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import RESET, FaultProxy, Refusal
from relight_assets_tests.publishing.s3 import SECRET, TOKEN, assert_manifest_fits, export_of

pytestmark = pytest.mark.processes
PREFIX = "sets/pairs/train/"
FILES = 120
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(s3_bucket: TestBucket, s3_proxy: FaultProxy, tmp_path: Path) -> Start:
    """Starts the command, which publishes an export of 120 pictures."""
    export_of(tmp_path / "exports" / "pairs", {f"image/{n:06d}.png": bytes([n]) * 500 for n in range(FILES)})

    def run(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "relight_assets", "publish", f"s3://{s3_bucket.name}/sets"]
        return subprocess.Popen(
            [*command, "--out", str(tmp_path / "exports"), "--endpoint", s3_proxy.url, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env={**clean_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            preexec_fn=default_signals,  # noqa: PLW1509
        )

    return run


class Gate:
    """Lets so many uploads pass, and holds the others until it is opened; then they are lost."""

    def __init__(self, count: int):
        self._count = count
        self._open, self.reached = threading.Event(), threading.Event()

    def __call__(self, method: str, _: str, count: int) -> str | None:
        if method != "PUT" or count < self._count:
            return None
        self.reached.set()
        self._open.wait(CHANGE_S)
        return RESET

    def open(self) -> None:
        self._open.set()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whoever_is_stopped_goes_on_with_the_rest(
    start: Start, s3_proxy: FaultProxy, s3_bucket: TestBucket, how: signal.Signals
) -> None:
    s3_proxy.choose = gate = Gate(50)
    process = start()
    assert gate.reached.wait(CHANGE_S)
    process.send_signal(how)
    output, _ = process.communicate(timeout=CHANGE_S)
    gate.open()
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert output.strip() == (
            "error: stopped; what is uploaded of pairs/train stays there, and the same command goes on from there"
        )
    else:
        assert process.returncode == -how
    assert wait_until(lambda: len(s3_bucket.names(PREFIX)) == 50) is not None  # the proxy may still hand some on
    before = set(s3_bucket.names(PREFIX))
    assert not before & {"manifest.json", "uploads.csv"}
    s3_proxy.forget()
    output, _ = start().communicate(timeout=CHANGE_S)
    sent = [path.removeprefix(f"/{s3_bucket.name}/{PREFIX}") for path in s3_proxy.paths("PUT")]
    rest = {f"image/{n:06d}.png" for n in range(FILES)} | {"files.csv", "uploads.csv", "manifest.json"}
    assert sorted(sent) == sorted(rest - before)
    assert sent[-1] == "manifest.json"
    assert "71 uploaded" in output
    assert "50 unchanged" in output
    assert_manifest_fits(s3_bucket, PREFIX)


def test_nothing_of_the_credentials_is_printed_or_written_whatever_the_store_answers(
    start: Start, s3_proxy: FaultProxy, s3_bucket: TestBucket, tmp_path: Path
) -> None:
    told = f"<Token-0>{TOKEN}</Token-0><SecretKey>{SECRET}</SecretKey><AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId>"
    answers = [
        (Refusal(403, "SignatureDoesNotMatch", told), 2, "does not accept the credentials"),
        (Refusal(400, "ExpiredToken", told), 1, "the credentials have expired"),
        (Refusal(403, "AccessDenied", told), 2, "no permission to list"),
        (Refusal(409, "Strange", told), 1, "refused to list (Strange)"),
    ]
    for refusal, code, message in answers:
        s3_proxy.choose = lambda *_, refusal=refusal: refusal
        process = start()
        output, _ = process.communicate(timeout=CHANGE_S)
        assert process.returncode == code, output
        assert message in output
        assert len(output.splitlines()) == 1
        assert not any(secret in output for secret in (SECRET, TOKEN, "AKIAEXAMPLE", "Traceback"))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(secret.encode() in path.read_bytes() for path in written for secret in (SECRET, TOKEN))
