"""Real photos come back from albedo and light, under every kind of light."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from relight_assets.config.loader import load_recipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Layers
from relight_assets.dataset.records import read_record
from relight_assets.errors import UserError
from relight_assets.imaging.exr import decode_exr, encode_exr
from relight_assets.quality.light_maps import TOLERANCE, difference, rebuild_degraded, variants_of
from relight_assets_tests.conftest import PORTRAITS, Bench, read_rgb, recipe_with
from relight_assets_tests.stages.degraded.lights import LIGHTS, degradation_of

PHOTOS = (PORTRAITS[0], PORTRAITS[3])


def kept(bench: Bench, recipe: Recipe) -> list[tuple[int, str, int]]:
    """Photo, kind of variant and difference of every picture."""
    bench.run(recipe)
    found = []
    for index in range(len(PHOTOS)):
        record = read_record(bench.layout.record(index))
        assert record is not None

        def read(name: str, index: int = index) -> bytes:
            return bench.layout.artifact(index, name).read_bytes()

        lights = record.stages["degraded"].lights
        for variant in range(variants_of(record)):
            kind = str(lights[variant].get("variant_kind", lights[variant]["degradation_type"]))
            found.append((index, kind, difference(record, variant, read)))
    return found


@pytest.fixture
def bench(tmp_path: Path, photos: Path) -> Bench:
    made = Bench(tmp_path, photos)
    made.write_csv(PHOTOS)
    return made


@pytest.mark.parametrize("name", sorted(LIGHTS.keys() - {"environment"}))
def test_every_kind_of_light(bench: Bench, name: str) -> None:
    found = kept(bench, recipe_with(keep_light=True, degradation=degradation_of(name)))
    assert len(found) == len(PHOTOS)
    assert max(levels for *_, levels in found) <= TOLERANCE


def test_lights_of_the_users_own_panorama(bench: Bench) -> None:
    (bench.folder / "around").mkdir()
    sky = np.full((64, 128, 3), 60, np.uint8)
    sky[10:20, 30:40] = 255
    cv2.imwrite(str(bench.folder / "around" / "sun.png"), sky)
    section = degradation_of("environment")
    section["environment"]["environment_dir"] = str(bench.folder / "around")
    recipe_file = bench.folder / "recipe.yaml"
    recipe_file.write_text(yaml.safe_dump({"keep_light": True, "degradation": section}))
    found = kept(bench, load_recipe(recipe_file).recipe)
    assert max(levels for *_, levels in found) <= TOLERANCE


def test_mixtures_of_families_mixes_with_the_photo_and_lights_without_pattern(bench: Bench) -> None:
    section = {"mixture_probability": 1.0, "studio": {"weight": 0}, "hard_shadow": {"weight": 1.0}}
    recipe = recipe_with(keep_light=True, variants=3, ladder=[0, 0.25, 0.7], no_gobo=True, degradation=section)
    found = kept(bench, recipe)
    assert {kind for _, kind, _ in found} >= {"light", "mix", "no_gobo"}
    assert len(found) == len(PHOTOS) * recipe.variant_count
    assert max(levels for *_, levels in found) <= TOLERANCE


def test_lights_that_differ_in_one_attribute(bench: Bench) -> None:
    found = kept(bench, recipe_with(keep_light=True, variants=3, vary="one"))
    assert len(found) == 3 * len(PHOTOS)
    assert max(levels for *_, levels in found) <= TOLERANCE


def test_by_the_record_alone_and_what_is_not_there_is_one_sentence(bench: Bench) -> None:
    kept(bench, recipe_with(keep_light=True, variants=2))
    record = bench.layout.record(0)
    for variant in (1, 2):
        made = read_rgb(bench.layout.png(0, f"v{variant}_degraded_fg"))
        assert np.abs(rebuild_degraded(record, variant).astype(int) - made).max() <= TOLERANCE
    with pytest.raises(UserError, match="no variant 3; there are 2"):
        rebuild_degraded(record, 3)
    with pytest.raises(UserError, match="is no record"):
        rebuild_degraded(bench.folder / "00000_metadata.json")
    light = bench.layout.artifact(0, "v1_light.exr")
    layers = decode_exr(light.read_bytes())
    nameless = replace(layers.layers[0], name="dark")
    light.write_bytes(encode_exr(Layers(layers.size, (nameless,))))
    with pytest.raises(UserError, match="no layer `light`"):
        rebuild_degraded(record)
    light.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        rebuild_degraded(record)
    bench.run(recipe_with(variants=2))
    bench.run(recipe_with(variants=2, seed=4))
    with pytest.raises(UserError, match="set `keep_light: true`"):
        rebuild_degraded(record)
