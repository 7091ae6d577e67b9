"""Names in the kernel: other users are in the way, and gain nothing by it."""

import errno
import os
import secrets
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from relight_assets.engine.hardware import socket_lock
from relight_assets.engine.hardware.socket_lock import held_name
from relight_assets.storage.locks import TakenError

OTHER = 54321
"""A user."""


@pytest.fixture
def name() -> str:
    return f"GPU-{secrets.token_hex(8)}"


def address(name: str, number: int = 0) -> str:
    return f"\0relight_assets-{os.geteuid()}-{name}-{number}"


class Squatter:
    """A process of another user that has taken names; ``listens`` as a real one may, or may not."""

    def __init__(self, addresses: list[str], *, listens: bool = True, full: bool = False):
        ready, self._let = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                if os.geteuid() == 0:
                    os.setgid(OTHER)
                    os.setuid(OTHER)
                taken = [socket.socket(socket.AF_UNIX) for _ in addresses]
                for one, at in zip(taken, addresses, strict=True):
                    one.bind(at)
                    if listens:
                        one.listen(0)
                waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
                for client in waiting if full else ():
                    client.setblocking(False)
                    client.connect_ex(addresses[0])
                os.write(ready[1], b"x")
                os.close(self._let[1])
                os.read(self._let[0], 1)
            finally:
                os._exit(0)
        os.close(ready[1])
        assert os.read(ready[0], 1) == b"x"
        os.close(ready[0])
        os.close(self._let[0])

    def leave(self) -> None:
        if self.pid:
            os.close(self._let[1])
            os.waitpid(self.pid, 0)
            self.pid = 0


@pytest.fixture
def squat(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Squatter]]:
    made: list[Squatter] = []

    class Made(Squatter):
        def __init__(self, addresses: list[str], *, listens: bool = True, full: bool = False):
            super().__init__(addresses, listens=listens, full=full)
            made.append(self)

    monkeypatch.setattr(socket_lock, "_PATIENCE_S", 0.1)
    if os.geteuid() != 0:  # nobody but root can be another user; what the kernel says of the process is made up
        reported = socket_lock._message

        def as_of_another_user(client: socket.socket) -> str | None:
            pid = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            return None if pid in {one.pid for one in made} else reported(client)

        monkeypatch.setattr(socket_lock, "_message", as_of_another_user)
    yield Made
    for one in made:
        one.leave()


def taken(name: str) -> str | None:
    """What is reported of a name that is taken."""
    try:
        with held_name(name, "somebody else"):
            return None
    except TakenError as holder:
        return str(holder)


def test_a_name_is_held_once_and_says_by_whom(name: str) -> None:
    with held_name(name, "process 7 on here"):
        assert [taken(name) for _ in range(3)] == ["process 7 on here"] * 3
        assert taken(f"{name}x") is None
    assert taken(name) is None


def test_of_many_at_once_at_most_one_holds_it(name: str) -> None:
    begin, end = threading.Barrier(8), threading.Barrier(8)
    held: list[bool] = []

    def one() -> None:
        begin.wait()
        try:
            with held_name(name, "one of eight"):
                held.append(True)
                end.wait()
        except TakenError:
            held.append(False)
            end.wait()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == [False] * 7 + [True]


def test_a_holder_that_is_stopped_holds_it_still(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as stopped:  # it answers nobody
        stopped.bind(address(name))
        stopped.listen()
        assert taken(name) == f"process {os.getpid()}"


@pytest.mark.parametrize(("listens", "full"), [(True, False), (False, False), (True, True)])
def test_names_of_another_user_are_passed_over(name: str, squat: type[Squatter], listens: bool, full: bool) -> None:
    squat([address(name, number) for number in range(5)], listens=listens, full=full)
    with held_name(name, "me"):
        assert taken(name) == "me"
    assert taken(name) is None


def test_a_name_that_another_user_gives_back_is_no_second_lock(name: str, squat: type[Squatter]) -> None:
    other = squat([address(name)])
    with held_name(name, "me"):
        other.leave()
        assert taken(name) == "me"
    assert taken(name) is None


def test_another_user_who_has_all_names_is_reported(name: str, squat: type[Squatter]) -> None:
    squat([address(name, number) for number in range(socket_lock.NAMES)])
    with pytest.raises(OSError, match=rf"another user has taken all sockets `@relight_assets-\d+-{name}-\*`"):  # noqa: SIM117
        with held_name(name, "me"):
            pass


def test_another_user_does_not_fill_the_queue(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_lock, "_BACKLOG", 1)
    with held_name(name, "me"):
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address(name))
                assert client.recv(10) == b"me"
        assert taken(name) == "me"


def test_it_is_given_back_where_a_listening_socket_cannot_be_shut_down(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in gVisor."""

    class Socket(socket.socket):
        def shutdown(self, _: int) -> None:
            raise OSError(errno.ENOTCONN, "not connected")

    monkeypatch.setattr(socket, "socket", Socket)
    with held_name(name, "me"):
        assert taken(name) == "me"
    assert taken(name) is None
