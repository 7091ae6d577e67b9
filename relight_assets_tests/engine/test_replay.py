"""A picture is what its record says: it comes out again from record and foreground alone, byte for byte."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.replay import replay
from relight_assets.errors import UserError
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with


def alone(bench: Bench, folder: Path, index: int = 0) -> Path:
    """A record and its foreground, and nothing else."""
    folder.mkdir(exist_ok=True)
    for path in (bench.layout.record(index), bench.layout.png(index, "foreground")):
        shutil.copy2(path, folder)
    return folder / bench.layout.record(index).name


def test_every_picture_comes_out_the_same(finished: Bench, tmp_path: Path) -> None:
    for index in range(4):
        made = replay(alone(finished, tmp_path, index))
        assert [each.name for each in made] == ["albedo", "degraded_fg", "output"]
        assert all(each.same for each in made)
        assert made[2].data == finished.layout.png(index, "output").read_bytes()


def test_under_any_recipe(bench: Bench, tmp_path: Path) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(
        recipe_with(
            seed=7,
            variants=2,
            background={"gray_color": [90, 100, 110]},
            albedo_extraction={"mix": {"retinex": 1, "retinex_fast": 1}},
            degradation={"soft_shading": {"weight": 0}, "specular": {"weight": 0}},
        )
    )
    made = replay(alone(bench, tmp_path / "alone"))
    assert [each.name for each in made] == ["albedo", "v1_degraded_fg", "v2_degraded_fg", "v1_output", "v2_output"]
    assert all(each.same for each in made)


def test_a_record_that_says_something_else_is_told(finished: Bench, tmp_path: Path) -> None:
    file = alone(finished, tmp_path)
    record = read_record(file)
    assert record is not None
    write_record(SplitLayout(tmp_path), replace(record, recipe={"seed": 1}))
    same = {each.name: each.same for each in replay(file)}
    assert same == {"albedo": True, "degraded_fg": False, "output": False}


def test_what_cannot_be_made_again_is_said(finished: Bench, tmp_path: Path) -> None:
    file = alone(finished, tmp_path)
    record = read_record(file)
    assert record is not None
    layout = SplitLayout(tmp_path)
    with pytest.raises(UserError, match="no record"):
        replay(layout.png(0, "foreground"))
    with pytest.raises(UserError, match="not there"):
        replay(layout.record(9))
    old = {stage: replace(entry, code="0") for stage, entry in record.stages.items()}
    write_record(layout, replace(record, stages=old))
    with pytest.raises(UserError, match="install that version"):
        replay(file)
    write_record(layout, replace(record, recipe={"geometry": {"source": "depth_file"}}))
    with pytest.raises(UserError, match="not in the record"):
        replay(file)
    write_record(layout, replace(record, recipe={"unheard_of": 1}))
    with pytest.raises(UserError, match="unheard_of"):
        replay(file)
    write_record(layout, record)
    with pytest.raises(UserError, match="is not the `foreground`"):
        replay(file, finished.layout.png(1, "foreground"))
    layout.png(0, "foreground").unlink()
    with pytest.raises(UserError, match="--foreground"):
        replay(file)
    assert all(each.same for each in replay(file, finished.layout.png(0, "foreground")))
