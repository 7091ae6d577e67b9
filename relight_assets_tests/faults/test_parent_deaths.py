"""The process of the run is ended, politely or not: nobody is left behind, and the next run goes on."""

import signal
import sys
from collections.abc import Callable

import pytest

from relight_assets_tests.faults.driver import alive, descendants, driven, state, wait_for
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PHOTOS = 12
AT = 6
Reached = Callable[[FaultBench, int], bool]


def held(bench: FaultBench, _: int) -> bool:
    """Image ``AT`` is held, and all before it are done."""
    return any(bench.folder.glob("images/*.held")) and set(range(AT)) <= bench.complete()


def marked(name: str) -> Reached:
    return lambda bench, _: (bench.settings.output_root / name).exists()


def one_is_stopped(_: FaultBench, parent: int) -> bool:
    return any(state(pid) == "T" for pid in descendants(parent))


MOMENTS: dict[str, tuple[str, str | None, Reached]] = {
    "workers load": ("HangsInLoad", None, marked("loading")),
    "some images are done": ("FaultyWorker", "hold", held),
    "a worker is in the middle of a write": ("FaultyWorker", "hold.temp.albedo", held),
    "a worker is stopped": ("FaultyWorker", "stop", one_is_stopped),
    "all results are in": ("FaultyWorker", None, marked("all in")),
}
"""The worker class, the fault of image ``AT``, and how it is seen that the moment has come."""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", MOMENTS)
def test_no_process_is_left_and_the_next_run_goes_on(bench: FaultBench, moment: str, end: signal.Signals) -> None:
    worker, fault, reached = MOMENTS[moment]
    bench.stock_up(PHOTOS, {AT: fault} if fault else None)
    with driven(bench.job(worker, hold=bench.settings.output_root / "all in"), bench.folder) as run:
        wait_for(lambda: reached(bench, run.pid))
        below = descendants(run.pid)
        assert len(below) >= 2 or moment == "all results are in"
        run.send_signal(end)
        run.wait(timeout=60)
        wait_for(lambda: not any(map(alive, below)))
    assert_sound(bench)
    before = bench.complete()
    assert (len(before) == PHOTOS) == (moment == "all results are in")
    assert bench.start(cpu_workers=1).tally.computed_images == PHOTOS - len(before)
    assert_heals(bench)
