"""The Ray cluster of a run: being connected to it, and what its nodes have room for."""

import importlib.util
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from relight_assets.config.settings import Settings
from relight_assets.engine.execution.environment import environment
from relight_assets.errors import ConfigError

INSTALL = "the package `ray` is not installed: install the extra, `pip install 'relight_assets[ray]'`, on every node"

_ANSWER_S = 10.0
_JOINING = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anybody
    "RAY_gcs_server_port_wait_time_s": "1",  # a head that is gone is asked once, which takes 40 s, and not 20 times
}
"""Ray's environment while this process joins a cluster."""


@dataclass(frozen=True)
class Node:
    """A node that is alive, and what it gives to Ray."""

    id: str
    name: str
    """The one that ``ray start --node-name`` gave, or else the host's."""
    cpus: int
    gpus: int
    memory: int
    """Bytes."""

    def room(self, cpus_per_worker: int, worker_memory: int, *, on_gpu: bool) -> int:
        """For how many workers it has room, whoever uses it now."""
        on_cpus = self.cpus // cpus_per_worker
        return min(self.gpus, on_cpus) if on_gpu else min(on_cpus, self.memory // worker_memory)


def require_ray() -> None:
    """See that Ray is installed; it is not imported, which takes seconds.

    Raises:
        ConfigError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(f"`engine: ray`: {INSTALL}")


@contextmanager
def connected(settings: Settings) -> Iterator[None]:
    """Be a driver of the cluster while the block runs.  Its actors end with it.

    Where the process is connected already, as in a Dagster project that uses Ray itself, it stays so.

    Raises:
        ConfigError: there is no such cluster, it is of another version, or it refuses us.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    address = settings.ray.address
    _check_address(address)
    with environment(_JOINING), _signals_kept():
        try:
            ray.init(address, log_to_driver=False, configure_logging=False)
        except Exception as error:
            ray.shutdown()
            raise ConfigError(_refusal(address, error)) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """See that somebody listens there: Ray itself asks again for a minute.

    Raises:
        ConfigError: nobody does.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(_refusal(address, error)) from error


def _refusal(address: str, error: Exception) -> str:
    advice = (
        "start one (`ray start --head`, and `ray start --address HOST:PORT` on each node), or set ray.address"
        if address == "auto"
        else "see that the head is there, and that this machine is a node of the cluster (`ray status`)"
    )
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"ray.address {address}: no Ray cluster can be joined: {' '.join(lines)[:400]}. To go on, {advice}"


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray has SIGTERM end the process by ``sys.exit``; what a signal means is not its business here."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def alive_nodes() -> list[Node]:
    """The nodes of the cluster to which this process is connected, by name."""
    import ray

    nodes = [_node(entry) for entry in ray.nodes() if entry["Alive"]]
    return sorted(nodes, key=lambda node: (node.name, node.id))


def _node(entry: dict[str, Any]) -> Node:
    has, name, address = entry["Resources"], entry["NodeName"], entry["NodeManagerAddress"]
    return Node(
        entry["NodeID"],
        entry["NodeManagerHostname"] if name in {"", address} else name,
        int(has.get("CPU", 0)),
        int(has.get("GPU", 0)),
        int(has.get("memory", 0)),
    )
