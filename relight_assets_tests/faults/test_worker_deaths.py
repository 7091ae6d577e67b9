"""Workers that crash, hang and do not come up: it costs at most the image that is to blame."""

import tempfile

import pytest

from relight_assets.config.engines import ENGINES
from relight_assets.dataset.records import read_failure
from relight_assets.engine.hardware import devices
from relight_assets.errors import WorkersFailedError
from relight_assets_tests.engine.nvidia import driver
from relight_assets_tests.faults.faulty import ExitsInLoad, ExitsInLoadOnDevice1, FaultyWorker, HangsInLoad
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound
from relight_assets_tests.faults.seam import MOMENTS

EVERY = pytest.mark.engines(*ENGINES)
PHOTOS = 12
HANG_S = 3.0
DEADLY = {2: "sigkill", 5: "segfault", 8: "exit"}
WORDS = {
    "local": {2: "ended by SIGKILL", 5: "ended by SIGSEGV", 8: "exit code 7"},
    "ray": dict.fromkeys(DEADLY, "is gone: "),  # Ray does not tell one death from another
}


@EVERY
def test_workers_that_die_in_the_middle_of_a_batch_cost_nothing(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {number: f"{fault}-once" for number, fault in DEADLY.items()})
    summary = bench.start(FaultyWorker)
    assert_sound(bench, done=PHOTOS)
    assert not summary.tally.codes
    assert len(list((bench.folder / "images").glob("*.once"))) == len(DEADLY), "each fault struck"
    # The last worker to die may leave nothing to do for another one.
    assert sum(device.replaced for device in summary.devices.values()) >= len(DEADLY) - 1
    assert_heals(bench)


@EVERY
def test_images_that_always_kill_are_set_aside_and_cost_nobody_else(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, DEADLY)
    bench.start(FaultyWorker)
    assert_sound(bench, done=PHOTOS - 3, failed=3)
    for number, words in WORDS[bench.engine].items():
        failure = read_failure(bench.layout.failure(number))
        assert failure is not None
        assert (failure.code, words in failure.message) == ("worker_killer", True)
    assert bench.start(FaultyWorker).tally.computed_images == 0  # and they are not tried again by themselves
    assert_sound(bench, done=PHOTOS - 3, failed=3)
    assert_heals(bench)


@EVERY
def test_an_infinite_loop_is_ended_and_its_image_set_aside(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {5: "loop"})
    bench.start(FaultyWorker, hang_s=HANG_S)
    assert_sound(bench, done=PHOTOS - 1, failed=1)
    assert_heals(bench)


@EVERY
def test_a_stopped_worker_is_replaced(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {5: "stop-once"})
    bench.start(FaultyWorker, hang_s=HANG_S)
    assert_sound(bench, done=PHOTOS)
    assert_heals(bench)


def test_half_of_all_images_crash(bench: FaultBench) -> None:
    bench.stock_up(8, dict.fromkeys(range(0, 8, 2), "exit"))
    bench.start(FaultyWorker)
    assert_sound(bench, done=4, failed=4)
    assert_heals(bench)


def test_workers_killed_at_each_moment_of_a_write_lose_nothing(bench: FaultBench) -> None:
    points = [f"sigkill.{moment}.{name}-once" for name in ("input", "albedo", "output") for moment in MOMENTS]
    bench.stock_up(len(points), dict(enumerate(points)))
    summary = bench.start(FaultyWorker)
    assert_sound(bench, done=len(points))
    assert not summary.tally.codes
    assert len(list(bench.folder.glob("images/*.once"))) == len(points)  # each of them did die
    assert_heals(bench)


@EVERY
def test_workers_that_end_while_they_load_end_the_run_soon(bench: FaultBench) -> None:
    bench.stock_up(2)
    reason = "exit code 7" if bench.engine == "local" else "is gone: "
    with pytest.raises(WorkersFailedError, match=reason):
        bench.start(ExitsInLoad)
    assert_sound(bench, pending=2)
    assert_heals(bench)


@EVERY
def test_workers_that_hang_while_they_load_end_the_run(bench: FaultBench) -> None:
    bench.stock_up(2)
    with pytest.raises(WorkersFailedError, match="not ready after start_s"):
        bench.start(HangsInLoad, start_s=1.0)
    assert_sound(bench, pending=2)
    assert_heals(bench)


def test_one_device_that_cannot_load_leaves_the_work_to_the_others(
    bench: FaultBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "read_driver", lambda: driver(2))
    monkeypatch.setattr(tempfile, "tempdir", str(bench.folder))  # nobody else's lock is in the way
    bench.stock_up(PHOTOS)
    bench.start(ExitsInLoadOnDevice1)
    assert_sound(bench, done=PHOTOS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert_heals(bench)
