"""A webhook on this machine: a real HTTP server that keeps what it is sent and answers as it is set to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PATH = "/services/T0K3N?key=S3CR3T"
SECRETS = ("T0K3N", "S3CR3T")
"""What no message may show."""


class Receiver:
    """``answers`` are statuses, used up one by one; then 200.  0 breaks the connection off instead."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.authorizations: list[str | None] = []
        self.answers: list[int] = []
        self.wait = threading.Event()
        """Cleared: nothing is answered until it is set."""
        self.wait.set()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        assert request.headers["Content-Type"] == "application/json"
        self.paths.append(f"{request.command} {request.path}")
        self.authorizations.append(request.headers["Authorization"])
        self.documents.append(json.loads(body))
        status = self.answers.pop(0) if self.answers else 200
        self.wait.wait()
        if not status:
            request.close_connection = True
            return
        request.send_response(status)
        if 300 <= status < 400:
            request.send_header("Location", "/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()


@contextmanager
def receiving() -> Iterator[tuple[str, Receiver]]:
    """A webhook's address, and what it receives."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        # Not by a proxy, which a shell may name.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NO_PROXY", "127.0.0.1")
            yield f"http://127.0.0.1:{server.server_port}{PATH}", receiver
    finally:
        receiver.wait.set()
        server.shutdown()
        server.server_close()
        thread.join()
