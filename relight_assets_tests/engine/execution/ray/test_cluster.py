"""What a node has room for, and addresses at which there is no cluster."""

import socket

import pytest

from relight_assets.engine.execution.ray import cluster
from relight_assets.engine.execution.ray.cluster import Node
from relight_assets.errors import ConfigError

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cpus", "gpus", "memory", "cpus_per_worker", "on_gpu", "room"),
    [
        (16, 0, 64 * GIB, 4, False, 4),
        (16, 0, 2 * GIB, 4, False, 2),
        (3, 0, 64 * GIB, 4, False, 0),
        (16, 8, 64 * GIB, 1, True, 8),
        (16, 8, 64 * GIB, 4, True, 4),
        (16, 0, 64 * GIB, 1, True, 0),
    ],
)
def test_a_node_has_room_by_its_scarcest(
    cpus: int, gpus: int, memory: int, cpus_per_worker: int, on_gpu: bool, room: int
) -> None:
    assert Node("1", "a", cpus, gpus, memory).room(cpus_per_worker, GIB, on_gpu=on_gpu) == room


def test_a_node_is_called_as_it_was_named_or_as_its_host() -> None:
    entry = {"NodeID": "1", "NodeManagerAddress": "10.0.0.2", "NodeManagerHostname": "host", "Resources": {"CPU": 4.0}}
    assert cluster._node({**entry, "NodeName": "node-1"}) == Node("1", "node-1", 4, 0, 0)
    assert cluster._node({**entry, "NodeName": "10.0.0.2"}).name == "host"
    assert cluster._node({**entry, "NodeName": ""}).name == "host"


def test_an_address_at_which_nobody_listens_is_refused_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for address in (f"127.0.0.1:{port}", "127.0.0.1:99999"):
        with pytest.raises(ConfigError, match=rf"^ray.address {address}: no Ray cluster can be joined"):
            cluster._check_address(address)
    with socket.create_server(("127.0.0.1", 0)) as there:
        cluster._check_address(f"127.0.0.1:{there.getsockname()[1]}")
    cluster._check_address("auto")
