"""The networks that users bring along: what is said where one is missing, altered or of another kind."""

import importlib.util
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import NO_MODELS, LocalModel
from relight_assets.errors import ModelFileError
from relight_assets.models import store
from relight_assets.models.files import ModelFiles
from relight_assets.models.loading import check_networks, networks_of
from relight_assets_tests.conftest import sha256
from relight_assets_tests.models.runtimes.tiny_onnx import mixer, same

needs_runtime = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="the extra onnx is not installed"
)
LEARNED = Recipe.model_validate({"albedo_extraction": {"mix": {"learned": 1}, "methods": {"learned": {"size": 64}}}})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(store.model_dir()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def albedo(file: Path | None, sum_: str | None = None) -> ModelFiles:
    return ModelFiles(user_models={**NO_MODELS, "albedo_model": LocalModel(file=file, sha256=sum_)})


def shape(file: Path) -> ModelFiles:
    return ModelFiles(user_models={**NO_MODELS, "geometry_model": LocalModel(file=file)})


def test_a_recipe_that_draws_none_needs_none() -> None:
    check_networks(Recipe(), ModelFiles())
    assert networks_of(Recipe()) == ()
    assert networks_of(LEARNED) == ("albedo_model",)


def test_a_network_that_is_not_there_is_reported_with_what_to_set(tmp_path: Path) -> None:
    how = r"set albedo_model\.file in config/platform\.yaml \(or RELIGHT_ALBEDO_MODEL_FILE\).*licence"
    for models, what in ((ModelFiles(), "needs a network"), (albedo(tmp_path / "no.onnx"), "there is no file")):
        for ask in (lambda m=models: check_networks(LEARNED, m), lambda m=models: m.sha256_of("albedo_model")):
            with pytest.raises(ModelFileError, match=rf"mix\.learned`.*{what}.*{how}"):
                ask()


def test_a_network_is_known_by_its_sum(tmp_path: Path) -> None:
    file = same().write(tmp_path / "n.onnx")
    assert albedo(file).sha256_of("albedo_model") == sha256(file)
    assert albedo(file, "1" * 64).sha256_of("albedo_model") == "1" * 64  # not read for a plan: whoever loads it checks
    assert ModelFiles().sha256_of("face_landmark") == store.shipped("face_landmark").sha256


@needs_runtime
def test_another_file_than_the_wanted_one_is_refused(tmp_path: Path) -> None:
    file = same().write(tmp_path / "n.onnx")
    check_networks(LEARNED, albedo(file, sha256(file)))
    with pytest.raises(ModelFileError, match=r"albedo_model\.sha256 wants 1111"):
        check_networks(LEARNED, albedo(file, "1" * 64))


@needs_runtime
def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    gray = mixer([[1, 1, 1]], [0]).write(tmp_path / "gray.onnx")
    with pytest.raises(ModelFileError, match="1 channels; 3 is needed"):
        check_networks(LEARNED, albedo(gray))
    gray.write_bytes(b"weights")
    with pytest.raises(ModelFileError, match=r"gray\.onnx: ONNX Runtime cannot load"):
        check_networks(LEARNED, albedo(gray))


@needs_runtime
def test_a_network_of_depth_has_one_channel_and_of_normals_three(tmp_path: Path) -> None:
    def asked(source: str) -> Recipe:
        return Recipe.model_validate({"geometry": {"source": source, "network": {"size": 56}}})

    gray = shape(mixer([[1, 1, 1]], [0]).write(tmp_path / "gray.onnx"))
    color = shape(same().write(tmp_path / "color.onnx"))
    assert networks_of(asked("depth_model")) == ("geometry_model",)
    assert networks_of(asked("depth_file")) == ()
    check_networks(asked("depth_model"), gray)
    check_networks(asked("normals_model"), color)
    for source, models in (("depth_model", color), ("normals_model", gray)):
        with pytest.raises(ModelFileError, match="channels"):
            check_networks(asked(source), models)
    with pytest.raises(ModelFileError, match=r"`geometry\.source` needs a network.*geometry_model\.file"):
        check_networks(asked("depth_model"), ModelFiles())


def test_the_list_tells_what_is_there(tmp_path: Path) -> None:
    file = same().write(tmp_path / "n.onnx")
    states = {}
    for name, models in {"none": ModelFiles(), "one": albedo(file), "other": albedo(file, "1" * 64)}.items():
        listed = next(each for each in models.listing() if each.name == "albedo_model")
        states[name] = listed.state
    assert states == {"none": "missing", "one": "ok", "other": "altered"}
    assert listed.sha256 == sha256(file)
