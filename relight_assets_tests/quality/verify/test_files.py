"""Files against their records: each one that cannot be read is named, and the others are measured all the same."""

import shutil
from pathlib import Path

import pytest

from relight_assets.cli.terminal.messages import out
from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.publish import write_split_mapping
from relight_assets.quality.verify import files
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets_tests.conftest import PORTRAITS, Bench
from relight_assets_tests.faults.one_file import OTHERS, put


@pytest.fixture
def ran(finished: Bench, tmp_path: Path) -> Bench:
    bench = Bench(tmp_path, finished.photos)
    bench.write_csv([*PORTRAITS, "cat.png", "broken.png", ""])
    shutil.copytree(finished.layout.folder, bench.layout.folder)
    write_split_mapping(bench.state(), bench.settings)
    return bench


def verified(bench: Bench) -> Verification:
    return verify_split(bench.split(), Recipe(), bench.settings)


@pytest.mark.parametrize("kind", OTHERS)
def test_each_file_is_named_and_the_others_are_measured(ran: Bench, kind: str) -> None:
    places = [ran.layout.png(0, "output"), ran.layout.record(1), ran.layout.failure(4)]
    for path in places:
        put(kind, path)
    found = verified(ran)
    assert not found.passed
    reported = {fault.file for fault in found.faults if fault.code in ("missing", "altered", "record")}
    assert reported >= set(places[:2])
    assert {each.index for each in found.measured} == {2, 3}
    if kind.startswith("a folder"):
        assert places[2] in reported
    assert all(fault.text.isprintable() for fault in found.faults)
    out.print(status_of(ran.settings, Recipe()).table)


def test_a_file_far_larger_than_its_record_says_is_not_read(ran: Bench) -> None:
    path = ran.layout.png(0, "output")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    (fault,) = [fault for fault in verified(ran).faults if fault.file == path]
    assert fault.text == f"has {1 << 40:,} bytes, its record says {size:,}"


def test_an_image_that_cannot_be_measured_is_named(ran: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = files.measured_of

    def some(record: object, variant: int, metrics: object) -> object:
        if record.index == 2:  # type: ignore[attr-defined]
            raise ArithmeticError("no such light")
        return real(record, variant, metrics)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "measured_of", some)
    found = verified(ran)
    (fault,) = found.faults
    assert (fault.code, fault.file) == ("metric", ran.layout.record(2))
    assert fault.text == "its images cannot be measured: ArithmeticError: no such light"
    assert {each.index for each in found.measured} == {0, 1, 3}


def test_a_mapping_in_whose_place_a_pipe_stands_is_named(ran: Bench) -> None:
    mapping = ran.folder / "train_images_with_relighting_outputs.csv"
    put("a pipe", mapping)
    (fault,) = verified(ran).faults
    assert (fault.code, fault.file, fault.text) == ("mapping", mapping, "is not a file")
