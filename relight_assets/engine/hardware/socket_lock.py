"""A lock that is a name in the kernel and no file: an abstract Unix socket, which dies with its holder.

Neither TMPDIR nor a private /tmp (Slurm, systemd) changes the name, and no folder can be missing, read-only or on a
network.  It belongs to a network namespace: a container with a network of its own does not see it.  Anyone may take a
name, so a name proves nothing: the kernel says whose socket it is.  One that another user has is passed over for the
next, and what is taken is taken under any of them.
"""

import errno
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from relight_assets.storage.locks import TakenError

NAMES = 64
"""Names of one lock, of which another user would have to take all."""
_BACKLOG = 4096
_PATIENCE_S = 1.0
"""How long a socket that answers nobody may be one of ours that is just being made."""
_PAUSE_S = 0.02
_ANSWER_S = 1.0
_POLL_S = 0.5
"""How often the thread that answers looks whether the lock was given back."""
_CREDENTIALS = struct.Struct("3i")
"""Of Linux: pid, uid, gid."""


@contextmanager
def held_name(name: str, holder: str) -> Iterator[None]:
    """Hold a name among this user's processes, without waiting for it.

    Args:
        name: up to 60 characters, all ASCII.
        holder: what is reported to whoever finds it taken, on one line.

    Raises:
        TakenError: another process of this user holds it.
        OSError: it cannot be held here: no Linux, or another user has taken all its names.
    """
    if sys.platform != "linux":
        raise OSError("there are no abstract sockets here")
    with _bound(name) as server:
        server.settimeout(_POLL_S)
        ended = threading.Event()
        answers = threading.Thread(target=_answer, args=(server, holder.encode(), ended), daemon=True)
        answers.start()
        try:
            yield
        finally:
            ended.set()
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # which ends the thread at once, but not in gVisor
            answers.join()


@contextmanager
def _bound(name: str) -> Iterator[socket.socket]:
    deadline = time.monotonic() + _PATIENCE_S
    addresses = [f"\0relight_assets-{os.geteuid()}-{name}-{number}" for number in range(NAMES)]
    for address in addresses:
        with socket.socket(socket.AF_UNIX) as server:
            try:
                server.bind(address)
                server.listen(_BACKLOG)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                if (holder := _holder(address, deadline)) is not None:
                    raise TakenError(holder) from None
                continue
            # Whoever came while another user had this name holds a later one.
            for other in addresses:
                if other != address and (holder := _holder(other)) is not None:
                    raise TakenError(holder)
            yield server
            return
    raise OSError(f"another user has taken all sockets `@relight_assets-{os.geteuid()}-{name}-*` (see `ss -xl`)")


def _holder(address: str, deadline: float = 0.0) -> str | None:
    """Who holds an address, if that is a process of this user; asked until the deadline while nobody answers."""
    while True:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_ANSWER_S)
            try:
                client.connect(address)
                return _message(client)
            except (ConnectionRefusedError, BlockingIOError):  # it does not listen, or not yet; too many ask
                if time.monotonic() > deadline:
                    return None
            except OSError:  # it is no socket of ours
                return None
        time.sleep(_PAUSE_S)


def _message(client: socket.socket) -> str | None:
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)  # type: ignore[attr-defined,unused-ignore]
    pid, uid, _ = _CREDENTIALS.unpack(credentials)
    if uid != os.geteuid():
        return None
    with suppress(OSError):  # one that is stopped says nothing
        if text := client.recv(200).decode("utf-8", "replace"):
            return text
    return f"process {pid}" if pid else "another process"


def _answer(server: socket.socket, holder: bytes, ended: threading.Event) -> None:
    """Tell whoever asks, so that the queue of those who do never fills."""
    while not ended.is_set():
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        except OSError:
            return
        with client, suppress(OSError):
            client.sendall(holder)
