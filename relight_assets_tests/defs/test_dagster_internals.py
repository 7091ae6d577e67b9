"""What this package relies on in Dagster beyond its documented interface, tried on the Dagster that is installed.

A test here that fails after an update of Dagster names the function of defs/dagster_internals.py to mend.  Pin the
version before (pyproject.toml, constraints.txt) until it is.
"""

import ast
import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import relight_assets
from relight_assets.defs import dagster_internals
from relight_assets.defs.dagster_internals import (
    DAEMON,
    WEB_SERVER,
    assign_free_slots,
    captured_address,
    captured_file,
    create_pool,
    disable_output_capture,
    free_slots,
    home_of,
    is_finished,
    mark_failed,
    mark_failed_without_event,
    pool_claims,
    pool_limits,
    print_only_warnings,
    recorded_errors,
    replace_servers,
    run_dev,
    run_web_server,
)
from relight_assets.errors import ServersEndedError

DAGSTER_YAML = "telemetry:\n  enabled: false\nconcurrency:\n  pools:\n    default_limit: 1\n"
POOL, STEP = "gpu", "relight_images"
PACKAGE = Path(relight_assets.__file__).parent
OWNER = Path(dagster_internals.__file__)
PRIVATE_PACKAGES = ("dagster._", "dagster_shared", "dagster_webserver")
PRIVATE_NAMES = frozenset(
    {
        "capture_logs",
        "compute_log_manager",
        "event_log_storage",
        "get_captured_local_path",
        "has_run",
        "open_ipc_subprocess",
        "report_run_failed",
        "root_directory",
        "run_storage",
        "schedule_storage",
    }
)
CONFIG_KEYS = frozenset({"run_storage", "schedule_storage"})
"""Of dagster.yaml, which is documented."""


@dg.op
def speak() -> None:
    print("spoken aloud")


