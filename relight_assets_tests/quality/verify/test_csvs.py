"""The CSVs that went out are held against the input and the images, column by column and row by row."""

from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.engine.publish import variants_path, write_split_mapping
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.verify.csvs import mapping_faults, variants_faults
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with

Change = Callable[[str], str]


@pytest.fixture
def mapping(finished: Bench, tmp_path: Path) -> tuple[SplitState, Path]:
    """The state of a finished split of seven rows, and a mapping CSV of one's own."""
    state = finished.state()
    path = tmp_path / "mapping.csv"
    path.write_bytes(write_split_mapping(state, finished.settings).read_bytes())
    return state, path


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> tuple[SplitState, Path]:
    """The state of a portrait under two lights and of a cat, and where the CSV of all lights stands."""
    made = Bench(tmp_path_factory.mktemp("lit"), photos)
    made.write_csv([PORTRAITS[0], "cat.png"])
    recipe = recipe_with(variants=2)
    made.run(recipe)
    state = made.state(recipe)
    write_split_mapping(state, made.settings)
    return state, variants_path(state, made.settings)


def test_what_a_run_wrote_is_right(mapping: tuple[SplitState, Path], lit: tuple[SplitState, Path]) -> None:
    assert list(mapping_faults(*mapping)) == []
    assert list(variants_faults(*lit)) == []


def test_large_cells_and_line_ends_in_them_are_right(tmp_path: Path) -> None:
    bench = Bench(tmp_path, tmp_path)
    note = "x\r\ny\rz\n" * 50_000
    bench.csv_path.write_text(f'image_path,note\n,"{note}"\n,\n', newline="")
    state = bench.state()
    path = write_split_mapping(state, bench.settings)
    assert list(mapping_faults(state, path)) == []
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    assert [fault.code for fault in mapping_faults(state, path)] == ["mapping"]


def test_one_light_needs_no_csv_of_lights(mapping: tuple[SplitState, Path]) -> None:
    state, path = mapping
    assert list(variants_faults(state, path.with_name("none.csv"))) == []


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (lambda text: text.replace("note", "memo"), "has the columns"),
        (lambda text: text[:0], "has the columns none"),
        (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "6 rows that are not the input's 7"),
        (lambda text: text.replace("00001_output", "00002_output"), "row 2 says"),
        (lambda text: text + '"', "cannot be read"),
    ],
)
def test_a_mapping_that_is_not_the_inputs_is_found(
    mapping: tuple[SplitState, Path], change: Change, reported: str
) -> None:
    state, path = mapping
    path.write_text(change(path.read_text()))
    faults = list(mapping_faults(state, path))
    assert [(fault.code, fault.file) for fault in faults] == [("mapping", path)]
    assert reported in faults[0].text


def test_a_row_whose_image_was_taken_away_is_found(lit: tuple[SplitState, Path], tmp_path: Path) -> None:
    state, _ = lit
    image = next(state.outputs())
    assert image is not None
    path = image.parents[2] / "train_images_with_relighting_outputs.csv"
    assert list(mapping_faults(state, path)) == []
    away = image.rename(tmp_path / image.name)
    try:
        (fault,) = mapping_faults(state, path)
    finally:
        away.rename(image)
    assert "row 1: there is no file" in fault.text


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (lambda text: text.replace("_v2_", "_v1_"), "has 3 lines that are not those of the 2 lights"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "has 2 lines"),
        (lambda text: text.replace("note", "memo"), "has 3 lines"),
        (lambda text: text + '"', "cannot be read"),
    ],
)
def test_a_csv_of_lights_that_is_not_right_is_found(
    lit: tuple[SplitState, Path], tmp_path: Path, change: Change, reported: str
) -> None:
    state, written = lit
    path = tmp_path / "variants.csv"
    path.write_text(change(written.read_text()))
    (fault,) = variants_faults(state, path)
    assert (fault.code, fault.file) == ("mapping", path)
    assert reported in fault.text


def test_a_csv_that_is_not_there_is_found(mapping: tuple[SplitState, Path], lit: tuple[SplitState, Path]) -> None:
    nowhere = mapping[1].with_name("none.csv")
    for faults in (mapping_faults(mapping[0], nowhere), variants_faults(lit[0], nowhere)):
        assert ["is not there" in fault.text for fault in faults] == [True]
