"""The licences of photos go with every pair, and choose which of them leave."""

import csv
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.parsing.validation import validate
from relight_assets.config.settings import Settings
from relight_assets.errors import ConfigError, UserError
from relight_assets.exports.rows.licences import Licences
from relight_assets.exports.samples import write_samples
from relight_assets_tests.conftest import PORTRAITS, Bench
from relight_assets_tests.exports.conftest import Export

GIVEN = ("CC0-1.0", "CC-BY-4.0", "", " CC0-1.0 ")
"""Of the four portraits, in the order of the rows."""


def give(
    own: Bench, cells: Sequence[str] = GIVEN, column: str = "licence", more: Sequence[tuple[str, str]] = ()
) -> None:
    """Put a column of licences into the CSV, and more rows."""
    rows = [*zip(PORTRAITS, cells, strict=True), *more]
    with own.csv_path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_path", column], *([str(own.photos / name), cell] for name, cell in rows)])


def samples(folder: Path) -> list[str]:
    with (folder / "samples.csv").open(newline="") as stream:
        return [row["licence"] for row in csv.DictReader(stream)]


def lines(path: Path) -> list[str | None]:
    return [json.loads(line)["licence"] for line in path.read_text().splitlines()]


def test_every_row_has_the_licence_of_its_photo(own: Bench, export: Export) -> None:
    give(own)
    expected = ["CC0-1.0", "CC-BY-4.0", None, "CC0-1.0"]
    folder = export().folder
    assert lines(folder / "metadata.jsonl") == expected
    assert samples(folder) == [licence or "" for licence in expected]
    assert json.loads((folder / "manifest.json").read_bytes())["licences"] == {
        "CC-BY-4.0": 1,
        "CC0-1.0": 2,
        "none given": 1,
    }
    assert lines(export("jsonl").folder / "pairs.jsonl") == expected
    with tarfile.open(export("webdataset").folder / "train-000000.tar") as tar:
        members = [tar.extractfile(member) for member in tar if member.name.endswith(".json")]
        assert [json.load(member)["licence"] for member in members if member is not None] == expected


def test_parquet_has_a_column_of_licences(own: Bench, export: Export) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    give(own)
    (file,) = (export("parquet").folder / "data").iterdir()
    assert pq.read_table(file)["licence"].to_pylist() == ["CC0-1.0", "CC-BY-4.0", None, "CC0-1.0"]


def test_without_a_column_nothing_is_said(own: Bench, export: Export) -> None:
    folder = export().folder
    assert "licence" not in json.loads((folder / "metadata.jsonl").read_text().splitlines()[0])
    assert samples(folder) == [""] * 4
    assert lines(export("jsonl").folder / "pairs.jsonl") == [None] * 4


def test_another_licence_is_another_snapshot(own: Bench, export: Export) -> None:
    give(own)
    first = export()
    assert export().changed is False
    give(own, ("CC0-1.0",) * 4)
    second = export()
    assert (second.changed, second.folder == first.folder) == (True, False)
    assert second.written == 0, "no picture is made anew"


def test_only_licences_that_are_asked_for(own: Bench, export: Export) -> None:
    give(own)
    every = export("jsonl")
    assert (every.pairs, every.left_out["licence"]) == (4, 0)
    some = export("jsonl", licences=["CC0-1.0"])
    assert (some.pairs, some.left_out["licence"]) == (2, 2)
    assert lines(some.folder / "pairs.jsonl") == ["CC0-1.0"] * 2
    both = export("jsonl", licences=["CC-BY-4.0", "CC0-1.0"])
    assert (both.pairs, both.left_out["licence"]) == (3, 1), "the row without a licence stays"
    with pytest.raises(UserError, match="no photo"):  # they are compared as they are written
        export("jsonl", licences=["cc0-1.0"])


def test_a_photo_with_two_licences_needs_both(own: Bench, export: Export) -> None:
    more = [(PORTRAITS[0], "CC-BY-NC-4.0"), (PORTRAITS[1], "CC-BY-4.0"), (PORTRAITS[3], "-")]
    give(own, more=more)
    assert samples(export().folder) == ["CC0-1.0 + CC-BY-NC-4.0", "CC-BY-4.0", "", "CC0-1.0 + none given"]
    found = export(licences=["CC0-1.0", "CC-BY-4.0"])
    assert (found.pairs, found.left_out["licence"]) == (1, 3)
    assert samples(export(licences=["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"]).folder) == [
        "CC0-1.0 + CC-BY-NC-4.0",
        "CC-BY-4.0",
    ]


