"""A new segmenter is a module and its entries in the registry: digests, records, the list and the workers follow."""

import json
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.errors import ModelFileError
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

TINY = Recipe().model_copy(update={"segmenter": "tiny"})


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


def test_a_run_with_it(bench: Bench) -> None:
    files = ModelFiles.of(bench.settings)
    with pytest.raises(ModelFileError, match=r"tiny\.txt is missing"):
        run(bench, TINY)
    assert {each.name: each.state for each in files.listing()}["tiny_model"] == "missing"
    files.model_dir.joinpath(MODEL.file_name).write_bytes(WEIGHTS)  # type: ignore[union-attr]
    assert run(bench, TINY).state.row_counts() == {"done": 2}
    for number in range(2):
        record = json.loads(bench.layout.record(number).read_bytes())
        numbers = record["stages"]["masks"]["numbers"]
        assert (numbers["segmenter"], numbers["segmenter_sha256"]) == ("tiny", MODEL.sha256)
        background = read_rgb(bench.layout.folder / f"{number:05d}_background.png")
        width = background.shape[1]
        assert not background[:, width * 2 // 5 : width * 3 // 5].any()  # the middle is the person
        assert background[:, : width // 10].any()
    assert run(bench, TINY).tally.computed_images == 0
    assert run(bench, Recipe()).tally.computed_images == 2  # another segmenter's masks are others
