"""Real Dagster servers and what one does to them: GraphQL as the UI sends it, signals, and a look at /proc."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from relight_assets_tests.faults import queries
from relight_assets_tests.faults.processes import (
    Process,
    clean_environment,
    command_path,
    default_signals,
    processes_of,
    relight_command,
    wait_until,
)

START_S = 180.0

ASSETS = ("masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters")
UNFINISHED = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")

_RUN_PID = "Started process for run (pid: "
_STEP_ENDS = ("ExecutionStepSuccessEvent", "ExecutionStepFailureEvent")


def write_workspace(project: Path) -> None:
    """The file that tells Dagster's own commands what to load."""
    shutil.copyfile(Path(__file__).resolve().parents[2] / "workspace.yaml", project / "workspace.yaml")


class Run(NamedTuple):
    """A run as the UI lists it."""

    id: str
    split: str
    status: str

    @property
    def ended(self) -> bool:
        return self.status not in UNFINISHED


class Tick(NamedTuple):
    """A tick of a sensor as the UI lists it."""

    status: str
    error: str
    run_keys: list[str]


def _run(reported: Mapping[str, Any]) -> Run:
    tags = {tag["key"]: tag["value"] for tag in reported["tags"]}
    return Run(reported["runId"], tags.get("dagster/partition", ""), reported["status"])


def _kill_session(leader: "subprocess.Popen[bytes]") -> None:
    os.killpg(leader.pid, signal.SIGSTOP)  # so that none reacts to the end of another
    for process in processes_of(leader.pid):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    leader.wait()
    assert wait_until(lambda: not processes_of(leader.pid)) is not None


