"""One file that cannot be read, or in whose place something else stands, costs its row at most; the run goes on."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.records import read_failure
from relight_assets.engine.publish import write_split_failures, write_split_mapping
from relight_assets.quality.verify.split import verify_split
from relight_assets_tests.conftest import assert_records_tell_the_truth, recipe_with, sha256
from relight_assets_tests.faults.driver import driven
from relight_assets_tests.faults.invariants import FaultBench, assert_heals
from relight_assets_tests.faults.one_file import OTHERS, STAYS, put, refusing

DARK = {"background": {"gray_color": [10, 20, 30]}}
KINDS = list(OTHERS)
"""Of which each befalls one image."""


def run_of(bench: FaultBench, recipe: dict[str, object], environment: dict[str, str]) -> str:
    """A run in a process of its own, in this environment; what it printed if it stopped."""
    job = bench.job("FaultyWorker")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with driven(type(job)(**(vars(job) | {"recipe": recipe})), bench.folder) as process:
            reported, _ = process.communicate(timeout=300)
    assert process.returncode in (0, 2)
    return str(reported)


@pytest.mark.parametrize("name", ["foreground", "output"])
def test_something_else_in_the_place_of_an_output(bench: FaultBench, name: str) -> None:
    count = len(KINDS) + 1
    bench.stock_up(count)
    bench.start()
    other = sha256(bench.layout.index_csv)
    for number, kind in enumerate(KINDS):
        put(kind, bench.layout.png(number, name))
    blocked = KINDS.index(STAYS)
    assert bench.state().row_counts() == {"done": 1, "pending": len(KINDS)}
    faults = verify_split(bench.split(), Recipe(), bench.settings).faults
    named = {bench.layout.png(number, name) for number in range(len(KINDS))}
    assert {fault.file for fault in faults if fault.code in ("missing", "altered")} == named
    summary = bench.start()
    assert summary.tally.codes == {"output_blocked": 1}
    assert summary.state.row_counts() == {"done": count - 1, "failed": 1}
    assert_records_tell_the_truth(bench.layout)
    failure = read_failure(bench.layout.failure(blocked))
    assert failure is not None
    assert failure.code == "output_blocked"
    assert str(bench.layout.png(blocked, name)) in failure.message
    assert sha256(bench.layout.index_csv) == other  # to which a link led
    assert (bench.layout.png(blocked, name) / "somebody's").read_text() == "mine"
    shutil.rmtree(bench.layout.png(blocked, name))
    assert_heals(bench)


def test_something_else_in_the_place_of_a_record(bench: FaultBench) -> None:
    count = len(KINDS) + 1
    bench.stock_up(count)
    bench.start()
    for number, kind in enumerate(KINDS):
        put(kind, bench.layout.record(number))
    unread = {KINDS.index(kind) for kind in ("a folder", STAYS, "a link to what cannot be read")}
    faults = verify_split(bench.split(), Recipe(), bench.settings).faults
    assert {fault.file for fault in faults if fault.code == "record"} >= {bench.layout.record(each) for each in unread}
    summary = bench.start()
    assert summary.tally.codes == {"record_unreadable": len(unread)}
    assert summary.state.row_counts() == {"done": count - len(unread), "failed": len(unread)}
    for number in unread:
        failure = read_failure(bench.layout.failure(number))
        assert failure is not None
        assert (failure.code, failure.retryable) == ("record_unreadable", True)
        assert bench.layout.record(number).name in failure.message
        path = bench.layout.record(number)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert_heals(bench)


def test_something_else_in_the_place_of_a_failure(bench: FaultBench) -> None:
    """Of images that are done, and of images that fail."""
    count = len(KINDS)
    bench.stock_up(2 * count)
    broken = [bench.folder / "images" / f"{number:02d}.png" for number in range(count, 2 * count)]
    whole = [path.read_bytes() for path in broken]
    for path in broken:
        path.write_bytes(b"no image")
    bench.start()
    assert bench.state().row_counts() == {"done": count, "failed": count}
    for number in range(2 * count):
        put(KINDS[number % count], bench.layout.failure(number))
    summary = bench.start()
    assert summary.state.row_counts() == {"done": count, "failed": count}
    codes = {image.index: image.failure.code for image in summary.state.images.values() if image.failure is not None}
    unread = count + KINDS.index(STAYS)
    assert codes == {
        number: "record_unreadable" if number == unread else "image_format" for number in range(count, 2 * count)
    }
    rows = write_split_failures(summary.state, bench.settings)
    assert bench.layout.failure(unread).name in next(row.message for row in rows if row.code == "record_unreadable")
    for number, kind in enumerate(KINDS):
        if kind == STAYS:
            shutil.rmtree(bench.layout.failure(number))
            shutil.rmtree(bench.layout.failure(count + number))
        elif bench.layout.failure(number).is_dir():
            bench.layout.failure(number).rmdir()
        else:
            bench.layout.failure(number).unlink(missing_ok=True)
    for path, data in zip(broken, whole, strict=True):
        path.write_bytes(data)
    assert_heals(bench)


def test_files_that_the_system_refuses(bench: FaultBench) -> None:
    """Read errors of a bad disk and missing permissions, which a redone file heals; a place that is somebody else's."""
    bench.stock_up(10)
    bench.start()
    write_split_mapping(bench.state(), bench.settings)
    reported = run_of(
        bench,
        DARK,
        refusing(
            bench.folder,
            ("read", "00000_degraded_fg.png", errno.EIO),
            ("open", "00001_degraded_fg.png", errno.EACCES),
            ("stat", "00002_degraded_fg.png", errno.EIO),
            ("open", "00003_degraded_fg.png", errno.ESTALE),
            ("read", "00004_metadata.json", errno.EIO),
            ("open", "00005_metadata.json", errno.EACCES),
            ("rename", "00006_output.png", errno.EPERM),
            ("rename", "00007_metadata.json", errno.EACCES),
            ("rename", "00008_output.png", errno.EBUSY),
        ),
    )
    assert reported == ""
    counts = bench.state(recipe_with(**DARK)).row_counts()
    assert counts == {"done": 4, "failed": 4, "pending": 2}  # pending: whose records can be read again
    failures = {number: read_failure(bench.layout.failure(number)) for number in range(10)}
    assert {number: failure.code for number, failure in failures.items() if failure is not None} == {
        2: "output_blocked",  # it was made again, and still cannot be looked at
        **dict.fromkeys((4, 5), "record_unreadable"),
        **dict.fromkeys((6, 7, 8), "output_blocked"),
    }
    assert_records_tell_the_truth(bench.layout)
    assert run_of(bench, DARK, {}) == ""
    assert bench.state(recipe_with(**DARK)).row_counts() == {"done": 10}
    assert not list(bench.layout.folder.glob("*_failure.json"))


