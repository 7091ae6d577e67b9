"""What is withdrawn from the mappings of a split before it is written over, and whether they are what they must be."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.variants import planned
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.mapping import write_mapping, write_variants
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.origin import read_origin
from relight_assets.engine import publish
from relight_assets.engine.publish import (
    check_output_csvs,
    failures_path,
    mapping_is_current,
    mapping_path,
    stage_mapping,
    variants_path,
    withdraw_stale_outputs,
    write_split_failures,
    write_split_mapping,
)
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import CsvError, OutputFolderError
from relight_assets_tests.conftest import Bench, recipe_with

OTHER = recipe_with(seed=9)


@dataclasses.dataclass
class Out:
    """A finished split whose CSVs go to a folder of its own."""

    finished: Bench
    folder: Path

    @property
    def settings(self) -> Settings:
        return self.finished.settings.model_copy(update={"mapping_dir": self.folder / "out"})

    def state(self, recipe: Recipe | None = None, lines: Sequence[str] = ()) -> SplitState:
        """As the split stands; with these lines in its CSV, where some are given."""
        csv = self.finished.csv_path
        if lines:
            csv = self.folder / csv.name
            csv.write_text("".join(lines))
        return load_split_state(read_split_csv(csv), recipe or Recipe(), self.settings)

    def lines(self) -> list[str]:
        return self.finished.csv_path.read_text().splitlines(keepends=True)

    def published(self, recipe: Recipe | None = None) -> Path:
        state = self.state(recipe)
        write_split_failures(state, self.settings)
        return write_split_mapping(state, self.settings)


@pytest.fixture
def out(finished: Bench, tmp_path: Path) -> Out:
    made = Bench(tmp_path / "bench", finished.photos)
    shutil.copytree(finished.folder, made.folder)
    return Out(made, tmp_path)


def with_former(state: SplitState, *paths: Path) -> SplitState:
    assert state.origin is not None
    return dataclasses.replace(state, origin=replace(state.origin, mappings=tuple(map(str, paths))))


def named_outputs(mapping: Path) -> list[str]:
    return [line.rpartition(",")[2] for line in mapping.read_text().splitlines()[1:]]


# -- what is withdrawn ---------------------------------------------------------------------------------------


def test_what_is_not_current_is_withdrawn_and_nothing_else(out: Out) -> None:
    target = out.published()
    before = target.read_bytes()
    assert withdraw_stale_outputs(out.state(), out.settings) == []
    assert target.read_bytes() == before
    state = out.state()
    key = next(iter(state.images))
    images = {**state.images, key: replace(state.images[key], current=())}
    withdraw_stale_outputs(dataclasses.replace(state, images=images), out.settings)
    assert named_outputs(target)[0] == ""
    assert all(named_outputs(target)[1:4])
    withdraw_stale_outputs(out.state(OTHER), out.settings)
    assert not any(named_outputs(target))


def test_a_row_that_is_gone_keeps_its_image_until_its_number_is_anothers(out: Out) -> None:
    target = out.published()
    lines = out.lines()
    state = out.state(lines=[lines[0], *lines[2:]])
    withdraw_stale_outputs(state, out.settings)
    assert named_outputs(target)[0]
    key = next(iter(state.images))
    images = {**state.images, key: replace(state.images[key], index=0)}
    withdraw_stale_outputs(dataclasses.replace(state, images=images), out.settings)
    assert not named_outputs(target)[0]


def test_former_mappings_are_withdrawn_too_and_no_file_of_another_name(out: Out, tmp_path: Path) -> None:
    text = out.published().read_bytes()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    names = ("one/train_images_with_relighting_outputs.csv", "one/mine.csv", "two/train_images.csv")
    formers = [tmp_path / name for name in names]
    for path in formers:
        path.write_bytes(text)
    formers.append(tmp_path / "gone" / formers[0].name)
    withdraw_stale_outputs(with_former(out.state(OTHER), *formers), out.settings)
    assert not any(named_outputs(formers[0]))
    assert [path.read_bytes() for path in formers[1:3]] == [text, text]


def test_a_former_mapping_that_cannot_be_written_is_reported_and_stops_nobody(
    out: Out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = out.published()
    former = tmp_path / "one" / target.name
    former.parent.mkdir()
    former.write_bytes(target.read_bytes())
    real = publish.withdraw_outputs

    def refused(path: Path, *more: Any) -> None:
        if path == former:
            raise CsvError(f"{path} cannot be written: Read-only file system.")
        real(path, *more)

    monkeypatch.setattr(publish, "withdraw_outputs", refused)
    (note,) = withdraw_stale_outputs(with_former(out.state(OTHER), former), out.settings)
    assert str(former) in note
    assert "Read-only" in note
    assert not any(named_outputs(target))


def test_the_mapping_that_the_split_has_now_must_be_withdrawn(out: Out) -> None:
    target = out.published()
    target.unlink()
    target.mkdir()
    with pytest.raises(CsvError, match="cannot be written"):
        withdraw_stale_outputs(out.state(OTHER), out.settings)


def test_a_copy_of_a_folder_leaves_the_mapping_of_the_first_alone(out: Out, tmp_path: Path) -> None:
    first = out.published()
    copied = out.settings.model_copy(update={"output_root": tmp_path / "copy", "mapping_dir": tmp_path / "copied"})
    shutil.copytree(out.settings.output_root, copied.output_root)
    before = first.read_bytes()
    state = load_split_state(out.state().split, OTHER, copied)
    assert state.origin is not None
    assert str(first) in state.origin.mappings
    withdraw_stale_outputs(state, copied)
    assert first.read_bytes() == before
    shutil.rmtree(out.settings.output_root)  # it was moved: what the mapping names is gone
    withdraw_stale_outputs(state, copied)
    assert not any(named_outputs(first))


def test_a_mapping_that_was_never_published_goes(out: Out) -> None:
    staged = stage_mapping(out.state(), out.settings).file
    assert staged.exists()
    withdraw_stale_outputs(out.state(), out.settings)
    assert not staged.exists()


def test_the_lights_of_what_is_not_current_are_withdrawn(out: Out) -> None:
    state = out.state()
    target = variants_path(state, out.settings)
    target.parent.mkdir()
    write_variants(state.split, state.variant_outputs(), target)
    before = target.read_bytes()
    withdraw_stale_outputs(state, out.settings)
    assert target.read_bytes() == before
    withdraw_stale_outputs(out.state(recipe_with(variants=2)), out.settings)
    assert target.read_bytes() == before.splitlines(keepends=True)[0]


def test_a_folder_remembers_all_its_mappings(out: Out) -> None:
    first = out.published()
    second = write_split_mapping(out.state(), out.settings.model_copy(update={"mapping_dir": out.folder / "two"}))
    layout = SplitLayout(out.settings.output_root / "data-train")
    origin = read_origin(layout)
    assert origin is not None
    assert {str(first), str(second)} <= set(origin.mappings)


# -- whether they are current --------------------------------------------------------------------------------


def test_csvs_that_were_just_written_are_current(out: Out) -> None:
    assert not mapping_is_current(out.state(), out.settings)
    out.published()
    assert mapping_is_current(out.state(), out.settings)
    assert mapping_is_current(out.state(lines=out.lines()), out.settings)
    assert not mapping_is_current(out.state(OTHER), out.settings)


def test_a_changed_csv_needs_another_mapping(out: Out) -> None:
    out.published()
    header, first, second, *rest = out.lines()
    changed = {
        "a row is gone": [header, first, *rest],
        "two rows changed places": [header, second, first, *rest],
        "a label was edited": [header, first.replace("note", "edited"), second, *rest],
        "a column is another": [header.replace("note", "label"), first, second, *rest],
    }
    for what, lines in changed.items():
        assert lines != out.lines(), what
        assert not mapping_is_current(out.state(lines=lines), out.settings), what


def test_a_csv_that_is_missing_or_another_one_is_not_current(out: Out) -> None:
    for path in (mapping_path, failures_path):
        out.published()
        file = path(out.state(), out.settings)
        file.unlink()
        assert not mapping_is_current(out.state(), out.settings)
        file.write_text("x\n")
        assert not mapping_is_current(out.state(), out.settings)


def test_the_csv_of_all_lights_belongs_to_them(out: Out) -> None:
    out.published()
    state = out.state()
    variants = variants_path(state, out.settings)
    several = dataclasses.replace(state, planned_variants=planned(2, (), no_gobo=False))
    write_mapping(state.split, several.outputs(), mapping_path(state, out.settings))
    assert not mapping_is_current(several, out.settings)
    write_variants(state.split, several.variant_outputs(), variants)
    assert mapping_is_current(several, out.settings)
    assert not mapping_is_current(state, out.settings)
    out.published()  # which removes it
    assert mapping_is_current(state, out.settings)
    variants.write_text("somebody else's\n")
    assert mapping_is_current(state, out.settings)


def test_csvs_that_could_not_be_written_are_reported_before_the_work(tmp_path: Path) -> None:
    csv, file = tmp_path / "data" / "a_images.csv", tmp_path / "file"
    file.write_text("")
    own = Settings(output_root=file / "out")
    check_output_csvs(csv, own)
    with pytest.raises(OutputFolderError, match=r"go to the CSV's folder .*file/data, .*set mapping_dir in"):
        check_output_csvs(file / "data" / "a_images.csv", own)
    elsewhere = own.model_copy(update={"mapping_dir": tmp_path / "maps"})
    check_output_csvs(file / "data" / "a_images.csv", elsewhere)
    with pytest.raises(OutputFolderError, match=r"go to mapping_dir .*file/maps, .*is not a folder; set mapping"):
        check_output_csvs(csv, own.model_copy(update={"mapping_dir": file / "maps"}))
    check_output_csvs(file / "data" / "a_images.csv", own, "of_an_experiment")  # beside its images
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
