"""This machine between two boots."""

import socket
from pathlib import Path

import pytest

from relight_assets.engine.hardware import machine
from relight_assets.engine.hardware.machine import Machine, this_machine


def test_this_machine_is_known() -> None:
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert this_machine() == Machine(socket.gethostname(), boot_id)


def test_a_machine_that_tells_nothing_of_itself_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_BOOT_ID", tmp_path / "none")
    assert this_machine() == Machine(socket.gethostname(), None)
