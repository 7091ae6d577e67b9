"""A proxy before an S3 server, over real sockets: it counts requests, and fails some as a store or network does."""

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Refusal:
    """An answer in place of the store's: status, and the code and further XML of its body."""

    status: int
    code: str
    more: str = ""

    @property
    def body(self) -> bytes:
        return f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>no</Message>{self.more}</Error>".encode()


RESET = "reset"
"""The connection is reset once the request has been read; the store never sees it."""
HALF = "half"
"""The store is handed half of the body, and keeps that: nobody is told."""
HALF_ANSWER = "half answer"
"""The connection is reset in the middle of the store's answer."""
Fault = Refusal | str | None
Choose = Callable[[str, str, int], Fault]
"""Method, path with query, and how many requests of this method came before: what becomes of the request."""


@dataclass
class FaultProxy:
    """What the proxy is set to, and what it has seen."""

    upstream: tuple[str, int]
    port: int = 0
    choose: Choose = lambda _method, _path, _count: None
    methods: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self, method: str) -> list[str]:
        """The keys of the requests of a method, in order, without their queries."""
        return [path.partition("?")[0] for seen, path in self.requests if seen == method]

    def forget(self) -> None:
        """Count anew, without faults."""
        self.choose = lambda _method, _path, _count: None
        self.methods.clear()
        self.requests.clear()

    def fault_of(self, method: str, path: str, headers: dict[str, str]) -> Fault:
        with self._lock:
            before = self.methods[method]
            self.methods[method] += 1
            self.requests.append((method, path))
            self.headers.append(headers)
        return self.choose(method, path, before)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.fault_of(self.command, self.path, dict(self.headers))
        if isinstance(fault, Refusal):
            self._answer(fault.status, {"Content-Type": "application/xml"}, fault.body)
        elif fault == RESET:
            self._reset()
        else:
            self._forward(body[: len(body) // 2] if fault == HALF else body, cut=fault == HALF_ANSWER)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815

    def _forward(self, body: bytes, *, cut: bool) -> None:
        upstream = http.client.HTTPConnection(*self.proxy.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        upstream.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
        answer = upstream.getresponse()
        data = answer.read()
        kept = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}
        }
        if self.command == "HEAD":
            kept["Content-Length"] = answer.getheader("Content-Length") or "0"
        upstream.close()
        self._answer(answer.status, kept, data, cut=cut)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        elif "Content-Length" not in headers:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that are killed, and connections that were reset, are what the tests are about."""


@contextmanager
def faulty(upstream: tuple[str, int]) -> Iterator[FaultProxy]:
    """A proxy before the server at ``upstream``, until the block ends."""
    proxy = FaultProxy(upstream)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
