"""A Ray cluster of several nodes on this machine, whose nodes are killed, stopped and added as tests need it.

Each node is a raylet with workers of its own, and has one CPU: the head, to which drivers connect, has none.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relight_assets.engine.execution.environment import environment
from relight_assets_tests.faults.driver import alive, descendants, wait_for

NOT_INSTALLED = "the Ray environment (make test-ray) is not installed"
_NODE = {"object_store_memory": 100 << 20, "include_dashboard": False}
QUICK = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 3,
}
"""A node that is gone is taken for dead after 2 seconds, one that does not answer after 10; by default a minute."""


@dataclass
class RayNodes:
    """The cluster, and its nodes by the names that tests gave them."""

    cluster: Any
    _nodes: dict[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """What ``ray.address`` is to be."""
        return str(self.cluster.address)

    def add(self, name: str, *, environ: Mapping[str, str] | None = None, cpus: int = 1, gpus: int = 0) -> None:
        """Start a node.  From the main thread alone: Ray sets signal handlers."""
        with environment(dict(environ or {})):
            self._nodes[name] = self.cluster.add_node(num_cpus=cpus, num_gpus=gpus, node_name=name, **_NODE)

    def raylet(self, name: str) -> int:
        """The process of a node."""
        node = self._nodes[name] if name != "head" else self.cluster.head_node
        return int(node.all_processes["raylet"][0].process.pid)

    def processes(self, name: str) -> set[int]:
        """All processes of a node, its actors among them."""
        return {self.raylet(name), *descendants(self.raylet(name))}

    def actors(self, name: str) -> set[int]:
        """The processes on a node that are workers of a run."""
        return {pid for pid in self.processes(name) if _command(pid).startswith("ray::WorkerActor")}

    def send(self, name: str, number: signal.Signals) -> set[int]:
        """A signal to all processes of a node at once; which they are."""
        there = self.processes(name)
        for pid in there:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(pid, number)
        return there

    def kill(self, name: str) -> None:
        """A node is lost, as by a power cut."""
        self.send(name, signal.SIGKILL)
        self.forget(name)

    def wait_until_lost(self, name: str) -> None:
        """Wait until the cluster takes a node that does not answer for dead."""
        node = self._nodes[name].node_id
        wait_for(lambda: node not in self.cluster.global_state._live_node_ids())

    def forget(self, name: str) -> None:
        """Clean up behind a node that is gone."""
        self.cluster.remove_node(self._nodes.pop(name), allow_graceful=False)

    def settle(self) -> None:
        """Wait until the cluster knows which of its nodes are gone."""
        self.cluster.wait_for_nodes(60)

    def kill_head(self) -> None:
        """The machine with the head of the cluster is gone: the store of its state, and the node to which drivers
        are connected."""
        there = [each.process.pid for kind in self.cluster.head_node.all_processes.values() for each in kind]
        for pid in {*there, *self.processes("head")}:
            os.kill(pid, signal.SIGKILL)

    def keep(self, *names: str) -> None:
        """See that exactly these nodes are there."""
        for name in [*self._nodes]:
            if name not in names or not alive(self.raylet(name)):
                self.kill(name)
        for name in names:
            if name not in self._nodes:
                self.add(name)
        self.settle()


@contextmanager
def ray_nodes(*names: str, **system: Any) -> Iterator[RayNodes]:
    """A cluster with these nodes; nothing of it is left afterwards."""
    from ray.cluster_utils import Cluster

    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    with environment(settings):
        head = {**_NODE, "num_cpus": 0, "_system_config": {**QUICK, **system}}
        made = RayNodes(Cluster(initialize_head=True, connect=False, head_node_args=head))
        try:
            for name in names:
                made.add(name)
            yield made
        finally:
            made.cluster.shutdown()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
