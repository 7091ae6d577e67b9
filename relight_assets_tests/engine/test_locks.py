"""Kernel locks: held by real processes, gone with them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.devices import Slot
from relight_assets.engine.locks import TakenError, held, locked_folder, reserved
from relight_assets.errors import DeviceBusyError, OutputFolderError

HOLDER = """
import sys, time
from relight_assets.engine.devices import Slot
from relight_assets.engine.locks import reserved
with reserved([Slot(name, {}, name) for name in sys.argv[1:]], len(sys.argv) - 1, all_needed=True):
    print("held", flush=True)
    time.sleep(600)
"""


def gpus(*names: str) -> list[Slot]:
    return [Slot(f"gpu {name}", {"CUDA_VISIBLE_DEVICES": name}, name) for name in names]


@pytest.fixture(autouse=True)
def own_lock_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """Another process that has GPU-a."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, "GPU-a"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_gpu_of_another_run_is_not_used_and_it_is_told_whose_it_is(holder: subprocess.Popen[str]) -> None:
    with pytest.raises(DeviceBusyError, match=rf"gpu GPU-a by process {holder.pid} on .* since 20.*num_gpus"):  # noqa: SIM117
        with reserved(gpus("GPU-a"), 1, all_needed=False):
            pass


def test_the_others_are_taken_where_any_will_do(holder: subprocess.Popen[str]) -> None:
    with reserved(gpus("GPU-a", "GPU-b", "GPU-c"), 2, all_needed=False) as slots:
        assert [slot.name for slot in slots] == ["gpu GPU-b", "gpu GPU-c"]
    with reserved(gpus("GPU-a", "GPU-b"), 2, all_needed=False) as slots:
        assert [slot.name for slot in slots] == ["gpu GPU-b"]


def test_so_many_as_asked_for_or_none(holder: subprocess.Popen[str]) -> None:
    with pytest.raises(DeviceBusyError):  # noqa: SIM117
        with reserved(gpus("GPU-a", "GPU-b"), 2, all_needed=True):
            pass
    with reserved(gpus("GPU-b"), 1, all_needed=True) as slots:  # it was let go again
        assert len(slots) == 1


def test_a_killed_holder_holds_nothing(holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with reserved(gpus("GPU-a"), 1, all_needed=True) as slots:
        assert len(slots) == 1


def test_the_cpu_is_shared() -> None:
    slots = [Slot("cpu 0"), Slot("cpu 1")]
    with reserved(slots, 2, all_needed=True) as first, reserved(slots, 2, all_needed=True) as second:
        assert first == second == slots


def test_a_lock_folder_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / f"relight_assets-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(DeviceBusyError, match="not a folder of yours"):  # noqa: SIM117
        with reserved(gpus("GPU-a"), 1, all_needed=True):
            pass


def test_a_lock_says_who_holds_it_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with held(tmp_path / "x.lock"):
        assert f"process {os.getpid()} on " in (tmp_path / "x.json").read_text()
        with pytest.raises(TakenError, match=f"process {os.getpid()}"), held(tmp_path / "x.lock"):
            pass
    assert not (tmp_path / "x.json").exists()
    with held(tmp_path / "x.lock"):
        pass


def test_two_writers_of_one_folder_are_kept_apart(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path / "data-train")
    with locked_folder(layout), pytest.raises(OutputFolderError, match=r"being written by process \d+"):  # noqa: SIM117
        with locked_folder(layout):
            pass
