"""What this package uses of Dagster beyond its documented interface: a function for each use, with the reason for it.

No other module names these parts of Dagster.  ``relight_assets_tests/defs/test_dagster_internals.py`` holds a test of
each function, which fails when another version of Dagster changes what the function relies on.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution import context_creation_job
from dagster._core.executor.child_process_executor import _execute_command_in_child_process
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster_shared.error import SerializableErrorInfo

from relight_assets.errors import ServersEndedError

WEB_SERVER, DAEMON = "dagster_webserver", "dagster._daemon"
"""The modules that ``dagster dev`` starts as processes."""
_START_SERVER = "open_ipc_subprocess"
_SHUTDOWN_PIPE = "--shutdown-pipe"
_CONSOLE = "default_system_loggers"
_CREATE_APP = "create_app_from_workspace_process_context"


def home_of(instance: dg.DagsterInstance) -> Path:
    """The folder of the instance; our locks lie in it, beside the databases whose runs they belong to."""
    return Path(instance.root_directory)


def is_finished(status: dg.DagsterRunStatus) -> bool:
    """Whether a run of this status has ended; :class:`dagster.DagsterRun` answers that for a whole run alone."""
    return status in FINISHED_STATUSES


def mark_failed(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str) -> None:
    """Record the end of a run whose process is gone; Dagster does that by itself only for runs of its daemon."""
    instance.report_run_failed(run, message)


def mark_failed_without_event(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str) -> None:
    """As :func:`mark_failed`, where the database of the run's events cannot be written: its status alone."""
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_FAILURE.value, run.job_name, message=message)
    instance.run_storage.handle_run_event(run.run_id, event)


# -- The output of runs ---------------------------------------------------------------------------------------


def disable_output_capture(instance: dg.DagsterInstance) -> None:
    """Have Dagster not turn what a run of the command line prints into files for the UI.

    While it does, the progress bar stands still, and the helpers that it starts for it answer Ctrl-C with a
    traceback each.  No setting of an instance switches that off for one process.
    """

    @contextmanager
    def uncaptured(log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        yield CapturedLogContext(log_key)

    instance.compute_log_manager.capture_logs = uncaptured  # type: ignore[method-assign]


def print_only_warnings() -> None:
    """Have runs of this process print warnings and errors alone, unless their config says otherwise.

    By itself Dagster prints each event, a dozen lines for each step, among which an error is not seen.  Its setting
    ``python_log_level`` would take the lines out of the UI, too.
    """

    def loggers(_instance: object) -> list[tuple[dg.LoggerDefinition, dict[str, str]]]:
        return [(dg.colored_console_logger, {"name": "dagster", "log_level": "WARNING"})]

    setattr(context_creation_job, _CONSOLE, loggers)


def captured_file(instance: dg.DagsterInstance, key: Sequence[str], extension: str) -> Path | None:
    """Where a file lies that the web server serves as :func:`captured_address`; None where it serves no local files.

    Dagster has no interface for images of a run; its web server serves whatever lies beside the captured output.
    """
    place = getattr(instance.compute_log_manager, "get_captured_local_path", None)
    return None if place is None else Path(place(list(key), extension))


def captured_address(key: Sequence[str], extension: str) -> str:
    """The path, on the web server, of what lies at :func:`captured_file`."""
    return f"/logs/{'/'.join(key)}/{extension}"


def is_child_process_of_executor(process: BaseProcess) -> bool:
    """Whether an executor of Dagster made a process, the current one, for one step of a run.

    Neither a step nor a resource is told in whose process it is.
    """
    return getattr(process, "_target", None) is _execute_command_in_child_process


# -- Checks that no run evaluates ------------------------------------------------------------------------------


def report_check(instance: dg.DagsterInstance, evaluation: dg.AssetCheckEvaluation) -> None:
    """Report an evaluation of a check of a partition that is made outside a run, in the place of the one before.

    Dagster takes only one of each partition: a second breaks a constraint of its table.
    """
    # Not with the definitions: SQLAlchemy and Alembic would be a third of what loading them takes.
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable  # noqa: PLC0415
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage  # noqa: PLC0415

    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        row = AssetCheckExecutionsTable.c
        before = (
            (row.asset_key == evaluation.asset_key.to_string())
            & (row.check_name == evaluation.check_name)
            & (row.partition == evaluation.partition)
            & (row.run_id == "")
        )
        with storage.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.delete().where(before))
    instance.report_runless_asset_event(evaluation)


# -- The pool of the devices ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PoolClaims:
    """The steps, each as run id and step key, that hold a slot of a pool or wait for one in a started process.

    ``assigned`` are those of the waiting to whom a slot was given that they have not taken yet.
    """

    held: frozenset[tuple[str, str]]
    waiting: frozenset[tuple[str, str]]
    assigned: frozenset[tuple[str, str]]


def pool_limits(instance: dg.DagsterInstance) -> dict[str, int]:
    """The number of slots of each pool that there is; documented is only how people set it."""
    return {limit.name: limit.limit for limit in instance.event_log_storage.get_pool_limits()}


