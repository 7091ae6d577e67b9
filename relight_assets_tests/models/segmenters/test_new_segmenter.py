"""A new segmenter is a module, its entries in the registry and a value of the recipe; all else follows from these.

What follows: the recipe's validation, the launchpad, digests, records, `relight models list` and the workers.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import pytest
from pydantic.fields import FieldInfo

from relight_assets.config.loader import parse_recipe
from relight_assets.config.recipe.recipe import Recipe, Segmenter
from relight_assets.defs.jobs.recipe_config import recipe_overrides
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.errors import ConfigError, ModelFileError
from relight_assets.models import registry, store
from relight_assets.models.files import ModelFiles
from relight_assets_tests.conftest import PORTRAITS, Bench, read_rgb
from relight_assets_tests.models.segmenters.tiny_segmenter import (
    MODEL,
    SPEC,
    WEIGHTS,
    WorkerWithTinySegmenter,
    register,
)

pytestmark = pytest.mark.usefixtures("worker_processes")


def recipe_of(segmenter: str) -> Recipe:
    return parse_recipe({"segmenter": segmenter}, "recipe.yaml", Path.cwd()).recipe


@pytest.fixture
def tiny() -> Iterator[Recipe]:
    """A recipe with the new segmenter, while the recipe knows its name: the edit of ``config/recipe/recipe.py``."""
    recipe_overrides()  # Dagster remembers the type of the recipe before
    field = Recipe.__pydantic_fields__["segmenter"]
    names = Literal[(*get_args(Segmenter), "tiny")]  # type: ignore[valid-type]
    Recipe.__pydantic_fields__["segmenter"] = FieldInfo.from_annotated_attribute(names, field.default)
    Recipe.model_rebuild(force=True)
    yield recipe_of("tiny")
    Recipe.__pydantic_fields__["segmenter"] = field
    Recipe.model_rebuild(force=True)


@pytest.fixture
def bench(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose folder of models has the tiny one too."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("selfie_segmentation", *registry.PERSON_MODELS):
        file = store.path_of(name)
        (folder / file.name).symlink_to(file)
    monkeypatch.setattr(registry, "SHIPPED", registry.SHIPPED)
    monkeypatch.setitem(registry.SEGMENTERS, "tiny", SPEC)
    register()
    bench.settings = bench.settings.model_copy(update={"model_dir": folder})
    bench.write_csv(PORTRAITS[:2])
    return bench


def run(bench: Bench, recipe: Recipe) -> RunSummary:
    return run_split(bench.split(), recipe, bench.settings, RunOptions(), worker=WorkerWithTinySegmenter)


def test_the_recipe_and_the_launchpad_take_its_name_and_no_other(tiny: Recipe) -> None:
    assert tiny.segmenter == "tiny"
    choices = recipe_overrides().config_type.fields["segmenter"].config_type.enum_values
    assert [each.config_value for each in choices] == [*get_args(Segmenter), "tiny"]
    with pytest.raises(ConfigError, match="`segmenter`"):
        recipe_of("tinny")


def test_without_that_value_the_recipe_refuses_it() -> None:
    with pytest.raises(ConfigError, match="`segmenter`"):
        recipe_of("tiny")


def test_a_run_with_it(bench: Bench, tiny: Recipe) -> None:
    files = ModelFiles.of(bench.settings)
    with pytest.raises(ModelFileError, match=r"tiny\.txt is missing"):
        run(bench, tiny)
    assert {each.name: each.state for each in files.listing()}["tiny_model"] == "missing"
    files.model_dir.joinpath(MODEL.file_name).write_bytes(WEIGHTS)  # type: ignore[union-attr]
    assert run(bench, tiny).state.row_counts() == {"done": 2}
    for number in range(2):
        record = json.loads(bench.layout.record(number).read_bytes())
        numbers = record["stages"]["masks"]["numbers"]
        assert (numbers["segmenter"], numbers["segmenter_sha256"]) == ("tiny", MODEL.sha256)
        background = read_rgb(bench.layout.folder / f"{number:05d}_background.png")
        width = background.shape[1]
        assert not background[:, width * 2 // 5 : width * 3 // 5].any()  # the middle is the person
        assert background[:, : width // 10].any()
    assert run(bench, tiny).tally.computed_images == 0
    assert run(bench, Recipe()).tally.computed_images == 2  # another segmenter's masks are others
