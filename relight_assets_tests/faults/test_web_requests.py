"""What another page, a proxy and a program send to a real `relight dev`, and with what that ends when it is stopped."""

import http.client
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from relight_assets_tests.conftest import PORTRAITS, Project, make_project
from relight_assets_tests.faults.dagster_process import RelightDev, started, write_workspace
from relight_assets_tests.faults.processes import require_servers, wait_until

pytestmark = pytest.mark.servers

NAME = "relight.example.com"
EVIL = "https://evil.example"
JSON = {"Content-Type": "application/json"}
ADD = """mutation { addDynamicPartition(partitionKey: "intruder", partitionsDefName: "splits",
  repositorySelector: {repositoryLocationName: "relight_assets", repositoryName: "__repository__"}) { __typename } }"""
BODY = json.dumps({"query": ADD})
CHECK = "/report_asset_check/mapping_csv?" + urlencode({"check_name": "rows", "passed": "true"})


class Server(RelightDev):
    """A `relight dev` that is asked in ways in which the UI does not."""

    options: tuple[str, ...] = ()

    def _command(self) -> list[str]:
        return [*super()._command(), *self.options]

    @property
    def port(self) -> int:
        return self._port

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> tuple[int, str]:
        """The status and the text of the answer to one request, with these headers and no others but Host."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            given = {"Host": f"127.0.0.1:{self._port}", **headers}
            if body is not None:
                given["Content-Length"] = str(len(body.encode()))
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(body.encode() if body is not None else None)
            answer = connection.getresponse()
            self.policies = answer.headers.get_all("Content-Security-Policy", [])
            return answer.status, answer.read().decode(errors="replace")

    def has_intruder(self) -> bool:
        query = '{ assetNodes(assetKeys: [{path: "masks"}] loadMaterializations: false) { partitionKeys } }'
        status, text = self.ask("POST", "/graphql", JSON, json.dumps({"query": query}))
        assert status == 200, text
        return "intruder" in text

    def connect(self, headers: Mapping[str, str]) -> ClientConnection:
        """A websocket, opened with these headers."""
        url = f"ws://127.0.0.1:{self._port}/graphql"
        return connect(url, additional_headers=headers, subprotocols=[Subprotocol("graphql-ws")], proxy=None)

    def handshake(self, **headers: str) -> str:
        """The first message of a websocket that was opened with these headers."""
        with self.connect(headers) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            return str(json.loads(socket.recv(30))["type"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    require_servers()
    made = make_project(tmp_path_factory.mktemp("asked"), photos)
    (made.root / "config" / "platform.yaml").write_text(f"watch: false\nui_hosts: [{NAME}]\n")
    write_workspace(made.root)  # with the name of the code location that ADD has
    made.write_csv("train", PORTRAITS[:1])
    return made


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[Server]:
    with started(Server(project.root)) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        # Every way in that Dagster's server leaves open to a page of another site.
        ("GET", f"/graphql?{urlencode({'query': ADD})}", {}, None, 405),
        ("GET", f"/graphql?{urlencode({'query': ADD})}", {"Accept": "*/*", "Origin": EVIL}, None, 403),
        ("POST", f"/graphql?{urlencode({'query': ADD})}", {"Content-Type": "text/plain"}, "", 415),
        ("POST", "/graphql", {"Content-Type": "text/plain; application/json"}, BODY, 415),
        ("POST", "/graphql", {"Content-Type": "application/graphql"}, ADD, 415),
        ("POST", f"/graphql?{urlencode({'query': ADD})}", {}, "", 415),
        ("POST", "/graphql", JSON | {"Origin": EVIL}, BODY, 403),
        ("POST", "/graphql", JSON | {"Origin": "null"}, BODY, 403),
        ("POST", "/graphql", JSON | {"Sec-Fetch-Site": "cross-site"}, BODY, 403),
        ("POST", CHECK, {}, "", 415),
        ("POST", CHECK, {"Origin": EVIL, "Content-Type": "application/x-www-form-urlencoded"}, "", 403),
        ("GET", f"/graphql%0A?{urlencode({'query': ADD})}", {"Accept": "*/*"}, None, 400),
        # A name that was rebound to 127.0.0.1, and a proxy's headers, which anybody can write.
        ("POST", "/graphql", JSON | {"Host": "evil.example:3000", "Origin": "http://evil.example:3000"}, BODY, 403),
        ("POST", "/graphql", JSON | {"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"}, BODY, 403),
        ("GET", "/", {"Host": "evil.example"}, None, 403),
    ],
)
def test_what_another_page_can_send_is_refused(
    server: Server, method: str, path: str, headers: dict[str, str], body: str | None, status: int
) -> None:
    found, text = server.ask(method, path, headers, body)
    assert (found, text.partition(": ")[0]) == (status, "refused")
    assert server.policies == ["frame-ancestors 'none'"]
    assert not server.has_intruder()


@pytest.mark.parametrize(
    "headers",
    [{"Origin": EVIL}, {"Origin": "null"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_websocket_of_another_page_is_refused(server: Server, headers: dict[str, str]) -> None:
    if "Host" in headers:  # which the client writes by itself
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        found, _ = server.ask("GET", "/graphql", headers | upgrade | {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert found == 403
        return
    with pytest.raises(InvalidStatus) as refused:
        server.connect(headers)
    assert refused.value.response.status_code == 403


def test_the_ui_a_link_to_it_and_a_proxy_are_answered(server: Server) -> None:
    page = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for site in ("none", "same-origin", "cross-site"):
        status, text = server.ask("GET", "/assets/masks", page | {"Sec-Fetch-Site": site})
        assert (status, "<html" in text) == (200, True)
        assert server.policies[-1] == "frame-ancestors 'none'"
        assert "script-src" in server.policies[0], "Dagster's own policy is gone"
    status, text = server.ask("GET", f"/graphql?{urlencode({'query': ADD})}", {"Accept": "text/html"})
    assert (status, "<html" in text) == (200, True)
    proxied = {"Host": NAME, "Origin": f"https://{NAME}", "X-Forwarded-Proto": "https"}
    status, text = server.ask("POST", "/graphql", JSON | proxied, json.dumps({"query": "{ version }"}))
    assert (status, "version" in text) == (200, True)
    assert server.handshake() == "connection_ack"
    assert server.handshake(Origin=f"http://localhost:{server.port}") == "connection_ack"
    assert server.handshake(Origin=f"https://{NAME}") == "connection_ack"
    assert not server.has_intruder()


def test_a_program_may_do_what_the_ui_does(server: Server) -> None:
    status, text = server.ask("POST", "/graphql", JSON, BODY)
    assert (status, "AddDynamicPartitionSuccess" in text) == (200, True), text
    assert server.has_intruder()


def test_a_port_that_is_taken_is_said_before_anything_starts(server: Server, tmp_path: Path) -> None:
    second = Server(tmp_path, environment={"RELIGHT_DAGSTER_HOME": str(tmp_path / "home")})
    second.options = ("--port", str(server.port))
    ended = second.run_to_its_end()
    assert ended == 2
    assert second.tail().startswith(f"error: port {server.port} of 127.0.0.1 is taken; ")
    assert not (tmp_path / "home").exists()


def test_a_websocket_that_is_refused_is_logged_once(server: Server) -> None:
    log = server.log.read_text()
    assert log.count("a request was refused: it comes from a page of 'https://evil.example'") == 1
    assert "ERROR" not in log


def test_a_server_that_ends_by_itself_ends_them_all_with_1(server: Server) -> None:
    (web,) = [process for process in server.processes() if "relight_assets.defs.server.webserver" in process.command]
    os.kill(web.pid, signal.SIGTERM)
    assert wait_until(lambda: server.ended, 60) is not None, server.tail()
    assert server.exit_code == 1, server.tail()
    assert server.tail().splitlines()[-1].startswith("error: a server of the UI ended by itself")


def test_a_read_only_ui_beside_a_bad_csv_is_stopped_twice_and_leaves_nothing(project: Project) -> None:
    (project.data / "bad_images.csv").write_text("no_such_column\na.png\n")
    server = Server(project.root)
    server.options = ("--read-only",)
    with started(server):
        assert server.ask("POST", "/graphql", JSON, json.dumps({"query": "{ version }"}))[0] == 200
        status, text = server.ask("POST", "/graphql", JSON, BODY.replace("intruder", "other"))
        assert (status, "UnauthorizedError" in text) == (200, True), text
        assert "bad_images.csv" in server.tail()
        running = len(server.processes())
        server.signal(signal.SIGHUP)
        assert wait_until(lambda: len(server.processes()) < running or server.ended, 30) is not None, server.tail()
        server.signal(signal.SIGINT)
        assert wait_until(lambda: server.ended, 60) is not None
        assert server.exit_code == 2, server.tail()
        assert not [each for each in server.processes() if "webserver" in each.command or "_daemon" in each.command]
