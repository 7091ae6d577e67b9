"""An image is what its record says: it comes out again from record and foreground alone, byte for byte."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from relight_assets.config.loader import parse_recipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.replay import NotInRecordError, OwnFolders, replay
from relight_assets.errors import UserError
from relight_assets.quality.verify.split import verify_split
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, recipe_with, rewrite_record
from relight_assets_tests.faults.one_file import OTHERS, put


def alone(bench: Bench, folder: Path, index: int = 0) -> Path:
    """A record and its foreground, and nothing else."""
    folder.mkdir(exist_ok=True)
    for path in (bench.layout.record(index), bench.layout.png(index, "foreground")):
        shutil.copy2(path, folder)
    return folder / bench.layout.record(index).name


def test_every_image_comes_out_the_same(finished: Bench, tmp_path: Path) -> None:
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
            degradation={"soft_shading": {"weight": 0}, "specular": {"weight": 0}, "studio": {"weight": 0}},
        )
    )
    made = replay(alone(bench, tmp_path / "alone"))
    assert [each.name for each in made] == ["albedo", "v1_degraded_fg", "v2_degraded_fg", "v1_output", "v2_output"]
    assert all(each.same for each in made)


def test_a_record_that_says_something_else_is_reported(finished: Bench, tmp_path: Path) -> None:
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
    # Whatever its numbers say, the recipe drew a network's.
    for method in ("retinex", None, 3):
        entry = replace(record.stages["albedo"], numbers={"method": method})
        learned = {"albedo_extraction": {"mix": {"retinex": 0, "learned": 1}}}
        write_record(layout, replace(record, stages=record.stages | {"albedo": entry}, recipe=learned))
        with pytest.raises(NotInRecordError, match="your own ONNX model"):
            replay(file)
    write_record(layout, replace(record, recipe={"unheard_of": 1}))
    with pytest.raises(UserError, match="unheard_of"):
        replay(file)
    write_record(layout, replace(record, recipe=None))
    with pytest.raises(NotInRecordError, match="which recipe"):
        replay(file)
    write_record(layout, record)
    with pytest.raises(UserError, match="is not the `foreground`"):
        replay(file, finished.layout.png(1, "foreground"))
    layout.png(0, "foreground").unlink()
    with pytest.raises(UserError, match="--foreground"):
        replay(file)
    assert all(each.same for each in replay(file, finished.layout.png(0, "foreground")))


def test_patterns_of_ones_own_may_move_but_not_change(bench: Bench, tmp_path: Path) -> None:
    gobos = tmp_path / "gobos"
    gobos.mkdir()
    stripes = np.repeat(np.tile(np.array([[0, 255]], np.uint8), (128, 64)), 1, axis=1)
    (gobos / "stripes.png").write_bytes(cv2.imencode(".png", stripes)[1].tobytes())
    hard = {"gobo_dir": str(gobos), "kinds": {"custom": 1e6}}
    sections = {"hard_shadow": hard, "soft_shading": {"weight": 0}, "specular": {"weight": 0}, "studio": {"weight": 0}}
    bench.write_csv(PORTRAITS[:1])
    bench.run(parse_recipe({"degradation": sections}, "mine.yaml", tmp_path).recipe)
    file = bench.layout.record(0)
    assert all(each.same for each in replay(file))
    moved = gobos.rename(tmp_path / "moved")
    with pytest.raises(NotInRecordError, match="--gobos"):
        replay(file)
    assert all(each.same for each in replay(file, folders=OwnFolders(moved)))
    (moved / "another.png").write_bytes(cv2.imencode(".png", 255 - stripes)[1].tobytes())
    with pytest.raises(NotInRecordError, match="not those"):
        replay(file, folders=OwnFolders(moved))


def test_panoramas_of_ones_own_may_move_but_not_change(bench: Bench, tmp_path: Path) -> None:
    around = tmp_path / "around"
    around.mkdir()
    room = np.full((64, 128, 3), 0.2, np.float32)
    room[16:26, 70:82] = 40
    cv2.imwrite(str(around / "room.hdr"), room)
    others = ("soft_shading", "hard_shadow", "specular", "studio")
    sections: dict[str, Any] = {name: {"weight": 0} for name in others}
    sections["environment"] = {"weight": 1, "environment_dir": str(around)}
    bench.write_csv(PORTRAITS[:1])
    bench.run(parse_recipe({"degradation": sections}, "mine.yaml", tmp_path).recipe)
    file = bench.layout.record(0)
    record = read_record(file)
    assert record is not None
    numbers = record.stages["degraded"].numbers
    assert (numbers["degradation_type"], numbers["environment"]) == ("environment", "room.hdr")
    assert all(each.same for each in replay(file))
    moved = around.rename(tmp_path / "moved")
    with pytest.raises(NotInRecordError, match="--environments"):
        replay(file)
    assert all(each.same for each in replay(file, folders=OwnFolders(environments=moved)))
    cv2.imwrite(str(moved / "room.hdr"), room + 1)
    with pytest.raises(NotInRecordError, match=r"the panoramas in .* are not those"):
        replay(file, folders=OwnFolders(environments=moved))


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_faces_that_cannot_be_read_are_reported_and_found_again(bench: Bench, damage: str) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    before = bench.png_hashes()
    file = bench.layout.record(0)

    def harm(content: dict[str, Any]) -> None:
        numbers = content["stages"]["masks"]["numbers"]
        if damage == "cut":
            numbers["face_meshes"][0]["points"] = numbers["face_meshes"][0]["points"][:100]
        else:
            del numbers["face_meshes"]

    rewrite_record(file, harm)
    with pytest.raises(UserError, match="damaged"):
        replay(file)
    write_split_mapping(bench.state(), bench.settings)
    found = verify_split(bench.split(), Recipe(), bench.settings)
    reported = ["replay"] if damage == "cut" else ["metric", "replay"]
    assert [(fault.code, fault.file) for fault in found.faults] == [(code, file) for code in reported]
    bench.layout.png(0, "degraded_fg").unlink()
    assert computed(bench.run()) == {"masks": 1, "albedo": 0, "degraded": 1, "composites": 0}
    assert bench.png_hashes() == before
    assert all(each.same for each in replay(file))


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", ["metadata.json", "foreground.png"])
def test_whatever_stands_in_a_files_place_is_one_sentence(
    finished: Bench, tmp_path: Path, name: str, kind: str
) -> None:
    record = alone(finished, tmp_path)
    put(kind, tmp_path / f"00000_{name}")
    with pytest.raises(UserError, match=rf"00000_{name}") as reported:
        replay(record)
    assert str(reported.value).isprintable()
