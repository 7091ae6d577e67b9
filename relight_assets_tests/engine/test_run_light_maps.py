"""A stage that a recipe must ask for: made, replayed, verified and removed like the others; and off, nothing."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Layers
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.dry_run import dry_run
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.replay import replay
from relight_assets.engine.run import RunOptions
from relight_assets.engine.state.load import digests_of
from relight_assets.errors import ConfigError
from relight_assets.imaging import exr
from relight_assets.imaging.exr import decode_exr, encode_exr
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets.stages.registry import all_stage_names, stage_names
from relight_assets_tests.conftest import ALL_FILES, PORTRAITS, Bench, recipe_with, sha256, stamp_of_output

KEPT = recipe_with(keep_light=True)
FILES = ("light.exr", "normals", "skin", "visibility")
FOUR = ("masks", "albedo", "degraded", "composites")


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Bench]:
    """Two portraits and a cat, whose light was kept from the beginning."""
    made = Bench(tmp_path_factory.mktemp("light"), photos)
    made.write_csv([*PORTRAITS[:2], "cat.png"])
    made.run(KEPT)
    return made


@pytest.fixture
def bench(tmp_path: Path, photos: Path) -> Bench:
    made = Bench(tmp_path, photos)
    made.write_csv(PORTRAITS[:1])
    return made


def outcomes(bench: Bench, recipe: Recipe, **options: object) -> dict[str, dict[str, int]]:
    tally = bench.run(recipe, **options).tally
    return {stage: dict(counts) for stage, counts in tally.outcomes.items() if counts}


def computed(bench: Bench, recipe: Recipe, **options: object) -> dict[str, int]:
    return {stage: counts.get("computed", 0) for stage, counts in outcomes(bench, recipe, **options).items()}


def hashes(bench: Bench, index: int = 0) -> dict[str, str]:
    return {
        path.name[6:]: sha256(path)
        for path in bench.layout.folder.glob(f"{index:05d}_*")
        if "metadata" not in path.name
    }


def verified(bench: Bench, recipe: Recipe = KEPT) -> Verification:
    write_split_mapping(bench.state(recipe), bench.settings, None)
    return verify_split(bench.split(), recipe, bench.settings)


def test_the_stage_is_asked_for_by_the_recipe_alone() -> None:
    assert stage_names() == stage_names(Recipe()) == FOUR
    assert stage_names(KEPT) == all_stage_names() == (*FOUR, "light_maps")


def test_off_there_is_nothing_of_it(finished: Bench) -> None:
    record = read_record(finished.layout.record(0))
    assert record is not None
    assert tuple(record.stages) == FOUR
    assert hashes(finished).keys() == {f"{name}.png" for name in ALL_FILES}
    assert digests_of(Recipe(), finished.settings).stages == FOUR
    off, on = (digests_of(recipe, finished.settings) for recipe in (Recipe(), KEPT))
    assert off.identity != on.identity
    for stage, reads in (("masks", {}), ("albedo", {"foreground": "0" * 64})):
        assert off.of(stage, "1" * 64, reads) == on.of(stage, "1" * 64, reads)


def test_its_files_lie_beside_the_others_which_stay_as_they_were(lit: Bench, finished: Bench) -> None:
    made, without = hashes(lit), hashes(finished)
    assert made.keys() == without.keys() | {"light.exr", "normals.png", "skin.png", "visibility.png"}
    assert {name: made[name] for name in without} == without
    assert [image.status for image in lit.state(KEPT).images.values()] == ["done", "done", "failed"]
    assert hashes(lit, 2).keys() == {"failure.json"}
    record = read_record(lit.layout.record(0))
    assert record is not None
    assert record.stages["light_maps"].files.keys() == set(FILES)
    assert 100_000 < record.stages["light_maps"].files["light.exr"].size < 2_000_000


def test_turned_on_later_it_alone_is_made_and_with_the_same_bytes(bench: Bench, lit: Bench) -> None:
    assert computed(bench, Recipe()) == dict.fromkeys(FOUR, 1)
    before = hashes(bench)
    plan = dry_run(bench.split(), KEPT, bench.settings, RunOptions())
    assert {stage: dict(reasons) for stage, reasons in plan.reasons.items() if reasons} == {
        "light_maps": {"not made yet": 1}
    }
    assert computed(bench, KEPT) == dict.fromkeys(FOUR, 0) | {"light_maps": 1}
    assert before.items() <= hashes(bench).items()
    assert hashes(bench) == hashes(lit)
    assert computed(bench, KEPT) == dict.fromkeys((*FOUR, "light_maps"), 0)


def test_it_follows_the_light_and_not_the_gray(bench: Bench) -> None:
    bench.run(KEPT)
    gray = recipe_with(keep_light=True, background={"gray_color": [9, 9, 9]})
    assert computed(bench, gray) == {"masks": 0, "albedo": 0, "degraded": 0, "composites": 1, "light_maps": 0}
    assert computed(bench, recipe_with(keep_light=True, seed=3))["light_maps"] == 1
    bench.layout.artifact(0, "light.exr").unlink()
    assert computed(bench, recipe_with(keep_light=True, seed=3)) == dict.fromkeys(FOUR, 0) | {"light_maps": 1}


def test_of_stages_that_were_not_selected_it_waits(bench: Bench) -> None:
    found = outcomes(bench, KEPT, stages=["masks", "albedo", "light_maps"])
    assert found["light_maps"] == {"pending": 1}
    assert computed(bench, KEPT, stages=["degraded", "composites"])["degraded"] == 1
    assert [image.status for image in bench.state(KEPT).images.values()] == ["pending"]
    assert [image.status for image in bench.state(Recipe()).images.values()] == ["done"]
    assert computed(bench, KEPT, stages=["light_maps"])["light_maps"] == 1
    assert [image.status for image in bench.state(KEPT).images.values()] == ["done"]


def test_turned_off_its_files_stay_until_the_image_is_made_again(bench: Bench) -> None:
    bench.run(KEPT)
    assert computed(bench, Recipe()) == dict.fromkeys(FOUR, 0)
    assert bench.layout.artifact(0, "light.exr").is_file()
    assert verified(bench, Recipe()).passed
    other = recipe_with(seed=3)
    assert computed(bench, other)["degraded"] == 1
    assert hashes(bench).keys() == {f"{name}.png" for name in ALL_FILES}
    record = read_record(bench.layout.record(0))
    assert record is not None
    assert tuple(record.stages) == FOUR
    assert verified(bench, other).passed


def test_fewer_variants_leave_no_files_of_more(bench: Bench) -> None:
    two = recipe_with(keep_light=True, variants=2)
    bench.run(two)
    assert {f"v{number}_light.exr" for number in (1, 2)} <= hashes(bench).keys()
    bench.run(KEPT)
    assert hashes(bench).keys() == {f"{name}.png" for name in ALL_FILES} | {
        "light.exr",
        *(f"{name}.png" for name in FILES[1:]),
    }


def test_it_is_replayed_from_record_and_foreground(lit: Bench) -> None:
    made = replay(lit.layout.record(0))
    assert [each.name for each in made] == ["albedo", "degraded_fg", "output", *FILES]
    assert all(each.same for each in made)


def test_verify_reads_its_files_and_proves_that_the_picture_comes_back(lit: Bench) -> None:
    found = verified(lit)
    assert found.faults == []
    assert (found.images, found.files) == (2, 20)


def altered(layers: Layers) -> Layers:
    """With a lamp that is a tenth brighter."""
    light, *others = layers.layers
    key = (light.planes["key"] * np.float16(1.1)).astype(np.float16)
    return Layers(layers.size, (replace(light, planes=light.planes | {"key": key}), *others))


def test_verify_finds_a_light_that_is_not_the_pictures(bench: Bench) -> None:
    bench.run(KEPT)
    path = bench.layout.artifact(0, "light.exr")
    path.write_bytes(encode_exr(altered(decode_exr(path.read_bytes()))))
    assert [fault.code for fault in verified(bench).wrong] == ["altered"]
    record = read_record(bench.layout.record(0))
    assert record is not None
    record.stages["light_maps"].files["light.exr"] = stamp_of_output(path)  # the record says so, and yet
    write_record(bench.layout, record)
    faults = {fault.code: fault for fault in verified(bench).faults}
    assert set(faults) == {"light", "replay"}
    assert faults["light"].file == path
    assert "levels, not 1" in faults["light"].text
    path.write_bytes(b"no such file")
    record.stages["light_maps"].files["light.exr"] = stamp_of_output(path)
    write_record(bench.layout, record)
    assert "cannot be used" in next(fault.text for fault in verified(bench).faults if fault.code == "light")


def test_a_file_that_was_touched_is_hashed_and_kept(bench: Bench) -> None:
    bench.run(KEPT)
    path = bench.layout.artifact(0, "light.exr")
    os.utime(path, ns=(1, 1))
    assert [bool(image.unchecked) for image in bench.state(KEPT).images.values()] == [True]
    assert computed(bench, KEPT) == dict.fromkeys((*FOUR, "light_maps"), 0)
    assert [image.status for image in bench.state(KEPT).images.values()] == ["done"]


def test_an_experiment_links_what_its_split_has(bench: Bench) -> None:
    bench.run(KEPT)
    gray = recipe_with(keep_light=True, background={"gray_color": [9, 9, 9]})
    assert computed(bench, gray, experiment="gray") == dict.fromkeys((*FOUR, "light_maps"), 0) | {"composites": 1}
    folder = bench.settings.output_root / "experiments" / "gray" / "data-train"
    assert (folder / "00000_light.exr").samefile(bench.layout.artifact(0, "light.exr"))


def test_without_the_package_a_run_stops_before_it_begins(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exr, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="its extra `light`"):
        bench.run(KEPT)
    assert not list(bench.layout.folder.glob("00000_*"))
    assert computed(bench, Recipe()) == dict.fromkeys(FOUR, 1)
