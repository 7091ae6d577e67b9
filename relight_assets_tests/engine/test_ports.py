"""A port that somebody listens on is taken, on whatever address."""

import socket

import pytest

from relight_assets.engine.ports import port_taken


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::")]
)
def test_a_port_on_which_somebody_listens(family: socket.AddressFamily, address: str) -> None:
    try:
        server = socket.create_server((address, 0), family=family, dualstack_ipv6=family == socket.AF_INET6)
    except (OSError, ValueError) as error:
        pytest.skip(f"no such address here: {error}")
    with server:
        port = server.getsockname()[1]
        assert port_taken(port)
    assert not port_taken(port)


def test_a_port_whose_connections_have_ended_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # the server's side closes first, and waits
    assert not port_taken(port)
