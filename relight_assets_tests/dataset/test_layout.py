"""Names, and whose folder it is."""

from pathlib import Path

import pytest

from relight_assets.dataset.layout import (
    SplitLayout,
    check_name,
    refuse_foreign_folder,
    split_folder,
)
from relight_assets.errors import CsvError, OutputFolderError, UserError
from relight_assets.stages.registry import stage_of, stage_spec, stages


def test_names_of_files(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path)
    assert layout.png(7, "input") == tmp_path / "00007_input.png"
    assert layout.png(123456, "output") == tmp_path / "123456_output.png"
    assert layout.artifact(7, "input") == layout.png(7, "input")
    assert layout.artifact(7, "v2_light.exr") == tmp_path / "00007_v2_light.exr"
    assert layout.record(0) == tmp_path / "00000_metadata.json"
    assert layout.failure(0) == tmp_path / "00000_failure.json"
    assert (layout.index_csv.name, layout.progress.name, layout.lock.name) == (
        "index.csv",
        ".progress.json",
        ".lock",
    )
    assert sum(len(spec.artifacts) for spec in stages() if spec.enabled is None) == 6


def test_folders() -> None:
    root = Path("/out")
    assert split_folder(root, "train") == root / "data-train"
    assert split_folder(root, "train", "gray") == root / "experiments/gray/data-train"
    with pytest.raises(CsvError):
        split_folder(root, "..")
    with pytest.raises(UserError):
        split_folder(root, "train", "../up")


@pytest.mark.parametrize("name", ["a", "train", "Train_2-x", "0", "a" * 64, "COM1"])
def test_good_names(name: str) -> None:
    check_name("split", name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a...b", "-a", "_a", "a b", "a" * 65, "é", "a\n", "a\0", "a.b", "٣"]
)
def test_bad_names(name: str) -> None:
    with pytest.raises(CsvError, match="split name"):
        check_name("split", name)
    with pytest.raises(UserError, match="experiment name") as caught:
        check_name("experiment", name)
    assert not isinstance(caught.value, CsvError)
    assert len(str(caught.value)) < 400


def test_a_file_that_is_no_picture_is_numbered_too(tmp_path: Path) -> None:
    for name in ("00003_v1_light.exr", "00004_light.exrs", "light.exr"):
        (tmp_path / name).touch()
    layout = SplitLayout(tmp_path)
    assert list(layout.numbered()) == [(3, "v1_light.exr")]
    assert layout.numbers() == {3}


def test_numbers(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path)
    assert layout.numbers() == SplitLayout(tmp_path / "gone").numbers() == set()
    for name in ("00003_input.png", "00004_metadata.json", "100000_failure.json", "12_input.png", "x.png"):
        (tmp_path / name).touch()
    assert layout.numbers() == {3, 4, 100000}
    assert layout.numbers("metadata.json") == {4}


def test_somebody_elses_images(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path)
    refuse_foreign_folder(SplitLayout(tmp_path / "gone"), overwrite=False)
    refuse_foreign_folder(layout, overwrite=False)
    (tmp_path / "notes.txt").touch()
    refuse_foreign_folder(layout, overwrite=False)
    (tmp_path / "00000_input.png").touch()
    with pytest.raises(OutputFolderError, match="--overwrite") as caught:
        refuse_foreign_folder(layout, overwrite=False)
    assert str(tmp_path) in str(caught.value)
    refuse_foreign_folder(layout, overwrite=True)
    (tmp_path / "00000_metadata.json").touch()
    refuse_foreign_folder(layout, overwrite=False)
    (tmp_path / "00000_metadata.json").rename(layout.index_csv)
    refuse_foreign_folder(layout, overwrite=False)


def test_images_of_variants(tmp_path: Path) -> None:
    assert stage_spec("composites").files() == ("output",)
    assert stage_spec("degraded").files(2) == ("v1_degraded_fg", "v2_degraded_fg")
    assert stage_spec("masks").files(2) == ("input", "foreground", "background")
    assert [stage_of(name) for name in ("v12_output", "output", "v1_degraded_fg", "input")] == [
        "composites",
        "composites",
        "degraded",
        "masks",
    ]
    layout = SplitLayout(tmp_path)
    for name in ("output", "v1_output", "v2_output", "v3_output"):
        layout.png(7, name).touch()

    def left(variants: int) -> list[str]:
        return [path.name for path in layout.leftovers(7, "composites", variants)]

    assert left(1) == ["00007_v3_output.png", "00007_v2_output.png", "00007_v1_output.png"]
    assert left(2) == ["00007_v3_output.png", "00007_output.png"]
    assert layout.leftovers(7, "masks", 2) == []
    assert layout.shown(7, "output", 2) == layout.png(7, "v3_output")
    assert layout.shown(7, "input") == layout.png(7, "input")