def create_pool(instance: dg.DagsterInstance, pool: str) -> None:
    """Make a pool with the limit that is the instance's default.

    Dagster's daemon makes the pool as it starts the first runs, and starts them all: those that then wait for
    a slot wait as started runs, each at the cost of a whole core.
    """
    instance.event_log_storage.initialize_concurrency_limit_to_default(pool)


def pool_claims(instance: dg.DagsterInstance, pool: str) -> PoolClaims:
    """Who holds the slots of a pool, and who waits for one; only the UI shows it."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    held = frozenset((claim.run_id, claim.step_key) for claim in info.claimed_slots)
    pending = {(step.run_id, step.step_key): step for step in info.pending_steps}  # with those that hold one
    waiting = frozenset(pending) - held
    return PoolClaims(held, waiting, frozenset(key for key in waiting if pending[key].assigned_timestamp is not None))


def free_slots(instance: dg.DagsterInstance, run_id: str) -> None:
    """Free the slots that a run holds and end its waiting; Dagster does that at the end of a step, or some time later.

    A slot that a dead run keeps is taken for ever, and no other run would start.
    """
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def assign_free_slots(instance: dg.DagsterInstance, pool: str) -> None:
    """Give free slots to those who wait.

    Dagster hands a free slot to the next who waits as it frees it; one who was killed in between did not.
    """
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage  # noqa: PLC0415  (as above)

    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage) and storage.has_unassigned_slots(pool):
        storage.assign_pending_steps([pool])


# -- Errors that Dagster has recorded -------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordedError:
    """One error of a chain, as Dagster keeps it: the full name of its class, the name alone, and its message."""

    path: str
    name: str
    message: str


def recorded_errors(error: SerializableErrorInfo) -> list[RecordedError]:
    """An error and what it came from, the innermost cause last.

    Dagster keeps errors as text, the class's full name before the message; the sentences for people are made of both.
    """
    chain: list[RecordedError] = []
    link: SerializableErrorInfo | None = error
    while link is not None:
        name = link.cls_name or ""
        path, _, rest = link.message.strip().partition(": ")
        known = path.endswith(name)
        chain.append(RecordedError(path if known else name, name, rest if known else link.message.strip()))
        link = link.cause or link.context
    return chain


# -- Dagster's servers ----------------------------------------------------------------------------------------


def replace_servers(start: Callable[[str, str, list[str]], "subprocess.Popen[bytes]"]) -> None:
    """Have ``dagster dev`` start its servers with ``start(python, module, arguments)``.

    So that the web server is the guarded one, which no option of ``dagster dev`` says.  ``arguments`` lack the pipe by
    which Dagster ends its servers: one that ends by itself then waits for ever for the thread that reads the pipe.
    ``module`` is :data:`WEB_SERVER` or :data:`DAEMON`; anything else raises :class:`ServersEndedError` and is not
    started: rather nothing than a server without a guard.
    """
    from dagster._cli import dev  # noqa: PLC0415  (half a second, which no run needs)

    def start_server(command: Sequence[str], **_: Any) -> "subprocess.Popen[bytes]":
        python, flag, module, *arguments = command
        if flag != "-m" or module not in {WEB_SERVER, DAEMON} or _SHUTDOWN_PIPE not in arguments:
            raise ServersEndedError(f"this Dagster starts its servers in a way that is not known here: {command[:3]}")
        pipe = arguments.index(_SHUTDOWN_PIPE)
        del arguments[pipe : pipe + 2]
        return start(python, module, arguments)

    setattr(dev, _START_SERVER, start_server)


def run_dev(options: Sequence[str]) -> None:
    """``dagster dev`` with these options in this process, so that whoever ends the process ends the servers.

    As a process of its own it cannot be given other servers, and what ends its parent does not end it.
    """
    from dagster._cli import dev  # noqa: PLC0415

    with dev.dev_command.make_context("relight dev", list(options)) as context:
        dev.dev_command.invoke(context)


def run_web_server(wrap: Callable[[Any], Any], refuse_query: Callable[[Mapping[str, str]], Any]) -> None:
    """``dagster-webserver`` in this process, with the options of ``sys.argv``.

    Args:
        wrap: makes the ASGI application that is served from Dagster's; no option puts anything before it.
        refuse_query: what to answer to a request for ``/graphql`` that is no POST, given its headers; None: Dagster's
            own answer.  Dagster would run a query, mutations included, that comes in the address of a GET.
    """
    from dagster_webserver import cli  # noqa: PLC0415  (two seconds, which no run needs)
    from dagster_webserver.graphql import GraphQLServer  # noqa: PLC0415

    create_app = getattr(cli, _CREATE_APP)
    answer = GraphQLServer.graphql_http_endpoint

    def create_wrapped(*arguments: Any, **options: Any) -> Any:
        return wrap(create_app(*arguments, **options))

    async def answer_posts(server: Any, request: Any) -> Any:
        refusal = refuse_query(request.headers) if request.method != "POST" else None
        return await answer(server, request) if refusal is None else refusal

    setattr(cli, _CREATE_APP, create_wrapped)
    GraphQLServer.graphql_http_endpoint = answer_posts  # type: ignore[method-assign, assignment]
    cli.main()  # type: ignore[no-untyped-call]
