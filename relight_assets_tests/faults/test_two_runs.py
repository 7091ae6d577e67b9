"""Two runs of one split at once are one run, and one sentence."""

import pytest

from relight_assets.config.engines import ENGINES
from relight_assets.errors import OutputFolderError
from relight_assets_tests.faults.driver import driven, wait_for
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound

PHOTOS = 8


@pytest.mark.engines(*ENGINES)
def test_the_second_run_reports_who_writes(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {4: "hold"})
    with driven(bench.job("FaultyWorker"), bench.folder) as first:
        wait_for(lambda: any(bench.folder.glob("images/*.held")))
        with pytest.raises(OutputFolderError, match=f"is being written by process {first.pid} on"):
            bench.start()
        assert first.poll() is None
        assert_sound(bench)
    assert_heals(bench)  # its lock died with it


@pytest.mark.engines(*ENGINES)
def test_of_two_that_start_together_one_works(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    gate = bench.folder / "gate"
    job = bench.job("FaultyWorker", gate=gate)
    with driven(job, bench.folder) as one, driven(job, bench.folder) as other:
        gate.touch()
        reported = [run.communicate()[0] for run in (one, other)]
        codes = [run.returncode for run in (one, other)]
    assert sorted(codes) in ([0, 0], [0, 2]), reported  # both, if the second came when the first had ended
    assert all("is being written by" in text for text, code in zip(reported, codes, strict=True) if code == 2)
    assert_sound(bench, done=PHOTOS)
    assert_heals(bench)


def test_a_lock_file_that_somebody_left_holds_nobody_up(bench: FaultBench) -> None:
    bench.stock_up(1)
    bench.layout.folder.mkdir(parents=True)
    bench.layout.lock.touch()
    bench.layout.lock.with_suffix(".json").write_text("process 1 on elsewhere since the last boot\n")
    assert_heals(bench)
