"""The label table of a split."""

import csv
from pathlib import Path

import pytest
from msgspec.structs import replace

from relight_assets.dataset.records import write_record
from relight_assets.errors import OutputFolderError
from relight_assets.exports.rows.labels import columns, types
from relight_assets.exports.samples import write_samples
from relight_assets_tests.conftest import Bench, recipe_with


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_row_for_each_finished_pair(own: Bench) -> None:
    written = write_samples(own.state())
    rows = rows_of(written.csv)
    assert (written.rows, len(rows)) == (4, 4)
    assert tuple(rows[0]) == columns()
    record = own.recorded()[2].record
    assert rows[2]["condition"] == "00002_output.png"
    assert [rows[2][name] for name in ("target", "mask", "foreground", "albedo")] == [
        f"00002_{name}.png" for name in ("input", "foreground", "foreground", "albedo")
    ]
    assert all((written.csv.parent / rows[2][name]).is_file() for name in ("target", "condition", "mask"))
    assert rows[2]["degraded_metrics_identity"] == str(record.stages["degraded"].numbers["metrics"]["identity"])
    assert 0 < float(rows[2]["quality"]) < 1
    assert (rows[2]["width"], rows[2]["target_family"]) == ("256", "")


def test_the_same_as_parquet_with_types(own: Bench) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    written = write_samples(own.state())
    assert written.parquet is not None
    table = pq.read_table(written.parquet)
    assert tuple(table.column_names) == columns()
    found = table.to_pylist()
    for row, text in zip(found, rows_of(written.csv), strict=True):
        for name, value in row.items():
            assert ("" if value is None else str(value)) == text[name], name
            assert value is None or type(value) is types()[name], name
    assert isinstance(found[0]["masks_truncated"], bool)
    assert isinstance(found[0]["masks_faces"], int)


def test_every_light_has_a_row_and_nothing_finished_gives_a_header(own: Bench) -> None:
    recipe = recipe_with(variants=2)
    own.run(recipe)
    rows = rows_of(write_samples(own.state(recipe)).csv)
    assert [row["condition"] for row in rows[:3]] == [
        "00000_v1_output.png",
        "00000_v2_output.png",
        "00001_v1_output.png",
    ]
    assert [row["stem"] for row in rows[:3]] == ["000000", "000001", "000002"]
    empty = write_samples(own.state(recipe_with(seed=5)))
    assert (empty.rows, empty.csv.read_text().splitlines()) == (0, [",".join(columns())])


def test_a_number_that_no_table_holds_is_left_out(own: Bench) -> None:
    record = own.recorded()[0].record
    write_record(own.layout, replace(record, seed=2**64))
    written = write_samples(own.state())
    assert [row["seed"] for row in rows_of(written.csv)] == ["", "0", "0", "0"]


def test_a_folder_that_cannot_be_written(own: Bench) -> None:
    own.layout.samples.mkdir()
    (own.layout.samples / "x").touch()
    with pytest.raises(OutputFolderError, match=r"samples\.csv cannot be written"):
        write_samples(own.state())
