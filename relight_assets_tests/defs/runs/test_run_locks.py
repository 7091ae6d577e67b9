"""The lock of a run: held by its process, distinguished from those of other kernels."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.defs.names import OWN
from relight_assets.defs.resources import run_inputs
from relight_assets.defs.runs import run_locks
from relight_assets.defs.runs.run_locks import Holder, Life, examined, holding
from relight_assets.engine.hardware.machine import this_machine


@pytest.fixture
def instance(own_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return own_instance


def killed_while_holding(instance: dg.DagsterInstance, run_id: str) -> Path:
    child = os.fork()
    if child == 0:
        with holding(instance, run_id):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    return Path(instance.root_directory) / "relight_runs" / f"{run_id}.lock"


def life(instance: dg.DagsterInstance, run_id: str = "a") -> Life:
    with examined(instance, run_id) as found:
        return found.life


def change(lock: Path, **changes: Any) -> None:
    """What another kernel's process would have written."""
    holder = msgspec.json.decode(lock.read_bytes(), type=Holder)
    lock.write_bytes(msgspec.json.encode(msgspec.structs.replace(holder, **changes)))


def test_the_process_of_a_run_holds_its_lock_and_leaves_none(instance: dg.DagsterInstance) -> None:
    with holding(instance, "a"), examined(instance, "a") as found:
        assert found.life is Life.AT_WORK
        assert found.holder is not None
        assert (found.holder.pid, found.holder.boot_id) == (os.getpid(), this_machine().boot_id)
    assert life(instance) is Life.UNKNOWN
    assert not list(Path(instance.root_directory).glob("relight_runs/*"))


def test_a_killed_process_is_gone(instance: dg.DagsterInstance) -> None:
    killed_while_holding(instance, "a")
    assert life(instance) is Life.GONE


def test_an_error_leaves_the_lock_for_the_end_may_not_be_recorded(instance: dg.DagsterInstance) -> None:
    with pytest.raises(ValueError, match="no end"), holding(instance, "a"):
        raise ValueError("no end")
    assert life(instance) is Life.GONE


def test_the_name_of_the_host_decides_nothing(instance: dg.DagsterInstance) -> None:
    change(killed_while_holding(instance, "a"), host="another-pod")
    assert life(instance) is Life.GONE


def test_of_another_boot_nobody_knows(instance: dg.DagsterInstance) -> None:
    lock = killed_while_holding(instance, "a")
    for boot_id in ("another", None):
        change(lock, boot_id=boot_id)
        assert life(instance) is Life.ELSEWHERE


def test_a_lock_that_is_held_is_at_work_whatever_it_says(instance: dg.DagsterInstance) -> None:
    with holding(instance, "a"):
        change(Path(instance.root_directory) / "relight_runs" / "a.lock", boot_id="another")
        assert life(instance) is Life.AT_WORK


def test_the_locks_of_earlier_versions_say_nothing_and_the_kernel_decides(instance: dg.DagsterInstance) -> None:
    folder = Path(instance.root_directory) / "relight_runs"
    for part in ("steps", "launch"):
        folder.mkdir(exist_ok=True)
        (folder / f"{part}.{part}.lock").touch()
        assert life(instance, part) is Life.GONE


def test_a_lock_full_of_garbage_proves_nothing(instance: dg.DagsterInstance) -> None:
    killed_while_holding(instance, "a").write_bytes(b"\xff{")
    assert life(instance) is Life.UNKNOWN


def test_a_lock_file_that_cannot_be_opened_proves_nothing(instance: dg.DagsterInstance) -> None:
    lock = killed_while_holding(instance, "a")
    lock.unlink()
    lock.mkdir()
    assert life(instance) is Life.UNKNOWN


def test_a_lock_is_never_there_without_being_held(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look_around(name: str) -> None:
        real = getattr(Path, name)

        def with_looks(path: Path, *args: Any, **options: Any) -> Any:
            looks.append(life(instance))
            done = real(path, *args, **options)
            looks.append(life(instance))
            return done

        monkeypatch.setattr(Path, name, with_looks)

    look_around("rename")  # it takes its lock
    look_around("unlink")  # it lets go of it
    with holding(instance, "a"):
        assert looks == [Life.UNKNOWN, Life.AT_WORK]
    assert looks[2:] == [Life.AT_WORK, Life.UNKNOWN]


def test_one_that_lets_go_of_its_lock_while_we_look_is_at_work(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    with ExitStack() as stack:
        stack.enter_context(holding(instance, "a"))

        def and_then_it_lets_go(path: Any, flags: int, *args: Any, **options: Any) -> int:
            file = real(path, flags, *args, **options)
            stack.close()
            return file

        monkeypatch.setattr(run_locks.os, "open", and_then_it_lets_go)
        assert life(instance) is Life.AT_WORK


def test_a_run_keeps_its_lock_until_its_process_ends(instance: dg.DagsterInstance) -> None:
    @dg.op(required_resource_keys={OWN.run_inputs})
    def only(context: dg.OpExecutionContext) -> None:
        assert life(context.instance, context.run_id) is Life.AT_WORK

    @dg.job(
        resource_defs={OWN.run_inputs: run_inputs(ProjectSource(os.environ).context)},
        executor_def=dg.in_process_executor,
    )
    def one_step() -> None:
        only()

    child = os.fork()
    if child == 0:
        run = one_step.execute_in_process(instance=instance)
        os._exit(0 if run.success and life(instance, run.run_id) is Life.AT_WORK else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    (run,) = instance.get_runs()
    assert life(instance, run.run_id) is Life.GONE
