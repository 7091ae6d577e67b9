"""The real model files and images for the tests of the models; what is not installed skips them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from relight_assets.errors import ModelFileError
from relight_assets.models import registry, store

NOT_FETCHED = "model files not fetched: run relight models fetch"


@pytest.fixture(scope="session")
def model_paths() -> dict[str, Path]:
    """Return where the model files are."""
    try:
        return {each.name: store.path_of(each.name) for each in registry.SHIPPED}
    except ModelFileError:
        pytest.skip(NOT_FETCHED)


def packaged(module: str, path: str) -> NDArray[np.uint8]:
    """Return an image of an installed package, RGB; skips the test where it is not installed."""
    spec = importlib.util.find_spec(module)
    found = [Path(root) / path for root in (spec.submodule_search_locations or ())] if spec else []
    if not found or not found[0].is_file():
        pytest.skip(f"{module} with its {path} is not installed: it comes with the [demo] extra")
    with Image.open(found[0]) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.fixture(scope="session")
def collins() -> NDArray[np.uint8]:
    """Return a portrait, 512 x 512, whose face is a fifth of the side."""
    return packaged("skimage", "data/astronaut.png")


@pytest.fixture(scope="session")
def hopper() -> NDArray[np.uint8]:
    """Return a portrait, 512 x 600, with glasses and a hat."""
    return packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


@pytest.fixture(scope="session")
def cup() -> NDArray[np.uint8]:
    """Return a cup of coffee, 600 x 400."""
    return packaged("skimage", "data/coffee.png")


@pytest.fixture(scope="session")
def cat() -> NDArray[np.uint8]:
    """Return a cat's face, 451 x 300."""
    return packaged("skimage", "data/chelsea.png")