@pytest.mark.parametrize("cell", ["", "  ", "nan", "None", "N/A", "-"])
def test_cells_that_say_nothing(own: Bench, cell: str) -> None:
    give(own, (cell, "CC0-1.0", "", ""))
    found = Licences(own.state(), ExportOptions(licences=["CC0-1.0"]))
    first, second = own.state().keys[:2]
    assert first is not None
    assert second is not None
    assert (found.of(first), found.allow(first)) == (None, False)
    assert (found.of(second), found.allow(second)) == ("CC0-1.0", True)


def test_the_column_has_the_name_that_is_given_or_one_of_two(own: Bench, export: Export) -> None:
    give(own, column="license")
    assert samples(export().folder)[0] == "CC0-1.0"
    give(own, column="rights")
    assert samples(export().folder) == [""] * 4
    assert samples(export(licence_column="rights").folder)[1] == "CC-BY-4.0"


def test_a_column_that_is_not_there_is_named_with_the_nearest(own: Bench, export: Export) -> None:
    give(own, column="rights")
    with pytest.raises(UserError, match=r"train_images\.csv has no column `right`; did you mean `rights`\?"):
        export(licence_column="right")
    with pytest.raises(UserError, match=r"has no column `xyz`; its columns are image_path, rights"):
        export(licence_column="xyz")
    with pytest.raises(UserError, match=r"licences: .* has no column `licence`; name the one .* `licence_column`"):
        export(licences=["CC0-1.0"])


def test_the_settings_name_the_column_for_exports_and_samples(own: Bench) -> None:
    give(own, column="rights")
    settings = Settings(licence_column="rights")
    assert settings.completed(ExportOptions()).licence_column == "rights"
    assert settings.completed(ExportOptions(licence_column="mine")).licence_column == "mine"
    written = write_samples(own.state(), settings.licence_column)
    assert samples(written.csv.parent) == ["CC0-1.0", "CC-BY-4.0", "", "CC0-1.0"]
    with pytest.raises(UserError, match="did you mean `rights`"):
        write_samples(own.state(), "righst")


def test_rows_are_chosen_by_licence_too(own: Bench, export: Export) -> None:
    give(own)
    assert export(where="licence IS NULL").pairs == 1
    assert export(where="licence LIKE 'CC0%'").pairs == 2


@pytest.mark.parametrize("value", [[], ["  "], "", [1.0]])
def test_licences_are_a_list_of_texts(value: object) -> None:
    from relight_assets.config.parsing.validation import validate

    with pytest.raises(ConfigError, match="licences"):
        validate(ExportOptions, {"licences": value}, "--set")


@pytest.mark.parametrize("column", ["License", "LICENCE"])
def test_the_column_is_found_in_any_case(own: Bench, export: Export, column: str) -> None:
    give(own, column=column)
    assert samples(export().folder) == ["CC0-1.0", "CC-BY-4.0", "", "CC0-1.0"]


def test_of_two_columns_one_must_be_named(own: Bench, export: Export) -> None:
    give(own)
    rows = own.csv_path.read_text().splitlines()
    own.csv_path.write_text("\n".join([f"{rows[0]},License", *(f"{row},MIT" for row in rows[1:])]) + "\n")
    with pytest.raises(UserError, match="columns `licence` and `License`: name the one that counts with"):
        export()
    assert samples(export(licence_column="License").folder) == ["MIT"] * 4


def test_licences_that_no_photo_has_are_named(own: Bench, export: Export) -> None:
    give(own)
    with pytest.raises(UserError, match=r"no photo of .* has cc0-1\.0 or MIT; there are: CC-BY-4\.0, CC0-1\.0$"):
        export(licences=("cc0-1.0", "MIT"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"licences": []}, r"`licences`: found \[\]; has too few values"),
        ({"licences": [""]}, r'`licences\[0\]`: found ""; must not be empty'),
        ({"licence_column": " "}, r'`licence_column`: found " "; must not be empty'),
    ],
)
def test_empty_options_are_one_sentence(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^--set: {said}$"):
        validate(ExportOptions, given, "--set")
