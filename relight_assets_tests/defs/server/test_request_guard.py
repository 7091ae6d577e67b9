"""Which requests are refused and which answered, header by header; over a real server: faults/test_web_requests.py."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Scope

from relight_assets.defs.server.request_guard import RequestGuard, find_refusal, is_loopback

HOSTS = ["relight.example.com", "fd00::1"]
JSON = {"content-type": "application/json"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def scope(method: str, path: str, *headers: tuple[str, str], kind: str = "http", **named: str) -> Scope:
    """A connection to 127.0.0.1:3000 where no header says another host."""
    given = [*headers, *((name.replace("_", "-"), value) for name, value in named.items())]
    if not any(name == "host" for name, _ in given):
        given.append(("host", "127.0.0.1:3000"))
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given]
    return {"type": kind, "method": method, "path": path, "query_string": b"query=mutation", "headers": raw}


def status(method: str, path: str, *headers: tuple[str, str], kind: str = "http", **named: str) -> int:
    """The status of the refusal; 200 without one."""
    found = find_refusal(scope(method, path, *headers, kind=kind, **named), HOSTS)
    return 200 if found is None else found.status


@pytest.mark.parametrize(
    ("name", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("127.0.0.1.nip.io", False),
        ("localhost.example.com", False),
        ("evil.localhost", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_loopback_is_what_nobody_can_rebind(name: str, loopback: bool) -> None:
    assert is_loopback(name) is loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:3000", 200),
        ("localhost", 200),
        ("LOCALHOST.:99", 200),
        ("[::1]:3000", 200),
        ("relight.example.com", 200),
        ("RELIGHT.example.com.:443", 200),
        ("[FD00:0::1]:3000", 200),
        ("[fd00::2]:3000", 403),
        ("sub.relight.example.com", 403),
        ("evil.example:3000", 403),
        ("127.0.0.1@evil.example", 403),
        ("127.0.0.1:3000@evil.example", 403),
        ("evil.example#127.0.0.1", 403),
        ("127.0.0.1 evil.example", 403),
        ("127.0.0.1,evil.example", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_the_host_must_be_known(host: str, expected: int) -> None:
    assert status("GET", "/", host=host) == expected
    assert status("GET", "/graphql", host=host, kind="websocket") == expected


def test_one_host_is_named_and_no_forwarded_one_is_believed() -> None:
    assert status("GET", "/", ("host", "127.0.0.1"), ("host", "evil.example")) == 403
    assert find_refusal({**scope("GET", "/"), "headers": []}, ()) is not None
    assert status("GET", "/", host="evil.example", x_forwarded_host="127.0.0.1") == 403
    assert status("GET", "/", x_forwarded_host="evil.example", forwarded="host=evil.example") == 200


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://127.0.0.1:3000", 200),
        ("http://localhost:8888", 200),
        ("https://relight.example.com", 200),
        ("https://evil.example", 403),
        ("https://relight.example.com.evil.example", 403),
        ("https://evil.example/127.0.0.1", 403),
        ("file://", 403),
        ("chrome-extension://abcdef", 403),
        ("null", 403),
        ("NULL", 403),
        ("", 403),
    ],
)
def test_the_origin_must_be_known(origin: str, expected: int) -> None:
    assert status("POST", "/graphql", **JSON, origin=origin) == expected
    assert status("POST", "/report_asset_check/masks", **JSON, origin=origin) == expected
    assert status("GET", "/graphql", kind="websocket", origin=origin) == expected


def test_of_two_origins_both_must_be_known() -> None:
    known, other = ("origin", "http://localhost:3000"), ("origin", "https://evil.example")
    assert status("POST", "/graphql", known, other, **JSON) == 403


def test_another_site_may_link_to_a_page_and_no_more() -> None:
    assert status("GET", "/runs/abc", **LINK) == 200
    assert status("GET", "/runs/abc", **LINK, origin="null") == 200
    assert status("GET", "/runs/abc", **LINK, origin="https://evil.example") == 403
    assert status("GET", "/notebook", **LINK) == 403  # it shows a file of this machine as a page
    for other in ({"sec-fetch-mode": "no-cors"}, {"sec-fetch-dest": "iframe"}, {"sec-fetch-dest": "image"}):
        assert status("GET", "/runs/abc", **(LINK | other)) == 403
    assert status("GET", "/graphql", **LINK, accept="text/html") == 403
    assert status("GET", "/prefix/graphql/", **LINK, accept="text/html") == 403
    assert status("POST", "/runs/abc", **JSON, **LINK) == 403
    assert status("GET", "/graphql", **LINK, kind="websocket") == 403
    assert status("GET", "/", sec_fetch_site="same-origin") == status("GET", "/", sec_fetch_site="none") == 200


@pytest.mark.parametrize("path", ["/graphql\n", "/graphql\r\n", "/x\n/graphql", "/\x00graphql", "/graphql\u2028"])
def test_a_path_that_cannot_be_printed_is_refused(path: str) -> None:
    for method in ("GET", "POST", "HEAD"):  # "/graphql\n" is Dagster's /graphql
        assert status(method, path, **JSON, accept="*/*") == 400
    assert status("GET", path, **LINK) == status("GET", path, kind="websocket") == 400


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("text/plain; application/json", 415),
        ("application/graphql", 415),
        ("application/json-patch+json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_what_may_change_something_is_json(content_type: str, expected: int) -> None:
    for path in ("/graphql", "/x/graphql", "/report_asset_check/masks"):
        assert status("POST", path, content_type=content_type) == expected


def test_without_a_content_type_or_with_two_nothing_is_changed() -> None:
    assert status("POST", "/graphql") == 415
    assert status("POST", "/report_asset_check/masks") == 415
    assert status("PUT", "/anything") == 415
    assert status("POST", "/graphql", ("content-type", "application/json"), ("content-type", "text/plain")) == 415


def test_graphql_is_asked_by_post_and_shows_its_page_by_get() -> None:
    assert status("GET", "/graphql", accept="text/html,application/xhtml+xml") == 200
    for accept in ("*/*", "application/json", "TEXT/HTML", ""):  # Dagster would run the query of the URL
        assert status("GET", "/graphql", accept=accept) == 405
    assert status("GET", "/graphql", ("accept", "*/*"), ("accept", "text/html")) == 405
    assert status("HEAD", "/graphql", accept="text/html") == 405
    assert status("OPTIONS", "/graphql") == 405


def answers(connection: Scope, hosts: list[str]) -> tuple[list[Scope], list[Message]]:
    """What the application behind a guard was called with, and what was sent."""
    called: list[Scope] = []
    sent: list[Message] = []

    async def app(inner: Scope, receive: Any, send: Any) -> None:
        called.append(inner)
        if inner["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
            await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(RequestGuard(app, hosts)(connection, receive, send))
    return called, sent


def test_no_answer_may_be_shown_in_a_frame() -> None:
    policy = (b"content-security-policy", b"frame-ancestors 'none'")
    called, sent = answers(scope("GET", "/"), HOSTS)
    assert len(called) == 1
    assert sent[0]["headers"] == [(b"x-own", b"1"), policy]
    called, sent = answers(scope("GET", "/", host="evil.example"), HOSTS)
    assert not called
    assert (sent[0]["status"], policy in sent[0]["headers"]) == (403, True)
    assert sent[1]["body"].startswith(b"refused: the host 'evil.example' is not known here; ")


def test_the_page_of_graphql_gets_no_query() -> None:
    (called,), _ = answers(scope("GET", "/graphql", accept="text/html"), HOSTS)
    assert called["query_string"] == b""
    (called,), _ = answers(scope("GET", "/logs/x"), HOSTS)
    assert called["query_string"] == b"query=mutation"


def test_a_websocket_is_refused_before_it_is_accepted() -> None:
    called, sent = answers(scope("GET", "/graphql", kind="websocket", origin="https://evil.example"), HOSTS)
    assert not called
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_what_is_no_request_passes() -> None:
    (called,), _ = answers({"type": "lifespan"}, HOSTS)
    assert called == {"type": "lifespan"}


def test_each_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def nobody(*_: object) -> None:
        raise AssertionError

    async def send(_: Message) -> None: ...

    guard = RequestGuard(nobody)
    for number in (0, 0, *range(1, 200)):
        asyncio.run(guard(scope("GET", "/", host=f"h{number}\x1b.example"), nobody, send))  # type: ignore[arg-type]
    reported = [record.getMessage() for record in caplog.records]
    assert len(reported) == 100
    assert reported[0].startswith(r"a request was refused: the host 'h0\x1b.example' is not known here")