@dg.job
def speaks() -> None:
    speak()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(
        "telemetry:\n  enabled: false\nconcurrency:\n  pools:\n    default_limit: 1\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def _run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED) -> dg.DagsterRun:
    return instance.create_run_for_job(speaks, status=status)


def test_no_other_module_names_what_is_private_in_dagster() -> None:
    found = [
        f"{path.relative_to(PACKAGE.parent)}:{line} names {name}"
        for path in PACKAGE.rglob("*.py")
        if path != OWNER
        for line, name in _private_names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "move each use to a function of defs/dagster_internals.py, with a test of it here"


def _private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{each.name}" for each in node.names)]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.Attribute | ast.Constant):
            name = node.attr if isinstance(node, ast.Attribute) else node.value
            if name in PRIVATE_NAMES and not (isinstance(node, ast.Constant) and name in CONFIG_KEYS):
                yield node.lineno, str(name)
            continue
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.startswith(PRIVATE_PACKAGES))


@pytest.mark.parametrize(
    "code",
    [
        "from dagster._core.storage import tags",
        "import dagster_webserver.cli",
        "from dagster import _core",
        "instance.event_log_storage.wipe()",
        "getattr(manager, 'capture_logs')",
    ],
)
def test_such_names_are_found(code: str) -> None:
    assert list(_private_names(ast.parse(code)))


def test_the_home_is_the_folder_of_the_databases(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    _run(instance)
    assert home_of(instance) == tmp_path, "mend home_of: our locks and databases must lie in DAGSTER_HOME"
    assert (home_of(instance) / "history" / "runs.db").is_file(), "the databases lie elsewhere: mend doctor, then this"


def test_every_status_has_ended_or_not(instance: dg.DagsterInstance) -> None:
    for status in set(dg.DagsterRunStatus) - {dg.DagsterRunStatus.QUEUED}:  # which only Dagster's own runs have
        assert is_finished(status) is _run(instance, status).is_finished, f"mend is_finished for {status}"
    assert {status.value for status in dg.DagsterRunStatus if is_finished(status)} == {"SUCCESS", "FAILURE", "CANCELED"}


def test_a_run_is_marked_as_failed_with_a_message(instance: dg.DagsterInstance) -> None:
    run = _run(instance)
    mark_failed(instance, run, "it is gone")
    assert _status(instance, run) is dg.DagsterRunStatus.FAILURE, "mend mark_failed: dead runs keep the devices"
    (event,) = _failures(instance, run)
    assert event.event_log_entry.get_dagster_event().message == "it is gone"


def test_the_status_alone_is_marked_without_an_event(instance: dg.DagsterInstance) -> None:
    run = _run(instance)
    mark_failed_without_event(instance, run, "it is gone")
    assert _status(instance, run) is dg.DagsterRunStatus.FAILURE, "mend mark_failed_without_event"
    assert not _failures(instance, run)


def _status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[dg.EventLogRecord]:
    kinds = {dg.DagsterEventType.RUN_FAILURE}
    return [*instance.get_records_for_run(run.run_id, None, kinds).records]


def test_output_is_captured_unless_that_is_disabled(
    instance: dg.DagsterInstance, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def outputs() -> list[Path]:
        return [path for path in tmp_path.rglob("*.out") if "spoken aloud" in path.read_text()]

    assert speaks.execute_in_process(instance=instance).success
    assert len(outputs()) == 1, "Dagster captures output in another way: see whether disable_output_capture is needed"
    disable_output_capture(instance)
    capfd.readouterr()
    assert speaks.execute_in_process(instance=instance).success
    assert "spoken aloud" in capfd.readouterr().out
    assert len(outputs()) == 1, "mend disable_output_capture: the progress bar stands still while output is captured"


def test_files_are_served_from_where_they_are_put_and_graphql_is_asked_by_post_alone(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_webserver import cli
    from dagster_webserver.graphql import GraphQLServer
    from starlette.responses import PlainTextResponse

    served: list[Any] = []
    wrapped: list[Any] = []

    def wrap(app: Any) -> Any:
        wrapped.append(app)
        return ("wrapped", app)

    def refuse(headers: Mapping[str, str]) -> Any:
        return None if headers.get("accept") == "text/html" else PlainTextResponse("by POST", 405)

    # To be put back after the test, and without a port.
    create = "create_app_from_workspace_process_context"
    monkeypatch.setattr(cli, create, getattr(cli, create))
    monkeypatch.setattr(GraphQLServer, "graphql_http_endpoint", GraphQLServer.graphql_http_endpoint)
    monkeypatch.setattr(sys, "argv", ["dagster-webserver", "--empty-workspace"])
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    key = ("previews", "run", "train")
    image = captured_file(instance, key, "jpg")
    assert image is not None, "mend captured_file: images go into the text, where the UI folds them"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"an image")

    asked: list[Any] = []

    def ask_all(app: Any, **_: Any) -> None:
        served.append(app)
        (inner,) = wrapped
        asked.extend(
            [
                _ask(inner, "GET", captured_address(key, "jpg")),
                _ask(inner, "GET", "/graphql", query=b"query={version}"),
                _ask(inner, "GET", "/graphql", query=b"query={version}", accept=b"text/html"),
                _ask(inner, "POST", "/graphql", body=b'{"query": "{ version }"}'),
            ]
        )

    monkeypatch.setattr(cli.uvicorn, "run", ask_all)
    with pytest.raises(SystemExit) as ended:
        run_web_server(wrap, refuse)
    assert not ended.value.code
    assert served == [("wrapped", *wrapped)], "mend run_web_server: what is served must be what `wrap` returned"
    assert asked[0] == (200, b"an image"), "mend captured_file and captured_address: previews are not served"
    assert asked[1] == (405, b"by POST"), "mend run_web_server: Dagster ran a query that came in an address"
    assert asked[2][0] == 200
    assert b"<html" in asked[2][1].lower(), "mend run_web_server: the page of GraphQL is gone"
    assert asked[3][0] == 200
    assert dg.__version__.encode() in asked[3][1]


def _ask(
    app: Any, method: str, path: str, *, query: bytes = b"", accept: bytes = b"*/*", body: bytes = b""
) -> tuple[int, bytes]:
    """The status and the body of the answer of an ASGI application."""
    headers = [(b"host", b"127.0.0.1"), (b"accept", accept), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[dict[str, Any]] = []

    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not unread:
            await asyncio.Event().wait()  # who asks stays until the answer is there
        return unread.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 60))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_without_local_logs_there_is_no_captured_file() -> None:
    with dg.DagsterInstance.ephemeral() as made:
        assert captured_file(made, ("previews", "run", "train"), "jpg") is None


def test_the_pool_is_made_and_says_who_holds_and_who_waits(instance: dg.DagsterInstance) -> None:
    assert pool_limits(instance) == {}
    create_pool(instance, POOL)
    assert pool_limits(instance) == {POOL: 1}, "mend create_pool and pool_limits: every queued run would be started"
    first, second = _run(instance).run_id, _run(instance).run_id
    storage = instance.event_log_storage
    assert storage.claim_concurrency_slot(POOL, first, STEP).is_claimed
    assert not storage.claim_concurrency_slot(POOL, second, STEP).is_claimed
    claims = pool_claims(instance, POOL)
    assert (claims.held, claims.assigned) == ({(first, STEP)}, frozenset()), "mend pool_claims"
    assert claims.waiting == {(second, STEP)}
    free_slots(instance, first)
    claims = pool_claims(instance, POOL)
    assert not claims.held, "mend free_slots: what a dead run holds is never freed"
    assert claims.assigned == {(second, STEP)}, "mend pool_claims: a slot that is given and not taken yet counts"
    free_slots(instance, second)
    assert pool_claims(instance, POOL) == dagster_internals.PoolClaims(frozenset(), frozenset(), frozenset())


def test_a_slot_that_was_freed_and_given_to_nobody_is_given_to_who_waits(instance: dg.DagsterInstance) -> None:
    create_pool(instance, POOL)
    first, second = _run(instance).run_id, _run(instance).run_id
    storage: Any = instance.event_log_storage
    assert storage.claim_concurrency_slot(POOL, first, STEP).is_claimed
    assert not storage.claim_concurrency_slot(POOL, second, STEP).is_claimed
    storage._free_concurrency_slots(run_id=first)
    storage._remove_pending_steps(run_id=first)  # and then its process was killed
    assert not pool_claims(instance, POOL).assigned
    assign_free_slots(instance, POOL)
    assert pool_claims(instance, POOL).assigned == {(second, STEP)}, "mend assign_free_slots: nobody gets the devices"


def test_recorded_errors_have_the_full_name_and_the_message_apart(instance: dg.DagsterInstance) -> None:
    @dg.op
    def fails() -> None:
        raise ServersEndedError("first: second") from OSError(5, "Input/output error")

    @dg.job
    def failing() -> None:
        fails()

    result = failing.execute_in_process(instance=instance, raise_on_error=False)
    (event,) = result.get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    chain = [(link.path, link.name, link.message) for link in recorded_errors(error)]
    assert chain[1:] == [
        ("relight_assets.errors.ServersEndedError", "ServersEndedError", "first: second"),
        ("OSError", "OSError", "[Errno 5] Input/output error"),
    ], "mend recorded_errors: sentences for people would show the wrong cause"
    assert chain[0][1] == "DagsterExecutionStepExecutionError"


class _EnoughError(Exception):
    pass


def test_dagster_dev_starts_a_web_server_and_a_daemon_in_the_known_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster._cli import dev

    started: list[tuple[str, str, list[str]]] = []

    def start(python: str, module: str, arguments: list[str]) -> Any:
        started.append((python, module, arguments))
        if len(started) == 2:
            raise _EnoughError
        return None

    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (tmp_path / "code.py").write_text("import dagster\ndefs = dagster.Definitions()\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "open_ipc_subprocess", dev.open_ipc_subprocess)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    replace_servers(start)
    try:
        with pytest.raises(_EnoughError):
            run_dev(["-f", "code.py", "-h", "127.0.0.1", "-p", "3999", "--use-legacy-code-server-behavior"])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert [(python, module) for python, module, _ in started] == [
        (sys.executable, WEB_SERVER),
        (sys.executable, DAEMON),
    ], "mend replace_servers and run_dev: the UI would be served without the guard"
    web, daemon = (arguments for _, _, arguments in started)
    assert web[web.index("--port") + 1] == "3999"
    assert web[web.index("--host") + 1] == "127.0.0.1"
    assert daemon[0] == "run"
    assert "--shutdown-pipe" not in web + daemon


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-m", "dagster_webserver.next", "--shutdown-pipe", "7"),
        (sys.executable, "-m", WEB_SERVER, "--port", "3000"),
        ("dagster-webserver", "--port", "3000", "--shutdown-pipe", "7"),
    ],
)
def test_a_server_that_is_started_in_another_way_is_refused(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster._cli import dev

    monkeypatch.setattr(dev, "open_ipc_subprocess", dev.open_ipc_subprocess)
    replace_servers(lambda *_: pytest.fail("it was started"))
    with pytest.raises(ServersEndedError, match="in a way that is not known here"):
        dev.open_ipc_subprocess(list(command), pass_fds=[])


def test_runs_print_warnings_alone(capfd: pytest.CaptureFixture[str]) -> None:
    print_only_warnings()
    words = dg.op(name="words")(lambda context: [context.log.info("quiet"), context.log.warning("loud")])
    dg.GraphDefinition("speaks", node_defs=[words]).execute_in_process()
    printed = capfd.readouterr().err
    assert [name in printed for name in ("loud", "quiet", "STEP_START")] == [True, False, False]
