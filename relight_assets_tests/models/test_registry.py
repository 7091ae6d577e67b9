"""Which segmenter a recipe gets, and what is said where it cannot be had."""

import importlib.util
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from relight_assets.config.recipe.recipe import Recipe, Segmenter
from relight_assets.config.settings import Sam3Weights
from relight_assets.errors import GpuUnavailableError, ModelFileError
from relight_assets.models import registry, store
from relight_assets.models.files import ModelFiles
from relight_assets.models.loading import check_segmenter, make_segmenter, segmenter_details
from relight_assets.models.segmenters.selfie import SelfieSegmenter

ROOT = Path(__file__).resolve().parents[2]
SAM3 = Recipe.model_validate({"segmenter": "sam3"})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(store.model_dir()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def weights(tmp_path: Path) -> Sam3Weights:
    (tmp_path / "sam3.pt").write_bytes(b"weights")
    (tmp_path / "model.safetensors").write_bytes(b"others")
    return Sam3Weights(checkpoint=tmp_path / "sam3.pt", directory=tmp_path)


def test_the_embedded_one_needs_nothing(model_files: None) -> None:
    check_segmenter(Recipe(), ModelFiles())
    assert isinstance(make_segmenter(Recipe(), ModelFiles()), SelfieSegmenter)
    sha256 = store.shipped("selfie_segmentation").sha256
    assert segmenter_details(Recipe(), ModelFiles()) == [f"selfie, sha256 {sha256}"]


def test_weights_are_distinguished_by_their_sum(weights: Sam3Weights) -> None:
    files = ModelFiles(sam3=weights)
    assert len({files.sha256_of(name) for name in ("sam3", "sam3_transformers", "face_landmark")}) == 3
    named = ModelFiles(sam3=weights.model_copy(update={"sha256": "1" * 64}))
    assert named.sha256_of("sam3") == "1" * 64  # not read for a plan: whoever loads them checks


@pytest.mark.parametrize("name", ["sam3", "sam3_transformers"])
def test_weights_that_are_not_there_come_with_the_way_to_get_them(name: str, tmp_path: Path) -> None:
    for given in (Sam3Weights(), Sam3Weights(checkpoint=tmp_path / "no.pt", directory=tmp_path)):
        with pytest.raises(ModelFileError, match=r"request access to facebook/sam3.*SAM License.*RELIGHT_SAM3_"):
            ModelFiles(sam3=given).sha256_of(name)


def test_packages_that_are_not_there_are_named(
    weights: Sam3Weights, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "torch" else found(name))
    with pytest.raises(ModelFileError, match=r"not installed \(torch.*pip install"):
        check_segmenter(SAM3, ModelFiles(sam3=weights))


VERSION = """from typing import Optional
__version__ = '2.14.1'
cuda: Optional[str] = {}
hip: Optional[str] = {}
"""


@pytest.mark.usefixtures("model_files")
@pytest.mark.parametrize(
    ("build", "usable"), [(("None", "None"), False), (("'13.0'", "None"), True), (("None", "'6.4'"), True)]
)
def test_a_torch_that_is_built_for_the_cpu_is_reported_before_anything_starts(
    weights: Sam3Weights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build: tuple[str, str],
    usable: bool,
) -> None:
    for name in ("torch", "torchvision", "sam3"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise AssertionError('it is not to be imported')")
    (tmp_path / "torch/version.py").write_text(VERSION.format(*build))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    check_segmenter(SAM3, ModelFiles(sam3=weights))
    if usable:
        check_segmenter(SAM3, ModelFiles(sam3=weights), on_gpu=True)
        return
    with pytest.raises(
        GpuUnavailableError, match=r"built for the CPU \(.*torch.*install a build for CUDA.*num_gpus: none"
    ):
        check_segmenter(SAM3, ModelFiles(sam3=weights), on_gpu=True)


def test_weights_that_are_not_the_wanted_ones_are_refused(
    weights: Sam3Weights, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: "somewhere")
    check_segmenter(SAM3, ModelFiles(sam3=weights))
    with pytest.raises(ModelFileError, match=r"sam3\.sha256 wants 1111"):
        check_segmenter(SAM3, ModelFiles(sam3=weights.model_copy(update={"sha256": "1" * 64})))


def test_the_list_tells_what_is_there(weights: Sam3Weights) -> None:
    def listing(given: Sam3Weights) -> list[store.Listed]:
        return [each for each in ModelFiles(sam3=given).listing() if each.name.startswith("sam3")]

    def reported(given: Sam3Weights) -> dict[str, Any]:
        return {each.name: (each.state, each.path and each.path.name) for each in listing(given)}

    assert reported(weights) == {"sam3": ("ok", "sam3.pt"), "sam3_transformers": ("ok", "model.safetensors")}
    assert reported(Sam3Weights()) == {"sam3": ("missing", None), "sam3_transformers": ("missing", None)}
    wanted = ModelFiles(sam3=weights).sha256_of("sam3")
    assert reported(weights.model_copy(update={"sha256": wanted}))["sam3_transformers"][0] == "altered"
    assert {each.licence for each in listing(weights)} == {"SAM License"}
    assert all("accept the SAM License" in each.source for each in listing(weights))


def test_every_segmenter_of_a_recipe_is_here_with_its_weights_and_every_model_is_listed_once() -> None:
    assert registry.SEGMENTERS.keys() == set(get_args(Segmenter))
    names = [each.name for each in ModelFiles().listing()]
    assert names == [model.name for model in (*registry.SHIPPED, *registry.OPTIONAL, *registry.GIVEN)]
    assert len(set(names)) == len(names)
    assert set(names) >= {spec.model for spec in registry.SEGMENTERS.values()} | registry.NETWORKS.keys()


def test_the_docs_list_every_model_with_its_licence() -> None:
    rows = set((ROOT / "docs" / "licences.md").read_text(encoding="utf-8").splitlines())
    for model in (*registry.SHIPPED, *registry.OPTIONAL):
        cells = (f"`{model.name}`", model.purpose, f"`{model.file_name}`", model.licence, model.stated_in)
        assert f"| {' | '.join(cells)} |" in rows
        assert f"| `{model.name}` | `{model.member}` | `{model.sha256}` |" in rows
    for given in registry.GIVEN:
        assert f"| {' | '.join((f'`{given.name}`', given.purpose, given.licence, given.stated_in))} |" in rows
