"""The user's own panoramas, from their files to light."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.loader import parse_recipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.color import luminance
from relight_assets.engine.worker.environment_files import load_environments
from relight_assets.errors import ConfigError


def recipe_of(folder: Path) -> Recipe:
    section = {"environment": {"weight": 1.0, "environment_dir": str(folder)}}
    return parse_recipe({"degradation": section}, "a test", folder).recipe


def room(height: int = 128) -> np.ndarray:
    """BGR radiance: walls, and a red lamp in front and above."""
    image = np.full((height, 2 * height, 3), 0.25, np.float32)
    image[height // 4 : height // 3, height : height + height // 8] = (1, 2, 20)
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    around = tmp_path / "around"
    around.mkdir()
    cv2.imwrite(str(around / "room.hdr"), room())
    return around


def test_radiance_is_linear_and_its_channels_are_in_order(folder: Path) -> None:
    (found,) = load_environments(recipe_of(folder)).values()
    red, green, blue = found.key_light
    assert red > 5 * green > 7 * blue
    assert found.key.z > 0.5
    assert found.key.y < 0
    assert load_environments(Recipe()) == {}


def test_a_display_image_is_decoded_and_what_is_clipped_is_brighter_than_white(folder: Path) -> None:
    image = np.full((128, 256, 3), 90, np.uint8)
    image[30:40, 130:140] = 255
    cv2.imwrite(str(folder / "sky.png"), image)
    cv2.imwrite(str(folder / "dim.png"), np.minimum(image, 240))
    found = load_environments(recipe_of(folder))
    share = {name: luminance(np.array([[each.key_light]], np.float32)).item() for name, each in found.items()}
    assert set(share) == {"dim.png", "room.hdr", "sky.png"}
    assert share["sky.png"] > 5 * share["dim.png"] > 0


@pytest.mark.parametrize(
    ("name", "shape"), [("photo.png", (128, 128, 3)), ("wide.hdr", (64, 256, 3)), ("tall.hdr", (128, 64, 3))]
)
def test_a_file_that_is_no_panorama_is_one_sentence(folder: Path, name: str, shape: tuple[int, ...]) -> None:
    kind = np.float32 if name.endswith(".hdr") else np.uint8
    cv2.imwrite(str(folder / name), np.full(shape, 1, kind))
    with pytest.raises(ConfigError, match=rf"{name} is no panorama .* twice as wide as it is high") as caught:
        load_environments(recipe_of(folder))
    assert f"{shape[1]} x {shape[0]} pixels" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"GIF89a", "no Radiance HDR"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 64 +X 128\n", "damaged or cut off"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 40000 +X 80000\n", "80000 x 40000 pixels; reduce it"),
    ],
)
def test_a_damaged_or_huge_file_is_named(folder: Path, content: bytes, reported: str) -> None:
    (folder / "odd.hdr").write_bytes(content)
    with pytest.raises(ConfigError, match=rf"odd\.hdr is no panorama.*{reported}"):
        load_environments(recipe_of(folder))


def test_a_black_a_damaged_and_an_altered_panorama_are_named(folder: Path) -> None:
    recipe = recipe_of(folder)
    cv2.imwrite(str(folder / "room.hdr"), room() + 1)
    with pytest.raises(ConfigError, match=r"room\.hdr was altered"):
        load_environments(recipe)
    cv2.imwrite(str(folder / "room.hdr"), np.zeros((64, 128, 3), np.float32))
    with pytest.raises(ConfigError, match=r"room\.hdr is no panorama .* black"):
        load_environments(recipe_of(folder))
    cv2.imwrite(str(folder / "room.png"), np.zeros((64, 128, 3), np.uint8))
    (folder / "room.png").write_bytes((folder / "room.png").read_bytes()[:-20])
    (folder / "room.hdr").unlink()
    with pytest.raises(ConfigError, match=r"room\.png is no panorama"):
        load_environments(recipe_of(folder))


def test_a_pipe_that_took_the_place_of_a_file_keeps_nobody_waiting(folder: Path) -> None:
    recipe = recipe_of(folder)
    (folder / "room.hdr").unlink()
    os.mkfifo(folder / "room.hdr")
    with pytest.raises(ConfigError, match="is a named pipe"):
        load_environments(recipe)
