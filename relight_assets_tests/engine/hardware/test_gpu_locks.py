"""Kernel locks: held by real processes, gone with them."""

import errno
import fcntl
import os
import pwd
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.engine.hardware import socket_lock
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.hardware.gpu_locks import reserved
from relight_assets.errors import DeviceBusyError

A, B, C = (f"GPU-{secrets.token_hex(8)}" for _ in range(3))
"""Of this process of the tests alone: others may run at the same time."""
HOLDER = """
import pwd, sys, time
from types import SimpleNamespace
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.hardware.gpu_locks import reserved
from relight_assets.errors import DeviceBusyError
home, *gpus = sys.argv[1:]
pwd.getpwuid = lambda user: SimpleNamespace(pw_dir=home)
try:
    with reserved([DeviceSlot(name, {}, name) for name in gpus], len(gpus), all_needed=True):
        print("held", flush=True)
        time.sleep(600)
except DeviceBusyError as error:
    print(error, flush=True)
"""
NO_HOME = "/dev/null/home"
Start = Callable[..., "subprocess.Popen[str]"]


def gpus(*names: str) -> list[DeviceSlot]:
    return [DeviceSlot(f"gpu {name}", {"CUDA_VISIBLE_DEVICES": name}, name) for name in names]


def reported(process: "subprocess.Popen[str]") -> str:
    """What a process says of the GPUs that it was to hold."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_dir=str(folder)))
    return folder


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Other processes that are to hold GPUs: in another environment, with another home, or by another command."""
    started: list[subprocess.Popen[str]] = []

    def starting(
        *names: str, home: str = str(home), command: tuple[str, ...] = (), **environment: str
    ) -> "subprocess.Popen[str]":
        line = [*command, sys.executable, "-c", HOLDER, home, *names]
        started.append(subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}))
        return started[-1]

    yield starting
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def holder(start: Start) -> "subprocess.Popen[str]":
    """Another process that has GPU A."""
    process = start(A)
    assert reported(process) == "held"
    return process


def test_a_gpu_of_another_run_is_not_used_and_it_is_reported_whose_it_is(holder: subprocess.Popen[str]) -> None:
    with pytest.raises(DeviceBusyError, match=rf"gpu {A} by process {holder.pid} on .* since 20.*num_gpus"):  # noqa: SIM117
        with reserved(gpus(A), 1, all_needed=False):
            pass


def test_the_others_are_taken_where_any_will_do(holder: subprocess.Popen[str]) -> None:
    with reserved(gpus(A, B, C), 2, all_needed=False) as slots:
        assert [slot.name for slot in slots] == [f"gpu {B}", f"gpu {C}"]
    with reserved(gpus(A, B), 2, all_needed=False) as slots:
        assert [slot.name for slot in slots] == [f"gpu {B}"]


def test_so_many_as_asked_for_or_none(holder: subprocess.Popen[str]) -> None:
    with pytest.raises(DeviceBusyError):  # noqa: SIM117
        with reserved(gpus(A, B), 2, all_needed=True):
            pass
    with reserved(gpus(B), 1, all_needed=True) as slots:  # it was let go again
        assert len(slots) == 1


def test_a_killed_holder_holds_nothing(holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with reserved(gpus(A), 1, all_needed=True) as slots:
        assert len(slots) == 1


def test_the_cpu_is_shared() -> None:
    slots = [DeviceSlot("cpu 0"), DeviceSlot("cpu 1")]
    with reserved(slots, 2, all_needed=True) as first, reserved(slots, 2, all_needed=True) as second:
        assert first == second == slots


# -- two runs of one user have little in common ------------------------------------------------------------------


def private_mounts() -> tuple[str, ...]:
    """What runs a command with a /var/tmp and a /dev/shm of its own."""
    command = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-current-user",)), "sh", "-c")
    script = 'mount -t tmpfs none /var/tmp && mount -t tmpfs none /dev/shm && exec "$@"'
    tried = subprocess.run([*command, script, "sh", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"cannot mount here: {tried.stderr.decode(errors='replace').strip()}")
    return (*command, script, "sh", "env", "TMPDIR=/var/tmp")


@pytest.mark.parametrize(
    ("way", "environment"),
    [
        ("TMPDIR", {"TMPDIR": "/var/tmp"}),
        ("a TMPDIR that is not there", {"TMPDIR": "/dev/null/x"}),
        ("HOME", {"HOME": "/nowhere", "XDG_RUNTIME_DIR": "/nowhere", "XDG_CACHE_HOME": "/nowhere"}),
        ("no HOME", {}),
        ("mounts", {}),
    ],
)
@pytest.mark.parametrize("common", ["the home", "nothing"])
def test_the_same_gpu_is_taken_whatever_differs(
    start: Start, holder: "subprocess.Popen[str]", way: str, environment: dict[str, str], common: str
) -> None:
    command = private_mounts() if way == "mounts" else {"no HOME": ("env", "-u", "HOME")}.get(way, ())
    given = {} if common == "the home" and way != "mounts" else {"home": NO_HOME}
    said = reported(start(A, command=command, **given, **environment))
    assert re.search(rf"{A} by process {holder.pid} on .* since 20", said)


def test_without_sockets_in_common_the_home_is_enough(
    home: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    """As for two containers with a network each."""
    assert reported(start(A)) == "held"
    monkeypatch.setattr(socket_lock, "NAMES", 0)
    with pytest.raises(DeviceBusyError, match=r"by process \d+ on .* since 20"):  # noqa: SIM117
        with reserved(gpus(A), 1, all_needed=True):
            pass
    with reserved(gpus(B), 1, all_needed=True):  # of which no socket says anything
        assert (home / ".cache" / "relight_assets" / "locks" / f"{B}.lock").exists()


def test_a_read_only_home_is_no_hindrance(start: Start) -> None:
    process = start(A, home="/proc")
    assert reported(process) == "held"
    assert f"by process {process.pid} on" in reported(start(A, home="/proc"))


def test_a_folder_in_which_others_may_write_is_not_used(home: Path) -> None:
    folder = home / ".cache" / "relight_assets" / "locks"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with reserved(gpus(A), 1, all_needed=True):
        assert not list(folder.iterdir())


def test_where_no_lock_can_be_held_it_is_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_lock, "NAMES", 0)
    home.rmdir()
    home.touch()
    with pytest.raises(DeviceBusyError, match=rf"no lock can be held on {A}: .*sockets.*Not a directory") as caught:  # noqa: SIM117
        with reserved(gpus(A), 1, all_needed=True):
            pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_home_without_kernel_locks_is_no_place_and_a_file_left_there_holds_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(*_: int) -> None:
        raise OSError(code, os.strerror(code))

    folder = home / ".cache" / "relight_assets" / "locks"
    folder.mkdir(mode=0o700, parents=True)
    (folder / f"{A}.lock").touch()
    monkeypatch.setattr(fcntl, "flock", flock)
    with reserved(gpus(A), 1, all_needed=True), pytest.raises(DeviceBusyError, match=r"by process \d+ on .* since 20"):  # noqa: SIM117
        with reserved(gpus(A), 1, all_needed=True):
            pass
    monkeypatch.setattr(socket_lock, "NAMES", 0)
    with pytest.raises(DeviceBusyError, match=rf"no lock can be held on {A}: .*{os.strerror(code)}"):  # noqa: SIM117
        with reserved(gpus(A), 1, all_needed=True):
            pass