class RelightDev:
    """`relight dev` in a session of its own, over one project folder; it can be killed and started again.

    ``environment`` comes to that of the tests, of which it has no setting.
    """

    name = "relight dev"

    def __init__(self, project: Path, environment: Mapping[str, str] | None = None):
        self.project = project
        self.environment = {**clean_environment(), **(environment or {})}
        self.log = project / "dev.log"
        self._launched: list[str] = []
        self._sessions: list[int] = []

    def start(self) -> None:
        """Start the servers and wait until they answer, and tell how long that took."""
        self._port = _free_port()
        self._server = self._run(self._command())
        took = wait_until(lambda: self._server.poll() is not None or self._answers(), START_S, 0.2)
        assert took is not None, self.tail()
        assert self._server.poll() is None, self.tail()
        print(f"{self.name} was up after {took:.1f} s")

    def _command(self) -> list[str]:
        return [relight_command(), "dev", "--port", str(self._port)]

    def _run(self, command: list[str]) -> "subprocess.Popen[bytes]":
        """A server in a session of its own."""
        with self.log.open("ab") as output:
            server = subprocess.Popen(
                command,
                cwd=self.project,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=default_signals,  # noqa: PLW1509
            )
        self._sessions.append(server.pid)
        return server

    @property
    def ended(self) -> bool:
        return self._server.poll() is not None

    @property
    def exit_code(self) -> int | None:
        return self._server.poll()

    def run_to_its_end(self) -> int:
        """The exit code of a start that comes to nothing."""
        self._port = _free_port()
        return self._run(self._command()).wait(START_S)

    def signal(self, number: int) -> None:
        """Send a signal to the command alone, as a service manager does."""
        self._server.send_signal(number)

    def processes(self) -> list[Process]:
        """All that live of this server and of those before it."""
        return [process for session in self._sessions for process in processes_of(session)]

    def daemon(self) -> Process:
        """The daemon: what starts queued runs."""
        (found,) = [process for process in self.processes() if "dagster._daemon run" in process.command]
        return found

    def kill(self) -> None:
        """kill -9 of every process of it, runs and workers included."""
        _kill_session(self._server)

    def stop(self) -> list[Process]:
        """Ctrl-C to all of it, as a terminal sends it.  The processes that had to be killed after that."""
        for session in {process.session for process in self.processes()}:
            with suppress(ProcessLookupError):
                os.killpg(session, signal.SIGINT)
        wait_until(lambda: self.ended and not self.processes(), 60)
        left = self.processes()
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self._server.wait()
        return left

    def tail(self, lines: int = 60) -> str:
        """The end of what the servers printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # -- as the UI asks -----------------------------------------------------------------------------------

    def launch(self, split: str) -> str:
        """Materialize all assets of a split; the run's id."""
        selector = {
            "repositoryLocationName": self._location,
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": [name]} for name in ASSETS],
        }
        params = {
            "selector": selector,
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": split}]},
        }
        answer = self._ask(queries.LAUNCH, {"params": params})["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        run: str = answer["run"]["runId"]
        self._launched.append(run)
        return run

    def backfill(self, splits: Sequence[str]) -> str:
        """Materialize all assets of several splits, as selecting several partitions does; the backfill's id."""
        params = {
            "assetSelection": [{"path": [name]} for name in ASSETS],
            "partitionNames": list(splits),
            "tags": [],
        }
        answer = self._ask(queries.BACKFILL, {"params": params})["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        backfill: str = answer["backfillId"]
        return backfill

    def state_of(self, backfill: str) -> tuple[str, list[Run]]:
        """The status of a backfill, and its runs."""
        found = self._ask(queries.BACKFILL_STATE, {"backfill": backfill})["partitionBackfillOrError"]
        return found["status"], [_run(run) for run in found["runs"]]

    def reexecute_from_failure(self, run: str) -> str:
        """The button `Re-execute from failure` of a run; the new run's id."""
        params = {"parentRunId": run, "strategy": "FROM_FAILURE"}
        answer = self._ask(queries.REEXECUTE, {"params": params})["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        new: str = answer["run"]["runId"]
        return new

    def add_split(self, split: str) -> None:
        """Make a partition, as the button `Add partition` does."""
        repository = {"repositoryLocationName": self._location, "repositoryName": "__repository__"}
        answer = self._ask(queries.ADD_SPLIT, {"repository": repository, "split": split})["addDynamicPartition"]
        assert answer["__typename"] == "AddDynamicPartitionSuccess", answer

    def ticks(self, sensor: str) -> list[Tick]:
        """The ticks of a sensor, the oldest first."""
        selector = {"repositoryLocationName": self._location, "repositoryName": "__repository__", "sensorName": sensor}
        found = self._ask(queries.TICKS, {"sensor": selector})["sensorOrError"]["sensorState"]["ticks"]
        return [
            Tick(tick["status"], (tick["error"] or {}).get("message", ""), tick["runKeys"]) for tick in reversed(found)
        ]

    def runs(self) -> list[Run]:
        """Every run there is, the newest first."""
        return [_run(run) for run in self._ask(queries.RUNS, {})["runsOrError"]["results"]]

    def unfinished(self) -> list[str]:
        """The runs that were launched and have not ended, the oldest first."""
        return [run for run in self._launched if self.status(run) in UNFINISHED]

    def terminate(self, run: str) -> None:
        answer = self._ask(queries.TERMINATE, {"run": run})["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def status(self, run: str) -> str:
        status: str = self._ask(queries.STATUS, {"run": run})["runOrError"]["status"]
        return status

    def pool(self) -> tuple[set[str], set[str]]:
        """The runs that hold a slot of the pool `gpu`, and the runs that wait for one inside a started process."""
        limit = self._ask(queries.POOL, {})["instance"]["concurrencyLimit"]
        assert limit["slotCount"] == 1, limit
        assert len(limit["claimedSlots"]) <= 1, limit
        held, waiting = ({entry["runId"] for entry in limit[name]} for name in ("claimedSlots", "pendingSteps"))
        return held, waiting - held

    def process_of(self, run: str) -> int:
        """The process of a run, as Dagster's own event tells it."""
        reported = [message for message in self.messages(run) if message.startswith(_RUN_PID)]
        return int(reported[-1].removeprefix(_RUN_PID).rstrip(")."))

    def messages(self, run: str) -> list[str]:
        """What the events of a run say."""
        return [event.get("message", "") for event in self._events(run)]

    def errors(self, run: str) -> str:
        """What the events of a run say went wrong."""
        return "\n".join(event["error"]["message"] for event in self._events(run) if event.get("error"))

    def step_times(self, run: str, step: str) -> list[tuple[float, float]]:
        """From when to when a step of a run was at work, as its events tell it, in seconds."""
        times = [
            (event["__typename"], int(event["timestamp"]) / 1000)
            for event in self._events(run)
            if event.get("stepKey") == step
        ]
        starts = [at for kind, at in times if kind == "ExecutionStepStartEvent"]
        ends = [at for kind, at in times if kind in _STEP_ENDS]
        return list(zip(starts, ends, strict=True))

    def _events(self, run: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._ask(queries.EVENTS, {"run": run})["logsForRun"]["events"]
        return events

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/graphql", body, {"Content-Type": "application/json"}
        )
        with _direct().open(request, timeout=120) as answer:
            found = json.load(answer)
        assert not found.get("errors"), found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    def _answers(self) -> bool:
        with suppress(OSError, LookupError):
            entries = self._ask(queries.LOCATIONS, {})["workspaceOrError"]["locationEntries"]
            self._location = entries[0]["name"]
            return bool(entries[0]["loadStatus"] == "LOADED")
        return False


class DagsterDev(RelightDev):
    """`dagster dev` by itself, without what `relight dev` prepares, over a DAGSTER_HOME that is new."""

    name = "dagster dev"

    def __init__(self, project: Path):
        super().__init__(project)
        self.home = project / "home"
        self.home.mkdir()
        shutil.copyfile(project / "config" / "dagster.yaml", self.home / "dagster.yaml")
        write_workspace(project)
        self.environment["DAGSTER_HOME"] = str(self.home)

    def _command(self) -> list[str]:
        at = ["-h", "127.0.0.1", "-p", str(self._port)]
        return [command_path("dagster"), "dev", "-w", "workspace.yaml", *at]


class ServersByThemselves(DagsterDev):
    """The guarded web server and `dagster-daemon`, each by itself, as a service manager runs them."""

    name = "the web server"

    def _command(self) -> list[str]:
        at = ["-h", "127.0.0.1", "-p", str(self._port)]
        return [sys.executable, "-m", "relight_assets.defs.server.webserver", "-w", "workspace.yaml", *at]

    def start(self) -> None:
        super().start()
        self.start_daemon()

    def start_daemon(self) -> None:
        self._daemon = self._run([command_path("dagster-daemon"), "run", "-w", "workspace.yaml"])

    def daemon(self) -> Process:
        (found,) = [process for process in self.processes() if process.pid == self._daemon.pid]
        return found

    def kill_daemon_and_its_children(self) -> None:
        """kill -9 of the daemon, its code server, and the runs and workers below that."""
        _kill_session(self._daemon)

    def stop(self) -> list[Process]:
        left = super().stop()
        self._daemon.wait()
        return left


_Started = TypeVar("_Started", bound=RelightDev)


@contextmanager
def started(server: _Started) -> Iterator[_Started]:
    """A server that is up; it is stopped at the end, when none of its processes may be left."""
    try:
        server.start()
        yield server
    finally:
        left = server.stop()
    assert not left, "Ctrl-C left processes behind"


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
