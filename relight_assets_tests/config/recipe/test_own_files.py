"""The user's own shadow patterns and panoramas in a recipe: found, named by content, and refused where they cannot be
used."""

import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from relight_assets.config.loader import load_recipe
from relight_assets.config.recipe.own_files import MAX_BYTES, MAX_FILES
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import canonical_digest
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible
from relight_assets.stages.registry import stage_names, stage_spec

ASKED = "degradation: {hard_shadow: {gobo_dir: ../shadows, kinds: {custom: 0.5}}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "shadows").mkdir()
    for number, name in enumerate(("fern.png", "Bars.PNG")):
        cv2.imwrite(str(tmp_path / "shadows" / name), np.full((64, 64), 60 * number, np.uint8))
    (tmp_path / "shadows" / "notes.txt").write_text("mine")
    config = tmp_path / "config" / "mine.yaml"
    config.write_text(ASKED)
    return config


def degraded(recipe: Recipe) -> str:
    return canonical_digest(stage_spec("degraded").recipe_part(recipe))


def test_patterns_are_found_beside_the_recipe_file_and_go_with_it(file: Path) -> None:
    recipe = load_recipe(file).recipe
    hard = recipe.degradation.hard_shadow
    assert [gobo.name for gobo in hard.gobos] == ["Bars.PNG", "fern.png"]
    sent = pickle.loads(pickle.dumps(recipe))  # noqa: S301  (as it goes to a worker)
    assert sent == recipe
    assert sent.degradation.hard_shadow.gobos == hard.gobos
    again = file.with_name("written.yaml")
    again.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert load_recipe(again).recipe == recipe
    check_feasible(recipe)


def test_what_is_in_them_decides_the_digest_of_the_light_and_not_where_they_lie(file: Path) -> None:
    before = load_recipe(file).recipe
    shadows = file.parents[1] / "shadows"
    shadows.rename(file.parents[1] / "elsewhere")
    file.write_text(ASKED.replace("shadows", "elsewhere"))
    moved = load_recipe(file).recipe
    assert moved != before
    assert degraded(moved) == degraded(before)
    cv2.imwrite(str(file.parents[1] / "elsewhere" / "fern.png"), np.full((64, 64), 99, np.uint8))
    changed = load_recipe(file).recipe
    assert degraded(changed) != degraded(before)
    for stage in set(stage_names()) - {"degraded"}:
        assert canonical_digest(stage_spec(stage).recipe_part(changed)) == canonical_digest(
            stage_spec(stage).recipe_part(before)
        )


def test_a_folder_without_a_weight_has_no_effect_and_says_so(file: Path) -> None:
    file.write_text("degradation: {hard_shadow: {gobo_dir: ../nowhere}}\n")
    loaded = load_recipe(file)
    assert "`kinds.custom: 0`" in loaded.warnings[0]
    assert degraded(loaded.recipe) == degraded(Recipe())


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        (ASKED.replace("../shadows", "../nowhere"), ["nowhere cannot be read", "No such file"]),
        (ASKED.replace("../shadows", "."), ["no PNG in", "white lets light through"]),
        (ASKED.replace("gobo_dir: ../shadows,", ""), ["`kinds.custom` has a weight", "`gobo_dir`"]),
        (ASKED.replace("../shadows", "''"), ["gobo_dir"]),
        (ASKED.replace("../shadows", "~nobody-here/x"), ["gobo_dir", "the home of a user that is not known here"]),
        (ASKED.replace("../shadows", "x" * 300), ["gobo_dir", "File name too long"]),
    ],
)
def test_a_folder_that_cannot_be_used_is_reported(file: Path, asked: str, reported: list[str]) -> None:
    file.write_text(asked)
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    for part in [*reported, str(file)]:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reported"),
    [(b"GIF89a", "no PNG"), (b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES), "larger")],
    ids=["gif", "large"],
)
def test_a_file_that_cannot_be_used_is_named(file: Path, content: bytes, reported: str) -> None:
    (file.parents[1] / "shadows" / "odd.png").write_bytes(content)
    with pytest.raises(ConfigError, match=f"odd.png is {reported}"):
        load_recipe(file)


@pytest.mark.parametrize("kind", ["a named pipe", "a folder", "a device"])
def test_what_is_no_file_is_named_and_nobody_waits_for_it(file: Path, kind: str) -> None:
    odd = file.parents[1] / "shadows" / "odd.png"
    if kind == "a named pipe":
        os.mkfifo(odd)
    elif kind == "a folder":
        odd.mkdir()
    else:
        odd.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=f"gobo_dir`: .*/shadows: 'odd.png' is {kind}, not a file"):
        load_recipe(file)


def test_of_very_many_files_only_so_many_are_looked_at(file: Path) -> None:
    for number in range(MAX_FILES):
        (file.parents[1] / "shadows" / f"{number}.png").write_bytes(b"")
    with pytest.raises(ConfigError, match=f"more PNGs in .*/shadows than the {MAX_FILES} that are taken"):
        load_recipe(file)


PANORAMAS = "degradation: {environment: {weight: 0.5, environment_dir: ../around}}\n"


@pytest.fixture
def around(file: Path) -> Path:
    """A folder of panoramas, which the recipe asks for."""
    folder = file.parents[1] / "around"
    folder.mkdir()
    cv2.imwrite(str(folder / "sky.png"), np.full((64, 128, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "room.hdr"), np.full((64, 128, 3), 2, np.float32))
    (folder / "notes.txt").write_text("mine")
    file.write_text(PANORAMAS)
    return folder


def test_panoramas_are_found_likewise_and_their_content_decides_the_digest(file: Path, around: Path) -> None:
    before = load_recipe(file).recipe
    assert [each.name for each in before.degradation.environment.panoramas] == ["room.hdr", "sky.png"]
    assert pickle.loads(pickle.dumps(before)) == before  # noqa: S301  (as it goes to a worker)
    check_feasible(before)
    moved = around.rename(around.with_name("elsewhere"))
    file.write_text(PANORAMAS.replace("around", "elsewhere"))
    assert degraded(load_recipe(file).recipe) == degraded(before)
    cv2.imwrite(str(moved / "sky.png"), np.full((64, 128, 3), 91, np.uint8))
    assert degraded(load_recipe(file).recipe) != degraded(before)


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        (PANORAMAS.replace("../around", "../nowhere"), ["nowhere cannot be read", "No such file"]),
        (PANORAMAS.replace("../around", "."), ["no panorama in", "twice as wide as it is high"]),
        (PANORAMAS.replace(", environment_dir: ../around", ""), ["it has a weight", "`environment_dir`"]),
        (PANORAMAS.replace("../around", "~nobody-here/x"), ["environment_dir", "the home of a user"]),
    ],
)
@pytest.mark.usefixtures("around")
def test_a_folder_of_panoramas_that_cannot_be_used_is_reported(file: Path, asked: str, reported: list[str]) -> None:
    file.write_text(asked)
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    for part in [*reported, str(file)]:
        assert part in str(caught.value)


def test_a_folder_of_panoramas_without_a_weight_has_no_effect_and_says_so(file: Path) -> None:
    file.write_text("degradation: {environment: {environment_dir: ../nowhere}}\n")
    loaded = load_recipe(file)
    assert "`degradation.environment.environment_dir` has no effect with `weight: 0`" in loaded.warnings[0]
    assert degraded(loaded.recipe) == degraded(Recipe())
