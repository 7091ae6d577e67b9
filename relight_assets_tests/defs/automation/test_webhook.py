"""What a webhook does to a document: takes it, refuses it, is away, or leaves us in doubt."""

import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets.defs.automation import webhook
from relight_assets.defs.automation.webhook import WebhookAwayError, WebhookError, host_of, post
from relight_assets_tests.receiver import PATH, SECRETS, Receiver, receiving

DOCUMENT = {"text": "Größe", "numbers": {"rows": 3}}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PAUSES_S", (0.01, 0.01))


@pytest.fixture
def at() -> Iterator[tuple[str, Receiver]]:
    with receiving() as made:
        yield made


def reported(caught: pytest.ExceptionInfo[WebhookError]) -> str:
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(secret in shown for secret in SECRETS)
    return str(caught.value)


def test_a_document_arrives_once(at: tuple[str, Receiver]) -> None:
    url, receiver = at
    post(url, DOCUMENT)
    assert receiver.documents == [DOCUMENT]
    assert receiver.paths == [f"POST {PATH}"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_one_that_is_busy_or_broken_is_asked_three_times(at: tuple[str, Receiver], status: int) -> None:
    url, receiver = at
    receiver.answers = [status, status]
    post(url, DOCUMENT)
    assert len(receiver.documents) == 3
    receiver.answers = [status] * 9
    with pytest.raises(WebhookAwayError) as caught:
        post(url, DOCUMENT)
    assert reported(caught) == f"the webhook at 127.0.0.1 answered {status}"
    assert len(receiver.documents) == 6


@pytest.mark.parametrize("status", [302, 400, 404])
def test_one_that_refuses_is_asked_once(at: tuple[str, Receiver], status: int) -> None:
    url, receiver = at
    receiver.answers = [status]
    with pytest.raises(WebhookError, match="did not take the alert") as caught:
        post(url, DOCUMENT)
    assert not isinstance(caught.value, WebhookAwayError)
    assert reported(caught).startswith(f"the webhook at 127.0.0.1 answered {status}")
    assert receiver.paths == [f"POST {PATH}"]  # nor is a redirection followed


def test_what_may_have_been_taken_is_not_posted_again(
    at: tuple[str, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, receiver = at
    receiver.answers = [0]
    with pytest.raises(WebhookError, match="broke off") as caught:
        post(url, DOCUMENT)
    assert "may have taken" in reported(caught)
    monkeypatch.setattr(webhook, "ANSWER_S", 0.2)
    receiver.wait.clear()
    with pytest.raises(WebhookError, match=r"did not answer within 0\.2 s") as caught:
        post(url, DOCUMENT)
    assert "may have taken" in reported(caught)
    assert len(receiver.documents) == 2


def test_nobody_there_is_reported_without_the_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for host, why in ((f"127.0.0.1:{port}", "NewConnectionError"), ("no-such-host.invalid", "NameResolutionError")):
        with caplog.at_level(logging.DEBUG), pytest.raises(WebhookAwayError, match=why) as caught:
            post(f"http://user:{SECRETS[0]}@{host}{PATH}", DOCUMENT)
        assert reported(caught) == f"the webhook at {host.partition(':')[0]} cannot be reached ({why})"
    assert not any(secret in caplog.text for secret in SECRETS)


def test_the_logs_of_a_post_do_not_show_the_address(at: tuple[str, Receiver], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(at[0], DOCUMENT)
    assert not any(secret in caplog.text for secret in SECRETS)


def test_an_address_that_is_none_is_a_sentence() -> None:
    for host in ("*.example.com", f"{'a' * 70}.com"):
        with pytest.raises(WebhookError, match="cannot be posted to") as caught:
            post(f"http://{host}{PATH}", DOCUMENT)
        assert reported(caught)


def test_only_the_host_of_an_address_is_shown() -> None:
    assert host_of("https://user:pw@hooks.example.com:8443/T0K3N?key=S3CR3T#x") == "hooks.example.com"


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with passwords for every host."""
    file = tmp_path / ".netrc"
    file.write_text("machine 127.0.0.1 login me password N3TRC\ndefault login me password N3TRC\n")
    file.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_no_password_of_a_netrc_is_sent(at: tuple[str, Receiver]) -> None:
    url, receiver = at
    receiver.answers = [503, 200]
    post(url, DOCUMENT)
    post(url.replace("//", "//user:p%40ss@"), DOCUMENT)  # but that of the address itself is
    assert receiver.authorizations == [None, None, "Basic dXNlcjpwQHNz"]


@pytest.mark.usefixtures("netrc")
def test_the_proxy_of_the_environment_is_used(at: tuple[str, Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    url, receiver = at
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", url.removesuffix(PATH))
    post(f"http://hooks.invalid{PATH}", DOCUMENT)
    assert receiver.paths == [f"POST http://hooks.invalid{PATH}"]
    assert receiver.authorizations == [None]


def test_an_answer_with_odd_headers_is_logged_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1 << 16)
                client.sendall(b"HTTP/1.1 200 OK\r\nOdd Header\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with caplog.at_level(logging.DEBUG):
            post(f"http://127.0.0.1:{server.getsockname()[1]}{PATH}", DOCUMENT)
            logging.getLogger("urllib3.connectionpool").warning("of somebody else")
        thread.join()
    assert not any(secret in caplog.text for secret in SECRETS)
    assert "of somebody else" in caplog.text
