"""This machine, and whether a lock is of it before it was booted."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from relight_assets.engine import machine
from relight_assets.engine.machine import Machine, this_machine

DISK, NFS = 0x0801, 0x2A  # st_dev of sda1, and of a file system without a block device
HERE = Machine("here", "boot 2", "machine", booted=1000.0)


def test_this_machine_is_known() -> None:
    here = this_machine()
    assert here.host == socket.gethostname()
    assert here.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert here.booted is not None
    assert 0 < here.booted < Path("/proc/self").stat().st_ctime + 1


def test_a_machine_that_tells_nothing_of_itself_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_BOOT_ID", "_MACHINE_ID", "_STAT"):
        monkeypatch.setattr(machine, name, tmp_path / name)
    assert this_machine() == Machine(socket.gethostname(), None)


def test_the_same_machine_after_a_boot() -> None:
    assert HERE.rebooted_since("boot 1", "machine", 999.0, DISK)


@pytest.mark.parametrize(
    ("boot_id", "machine_id", "since", "device"),
    [
        ("boot 2", "machine", 999.0, DISK),  # no boot in between: its lock decides
        ("boot 1", "other", 999.0, DISK),
        ("boot 1", "machine", 1001.0, DISK),  # taken after our boot: a copy of our machine id, under another kernel
        ("boot 1", "machine", 999.0, NFS),  # perhaps the other machine's, with an image of ours
        ("boot 1", None, 999.0, DISK),
        (None, "machine", 999.0, DISK),
    ],
)
def test_it_must_be_sure(boot_id: str | None, machine_id: str | None, since: float, device: int) -> None:
    assert not HERE.rebooted_since(boot_id, machine_id, since, device)


def test_what_is_not_known_of_this_machine_is_no_proof() -> None:
    for unknown in (replace(HERE, boot_id=None), replace(HERE, machine_id=None), replace(HERE, booted=None)):
        assert not unknown.rebooted_since("boot 1", "machine", 999.0, DISK)
