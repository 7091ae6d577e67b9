"""The networks that users bring along: which the recipe needs, which files they are, and what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import LocalModel, LocalModels, LocalName, Sam3Weights
from relight_assets.errors import ModelFileError
from relight_assets.models import registry, store
from relight_assets.models.networks.albedo import AlbedoExtractor, OnnxAlbedo
from relight_assets.models.networks.geometry import Kind, OnnxShape, ShapeEstimator
from relight_assets.models.segmenters.sam3 import weights as sam3_weights

WANTED_BY: Mapping[LocalName, str] = MappingProxyType(
    {"albedo_model": "albedo_extraction.mix.learned", "geometry_model": "geometry.source"}
)
"""The key of the recipe that asks for each."""
PURPOSES: Mapping[LocalName, str] = MappingProxyType(
    {
        "albedo_model": "the albedo, where `learned` is drawn",
        "geometry_model": "the shape, where `geometry` asks for it",
    }
)


def how_to_set(name: LocalName) -> str:
    """How a user says where a network is."""
    return (
        f"none is shipped: set {name}.file in config/platform.yaml (or RELIGHT_{name.upper()}_FILE) to the ONNX file "
        f"of a network whose licence lets you use it; docs/models.md"
    )


def wanted(recipe: Recipe) -> tuple[LocalName, ...]:
    """The networks that a recipe needs."""
    needed: dict[LocalName, bool] = {
        "albedo_model": recipe.albedo_extraction.mix.learned > 0,
        "geometry_model": recipe.geometry.from_model,
    }
    return tuple(name for name, needs in needed.items() if needs)


def file_of(name: LocalName, model: LocalModel) -> Path:
    """Where a network is.

    Raises:
        ModelFileError: nobody said, or there is none; says what to do.
    """
    if model.file is None:
        raise ModelFileError(f"`{WANTED_BY[name]}` needs a network: {how_to_set(name)}.")
    if not model.file.is_file():
        raise ModelFileError(f"`{WANTED_BY[name]}`: there is no file {model.file}: {how_to_set(name)}.")
    return model.file


def sha256_of(name: str, weights: Sam3Weights, models: LocalModels) -> str:
    """The sha256 that identifies any model, for digests and records.

    Raises:
        ModelFileError: there is no such file, or it cannot be read.
    """
    if name not in models:
        return registry.sha256_of(name, weights)
    own = _name(name)
    return models[own].sha256 or sam3_weights.sha256_of(file_of(own, models[own]))


def check(recipe: Recipe, models: LocalModels) -> None:
    """See that the networks of a recipe are there, are the wanted files, and answer as they should on a gray picture.

    Raises:
        ModelFileError: one is missing, altered, or of another kind.
    """
    for name in wanted(recipe):
        sam3_weights.check_sha256(file_of(name, models[name]), models[name].sha256, f"{name}.sha256")
    albedo_extractor(recipe, models)
    shape_estimator(recipe, models)


def albedo_extractor(recipe: Recipe, models: LocalModels) -> AlbedoExtractor | None:
    """Load the albedo extractor of a recipe, for any thread; None where none is ever drawn.

    Raises:
        ModelFileError: as :func:`check`.
    """
    if "albedo_model" not in wanted(recipe):
        return None
    model = models["albedo_model"]
    return OnnxAlbedo(file_of("albedo_model", model), recipe.albedo_extraction.methods.learned, model.sha256)


def shape_estimator(recipe: Recipe, models: LocalModels) -> ShapeEstimator | None:
    """Load the network of depth or normals of a recipe, for any thread; None where none is asked.

    Raises:
        ModelFileError: as :func:`check`.
    """
    if "geometry_model" not in wanted(recipe):
        return None
    model, geometry = models["geometry_model"], recipe.geometry
    kind: Kind = "normals" if geometry.kind == "normals" else "depth"
    return OnnxShape(file_of("geometry_model", model), kind, geometry.network, model.sha256)


def listing(models: LocalModels) -> list[store.Listed]:
    """The networks that users bring along and the state of their files, as those of the store."""
    return [_listed(name, models[name]) for name in WANTED_BY]


def _listed(name: LocalName, model: LocalModel) -> store.Listed:
    there = model.file if model.file is not None and model.file.is_file() else None
    found = sam3_weights.sha256_of(there) if there else ""
    return store.Listed(
        name=name,
        purpose=PURPOSES[name],
        state="missing" if there is None else "altered" if model.sha256 not in {None, found} else "ok",
        path=model.file,
        size=there.stat().st_size if there else 0,
        sha256=found or model.sha256 or "not known before it is there",
        licence="that of its maker",
        source=how_to_set(name),
    )


def _name(name: str) -> LocalName:
    return next(known for known in WANTED_BY if known == name)
