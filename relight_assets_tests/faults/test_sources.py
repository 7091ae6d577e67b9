"""Sources that change or go while a run is at work."""

import shutil
from pathlib import Path

import pytest

from relight_assets.dataset.records import read_failure
from relight_assets_tests.conftest import sha256
from relight_assets_tests.faults.faulty import FaultyWorker
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound

PHOTOS = 4


def test_a_source_that_is_replaced_is_made_of_the_bytes_that_were_read(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {2: "replace-once"})
    bench.start(FaultyWorker)
    mine = next(bench.folder.glob("images/02-*.png"))
    assert bench.state().row_counts() == {"done": PHOTOS}
    assert sha256(bench.layout.png(2, "output")) == bench.truth[0].png_hashes["output"]
    mine.write_bytes((bench.photos / "02.png").read_bytes())
    assert_heals(bench)


@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_a_source_in_whose_place_comes_something_else_is_a_failure_of_its_row_alone(
    bench: FaultBench, what: str
) -> None:
    bench.stock_up(PHOTOS, {2: what})
    bench.start(FaultyWorker)
    assert_sound(bench, done=PHOTOS - 1, failed=1)
    (failure,) = [image.failure for image in bench.state().images.values() if image.failure is not None]
    assert failure.code == "path_refused"
    place = next(bench.folder.glob("images/02-*.png"))
    place.rmdir() if what == "folder" else place.unlink()
    place.write_bytes((bench.photos / "02.png").read_bytes())
    assert_heals(bench)


def test_a_source_that_goes_is_a_failure_of_its_row_alone(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {2: "remove-once"})
    bench.start(FaultyWorker)
    assert_sound(bench, done=PHOTOS - 1, failed=1)
    gone = next(Path(f"{path}".removesuffix(".once")) for path in bench.folder.glob("images/02-*.once"))
    gone.write_bytes((bench.photos / "02.png").read_bytes())
    assert_heals(bench)


@pytest.mark.parametrize("what", ["link", "hardlink", "swap"])
def test_a_source_that_leads_out_of_the_root_once_it_was_looked_up_is_not_opened(bench: FaultBench, what: str) -> None:
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    bench.stock_up(1, {0: what})
    for name in ("secret.png", f"00-{what}.png"):
        shutil.copyfile(bench.photos / "05.png", elsewhere / name)
    bench.start(FaultyWorker, image_root=bench.folder / "images")
    assert not list(bench.layout.folder.glob("*.png"))
    failure = read_failure(bench.layout.failure(0))
    assert failure is not None
    assert failure.code == "path_refused"
    assert failure.source is None
    if what == "swap":
        return  # its root is another folder now, in which the photo lies
    bench.start(image_root=bench.folder / "images")
    assert not list(bench.layout.folder.glob("*.png"))
