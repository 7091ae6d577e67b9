"""A split's state, by its folder, the recipe and the settings."""

from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.errors import ModelFileError, OutputFolderError
from relight_assets_tests.conftest import Bench


def test_what_stands_in_the_folders_place_is_an_error_that_names_it(bench: Bench) -> None:
    bench.write_csv([str(bench.photos / "a.png")])
    bench.layout.folder.parent.mkdir(parents=True, exist_ok=True)
    bench.layout.folder.write_bytes(b"a file")
    with pytest.raises(OutputFolderError, match=str(bench.layout.folder)):
        load_split_state(bench.split(), Recipe(), bench.settings)


def test_no_digest_is_known_without_the_weights_that_the_recipe_needs(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="sam3"):
        digests_of(Recipe(segmenter="sam3"), Settings(model_dir=tmp_path))