def test_a_photo_that_fails_while_its_old_outputs_cannot_be_removed(bench: FaultBench) -> None:
    bench.stock_up(3)
    bench.start()
    photo = bench.folder / "images" / "01.png"
    whole = photo.read_bytes()
    put(STAYS, bench.layout.png(1, "output"))
    photo.write_bytes(b"no image")
    summary = bench.start()
    assert summary.state.row_counts() == {"done": 2, "failed": 1}
    assert summary.tally.codes == {"output_blocked": 1}
    assert not bench.layout.record(1).exists()
    photo.write_bytes(whole)
    shutil.rmtree(bench.layout.png(1, "output"))
    assert_heals(bench)


def test_a_lost_index_beside_a_record_that_cannot_be_read(bench: FaultBench) -> None:
    bench.stock_up(4)
    bench.start()
    bench.layout.index_csv.unlink()
    put("a link to what cannot be read", bench.layout.record(1))
    assert bench.start().state.row_counts() == {"done": 4}
    numbers = {Path(key).name: image.index for key, image in bench.state().images.items()}
    assert numbers == {"00.png": 0, "01.png": 4, "02.png": 2, "03.png": 3}  # nobody knows whose 1 was


def test_an_orphan_whose_record_cannot_be_read(bench: FaultBench) -> None:
    bench.stock_up(4)
    bench.start()
    images = bench.folder / "images"
    (images / "03.png").rename(images / "04.png")
    bench.write_csv([str(images / name) for name in ("00.png", "01.png", "04.png")])
    put("a link to what cannot be read", bench.layout.record(2))
    summary = bench.start()
    assert summary.state.row_counts() == {"done": 3}
    assert {Path(key).name: image.index for key, image in summary.state.images.items()}["04.png"] == 3


def test_temp_files_of_others_and_a_folder_for_progress_stop_nothing(bench: FaultBench) -> None:
    bench.stock_up(2)
    bench.layout.folder.mkdir(parents=True)
    bench.layout.progress.mkdir()
    temp = bench.layout.folder / ".relight-0123456789abcdef.tmp"
    temp.write_text("x")
    reported = run_of(bench, {}, refusing(bench.folder, ("unlink", temp.name, errno.EPERM)))
    assert reported == ""
    assert bench.state().row_counts() == {"done": 2}
    summary = bench.start()
    assert [each for each in summary.warnings if "progress file" in each]
    json.loads(bench.layout.record(0).read_bytes())
