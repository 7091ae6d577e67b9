"""Several lights for one portrait, through real workers."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.engine.publish import variants_path, write_split_mapping
from relight_assets.quality.verify.split import verify_split
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
