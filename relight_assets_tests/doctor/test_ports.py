"""A port that somebody listens on is taken, on whatever address."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets.doctor.ports import port_fault

ADDRESSES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "")]
if socket.has_dualstack_ipv6():
    ADDRESSES.append((socket.AF_INET6, "::"))


@pytest.mark.parametrize(("family", "address"), ADDRESSES)
def test_a_port_on_which_somebody_listens(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family, dualstack_ipv6=family == socket.AF_INET6) as server:
        port = server.getsockname()[1]
        assert port_fault(port) == "is taken"
    assert port_fault(port) is None


def test_a_port_whose_connections_have_ended_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # the server's side closes first, and waits
    assert port_fault(port) is None


def test_a_port_for_which_there_is_no_right_is_reported() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())  # 0 in some containers
    expected = "None" if first <= 81 else f"cannot be listened on ({os.strerror(errno.EACCES)})"
    asked = "import os; from relight_assets.doctor.ports import port_fault; os.getuid() or os.setuid(54321)"
    reported = subprocess.run(
        [sys.executable, "-c", f"{asked}; print(port_fault(81))"], capture_output=True, text=True, check=True
    )
    assert reported.stdout == f"{expected}\n"
