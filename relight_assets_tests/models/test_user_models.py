"""The networks that users bring along: what is said where one is missing, altered or of another kind."""

import importlib.util
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import NO_MODELS, NO_WEIGHTS, LocalModel, LocalModels
from relight_assets.errors import ModelFileError
from relight_assets.models import store, user_models
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


def albedo(file: Path | None, sum_: str | None = None) -> LocalModels:
    return {**NO_MODELS, "albedo_model": LocalModel(file=file, sha256=sum_)}


def test_a_recipe_that_draws_none_needs_none() -> None:
    user_models.check(Recipe(), NO_MODELS)
    assert user_models.wanted(Recipe()) == ()
    assert user_models.wanted(LEARNED) == ("albedo_model",)


def test_a_network_that_is_not_there_is_told_with_what_to_set(tmp_path: Path) -> None:
    how = r"set albedo_model\.file in config/platform\.yaml \(or RELIGHT_ALBEDO_MODEL_FILE\).*licence"
    for models, what in ((NO_MODELS, "needs a network"), (albedo(tmp_path / "no.onnx"), "there is no file")):
        for ask in (lambda m=models: user_models.check(LEARNED, m), lambda m=models: sha_of(m)):
            with pytest.raises(ModelFileError, match=rf"mix\.learned`.*{what}.*{how}"):
                ask()


def sha_of(models: LocalModels) -> str:
    return user_models.sha256_of("albedo_model", NO_WEIGHTS, models)


def test_a_network_is_known_by_its_sum(tmp_path: Path) -> None:
    file = same().write(tmp_path / "n.onnx")
    assert sha_of(albedo(file)) == sha256(file)
    assert sha_of(albedo(file, "1" * 64)) == "1" * 64  # not read for a plan: whoever loads it checks
    assert user_models.sha256_of("face_landmark", NO_WEIGHTS, NO_MODELS) == store.sha256_of("face_landmark")


@needs_runtime
def test_another_file_than_the_wanted_one_is_refused(tmp_path: Path) -> None:
    file = same().write(tmp_path / "n.onnx")
    user_models.check(LEARNED, albedo(file, sha256(file)))
    with pytest.raises(ModelFileError, match=r"albedo_model\.sha256 wants 1111"):
        user_models.check(LEARNED, albedo(file, "1" * 64))


@needs_runtime
def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    gray = mixer([[1, 1, 1]], [0]).write(tmp_path / "gray.onnx")
    with pytest.raises(ModelFileError, match="1 channels; 3 is needed"):
        user_models.check(LEARNED, albedo(gray))
    gray.write_bytes(b"weights")
    with pytest.raises(ModelFileError, match=r"gray\.onnx: ONNX Runtime cannot load"):
        user_models.check(LEARNED, albedo(gray))


@needs_runtime
def test_a_network_of_depth_has_one_channel_and_of_normals_three(tmp_path: Path) -> None:
    def asked(source: str) -> Recipe:
        return Recipe.model_validate({"geometry": {"source": source, "network": {"size": 56}}})

    gray = {**NO_MODELS, "geometry_model": LocalModel(file=mixer([[1, 1, 1]], [0]).write(tmp_path / "gray.onnx"))}
    color = {**NO_MODELS, "geometry_model": LocalModel(file=same().write(tmp_path / "color.onnx"))}
    assert user_models.wanted(asked("depth_model")) == ("geometry_model",)
    assert user_models.wanted(asked("depth_file")) == ()
    user_models.check(asked("depth_model"), gray)
    user_models.check(asked("normals_model"), color)
    for source, models in (("depth_model", color), ("normals_model", gray)):
        with pytest.raises(ModelFileError, match="channels"):
            user_models.check(asked(source), models)
    with pytest.raises(ModelFileError, match=r"`geometry\.source` needs a network.*geometry_model\.file"):
        user_models.check(asked("depth_model"), NO_MODELS)


def test_the_list_tells_what_is_there(tmp_path: Path) -> None:
    file = same().write(tmp_path / "n.onnx")
    states = {}
    for name, models in {"none": NO_MODELS, "one": albedo(file), "other": albedo(file, "1" * 64)}.items():
        listed = next(each for each in user_models.listing(models) if each.name == "albedo_model")
        states[name] = listed.state
    assert states == {"none": "missing", "one": "ok", "other": "altered"}
    assert listed.sha256 == sha256(file)
