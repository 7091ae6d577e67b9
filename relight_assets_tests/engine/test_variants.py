"""Several lights for one portrait, through real workers."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Pixels8
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.metrics import misfits
from relight_assets.engine.publish import variants_path, write_split_mapping
from relight_assets.engine.replay import replay
from relight_assets.imaging.png import decode_png
from relight_assets.quality.verify.split import verify_split
from relight_assets.stages.degraded.variants.mix import mixed
from relight_assets.stages.registry import stage_spec
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, read_rgb, recipe_with, sha256

THREE = recipe_with(variants=3)


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Bench]:
    """Two portraits and a cat, three lights each."""
    made = Bench(tmp_path_factory.mktemp("variants"), photos)
    made.write_csv([*PORTRAITS[:2], "cat.png"])
    made.run(THREE)
    return made


def images(bench: Bench, index: int) -> set[str]:
    return {path.name[6:-4] for path in bench.layout.folder.glob(f"{index:05d}_*.png")}


def test_each_light_has_its_files_and_masks_and_albedo_are_there_once(lit: Bench) -> None:
    names = {"input", "foreground", "background", "albedo"}
    names |= {f"v{number}_{name}" for number in (1, 2, 3) for name in ("degraded_fg", "output")}
    assert images(lit, 0) == images(lit, 1) == names
    assert images(lit, 2) == set()


def test_the_lights_are_different_and_recorded(lit: Bench) -> None:
    data = json.loads(lit.layout.record(0).read_text())
    lights = data["stages"]["degraded"]["numbers"]["variants"]
    assert len(lights) == 3
    assert len({tuple(light["light_direction"]) for light in lights}) == 3
    assert data["light_direction"] == lights[0]["light_direction"]
    outputs = [read_rgb(lit.layout.png(0, f"v{number}_output")) for number in (1, 2, 3)]
    assert all(np.abs(one.astype(int) - outputs[0]).mean() > 1 for one in outputs[1:])


def test_the_first_of_several_is_the_light_of_one(lit: Bench, finished: Bench) -> None:
    for name in ("degraded_fg", "output"):
        assert sha256(lit.layout.png(0, f"v1_{name}")) == sha256(finished.layout.png(0, name))


def test_the_csvs_name_the_first_and_all_of_them(lit: Bench) -> None:
    state = lit.state(THREE)
    target = write_split_mapping(state, lit.settings)
    with target.open(newline="") as file:
        first = [row["output_image_path"] for row in csv.DictReader(file)]
    with variants_path(state, lit.settings).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(path).name for path in first] == ["00000_v1_output.png", "00001_v1_output.png", ""]
    assert [row["output_variant"] for row in rows] == ["1", "2", "3"] * 2
    assert [Path(row["output_image_path"]).name for row in rows[3:]] == [
        f"00001_v{number}_output.png" for number in (1, 2, 3)
    ]
    found = verify_split(lit.split(), THREE, lit.settings)
    assert found.faults == []
    assert len(found.measured) == 6
    assert "variants apart" in {verdict.metric for verdict in found.verdicts}


@pytest.mark.parametrize(("before", "after"), [(3, 1), (1, 2), (3, 2)])
def test_another_number_leaves_nothing_of_the_old_one(bench: Bench, before: int, after: int) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(variants=before))
    again = bench.run(recipe_with(variants=after))
    assert computed(again) == {"masks": 0, "albedo": 0, "degraded": 1, "composites": 1}
    lit = {*stage_spec("degraded").files(after), *stage_spec("composites").files(after)}
    assert images(bench, 0) == {"input", "foreground", "background", "albedo"} | lit
    assert computed(bench.run(recipe_with(variants=after))).keys() >= {"masks"}
    write_split_mapping(bench.state(recipe_with(variants=after)), bench.settings)
    assert variants_path(bench.state(Recipe()), bench.settings).exists() == (after > 1)


def test_what_an_experiment_takes_over_leaves_nothing_of_its_own_lights(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    bench.run(recipe_with(variants=3, seed=5), experiment="more")
    again = bench.run(Recipe(), experiment="more")
    assert set(computed(again).values()) == {0}
    layout = SplitLayout(split_folder(bench.settings.output_root, "train", "more"))
    assert {path.name[6:-4] for path in layout.folder.glob("*.png")} == images(bench, 0)
    assert layout.shown(0, "output") == layout.png(0, "output")


PATTERNS = {"soft_shading": {"weight": 0}, "hard_shadow": {"kinds": {"none": 0}}, "mixture_probability": 0}
FURTHER = recipe_with(variants=2, ladder=[0, 0.5, 1], no_gobo=True, degradation=PATTERNS)


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Bench:
    """Two portraits: two lights each, mixes, and lights without a pattern; shadows and highlights."""
    made = Bench(tmp_path_factory.mktemp("further"), photos)
    made.write_csv(PORTRAITS[:2])
    made.run(FURTHER)
    return made


def lights_of(bench: Bench, index: int) -> list[dict[str, Any]]:
    numbers = json.loads(bench.layout.record(index).read_text())["stages"]["degraded"]["numbers"]
    found: list[dict[str, Any]] = numbers["variants"]
    return found


def rgba(bench: Bench, index: int, name: str) -> Pixels8:
    return decode_png(bench.layout.png(index, name).read_bytes())


def test_mixes_and_lights_without_a_pattern_are_recorded(further: Bench) -> None:
    patterned = 0
    for index in range(2):
        lights = lights_of(further, index)
        kinds = [light["variant_kind"] for light in lights]
        assert kinds[:5] == ["light", "light", "mix", "mix", "mix"]
        assert [light.get("variant_of") for light in lights] == [None, None, 1, 1, 2, 1, 2]
        assert [light.get("amount") for light in lights[2:5]] == [0, 0.5, 0.5]
        assert lights[2]["strength"] == 0
        for number, light in enumerate(lights[:2]):
            bare = lights[5 + number]
            assert light.get("no_gobo") == (6 + number if light["has_pattern"] else None)
            assert kinds[5 + number] == ("no_gobo" if light["has_pattern"] else "same")
            assert bare["has_pattern"] is False
            assert (bare["light_direction"], bare["exposure"]) == (light["light_direction"], light["exposure"])
            same = sha256(further.layout.png(index, f"v{number + 1}_output")) == sha256(
                further.layout.png(index, f"v{number + 6}_output")
            )
            assert same != light["has_pattern"]
            patterned += light["has_pattern"]
    assert 0 < patterned < 4


def test_a_mix_is_that_of_the_files(further: Bench) -> None:
    for index in range(2):
        photo, light = rgba(further, index, "foreground"), rgba(further, index, "v2_degraded_fg")
        assert np.array_equal(rgba(further, index, "v5_degraded_fg"), mixed(photo, light, 0.5))
        assert np.array_equal(rgba(further, index, "v3_degraded_fg"), photo)


def test_they_are_resumed_mapped_verified_and_replayed(further: Bench) -> None:
    assert set(computed(further.run(FURTHER)).values()) == {0}
    state = further.state(FURTHER)
    write_split_mapping(state, further.settings)
    with variants_path(state, further.settings).open(newline="") as file:
        assert [row["output_variant"] for row in csv.DictReader(file)] == [str(number) for number in range(1, 8)] * 2
    found = verify_split(further.split(), FURTHER, further.settings)
    assert found.faults == []
    assert {measured.variant for measured in found.measured} == {0, 1}
    assert all(each.same for each in replay(further.layout.record(0)))
    assert all(misfits("degraded", {"variants": lights_of(further, index)}) == [] for index in range(2))


def test_without_them_no_byte_and_no_number_changes(further: Bench, tmp_path: Path) -> None:
    plain = Bench(tmp_path, further.photos)
    plain.write_csv(PORTRAITS[:2])
    plain.run(recipe_with(variants=2, degradation=PATTERNS))
    for index in range(2):
        for name in ("v1_output", "v2_degraded_fg"):
            assert sha256(plain.layout.png(index, name)) == sha256(further.layout.png(index, name))
        added = {"variant_kind", "no_gobo"}
        before, after = lights_of(plain, index), lights_of(further, index)[:2]
        assert before == [{name: light[name] for name in light if name not in added} for light in after]


def test_a_shorter_ladder_leaves_no_file(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(ladder=[0, 0.25, 0.5]))
    assert "v4_output" in images(bench, 0)
    again = bench.run(recipe_with(ladder=[0.5]))
    assert computed(again) == {"masks": 0, "albedo": 0, "degraded": 1, "composites": 1}
    lit = {f"v{number}_{name}" for number in (1, 2) for name in ("degraded_fg", "output")}
    assert images(bench, 0) == {"input", "foreground", "background", "albedo"} | lit


def test_lights_that_differ_in_one_attribute_start_from_the_light_of_one(bench: Bench, finished: Bench) -> None:
    recipe = recipe_with(variants=3, vary="one")
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe)
    assert sha256(bench.layout.png(0, "v1_output")) == sha256(finished.layout.png(0, "output"))
    lights = lights_of(bench, 0)
    assert len({light["varied"] for light in lights}) == 1
    assert len({sha256(bench.layout.png(0, f"v{number}_output")) for number in (1, 2, 3)}) == 3
    write_split_mapping(bench.state(recipe), bench.settings)
    found = verify_split(bench.split(), recipe, bench.settings)
    assert found.faults == []
    assert "variants apart" not in {verdict.metric for verdict in found.verdicts}
    assert all(each.same for each in replay(bench.layout.record(0)))
