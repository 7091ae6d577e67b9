"""The user's own shadow patterns, from their files to the record of an image."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.loader import parse_recipe
from relight_assets.config.recipe.families import ShadowKinds
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.records import read_record
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.worker.gobo_files import SIDE, load_gobos
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import ConfigError
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench


def recipe_of(folder: Path) -> Recipe:
    kinds = dict.fromkeys(ShadowKinds.model_fields, 0.0) | {"custom": 1.0}
    light = {
        "soft_shading": {"weight": 0},
        "specular": {"weight": 0},
        "studio": {"weight": 0},
        "hard_shadow": {"gobo_dir": str(folder), "kinds": kinds},
    }
    return parse_recipe({"degradation": light}, "a test", folder).recipe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shadows = tmp_path / "shadows"
    shadows.mkdir()
    stripes = np.zeros((900, 1200), np.uint8)
    stripes[:, np.arange(1200) % 100 < 50] = 255
    cv2.imwrite(str(shadows / "stripes.png"), stripes)
    return shadows


def test_images_come_gray_and_no_larger_than_light_is(folder: Path) -> None:
    (found,) = load_gobos(recipe_of(folder)).values()
    assert found.dtype == np.uint8
    assert found.shape == (SIDE * 3 // 4, SIDE)
    assert found.mean() == pytest.approx(127.5, abs=3)
    assert load_gobos(Recipe()) == {}


def test_damaged_and_altered_files_are_named(folder: Path) -> None:
    recipe = recipe_of(folder)
    file = folder / "stripes.png"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ConfigError, match=r"stripes\.png.*cut off"):
        load_gobos(recipe_of(folder))
    cv2.imwrite(str(file), np.zeros((64, 64), np.uint8))
    with pytest.raises(ConfigError, match=r"stripes\.png was altered"):
        load_gobos(recipe)


def test_a_pipe_that_took_the_place_of_a_file_keeps_nobody_waiting(folder: Path) -> None:
    recipe = recipe_of(folder)
    (folder / "stripes.png").unlink()
    os.mkfifo(folder / "stripes.png")
    with pytest.raises(ConfigError, match=r"'stripes\.png' is a named pipe"):
        load_gobos(recipe)


def test_a_worker_throws_them_and_the_record_names_the_file(bench: Bench, folder: Path) -> None:
    bench.layout.folder.mkdir(parents=True)
    photo = str(bench.photos / PORTRAITS[0])
    lasting_index.extend(bench.layout, [photo])
    worker = ImageWorker(folder=bench.layout.folder, recipe=recipe_of(folder), max_pixels=10**7, threads=1)
    list(worker.process([WorkItem(0, photo, photo, stage_names())]))
    record = read_record(bench.layout.record(0))
    assert record is not None
    numbers = record.stages["degraded"].numbers
    assert (numbers["pattern_type"], numbers["pattern_file"]) == ("custom", "stripes.png")
