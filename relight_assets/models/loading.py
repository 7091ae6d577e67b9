"""The segmenter and the networks of a recipe: whether they can be had, and making them."""

import importlib.util
import re
from importlib import import_module
from pathlib import Path

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import GpuUnavailableError, ModelFileError
from relight_assets.models import registry
from relight_assets.models.files import ModelFiles
from relight_assets.models.networks.albedo import AlbedoExtractor, OnnxAlbedo
from relight_assets.models.networks.geometry import Kind, OnnxShape, ShapeEstimator
from relight_assets.models.segmenters.base import Segmenter
from relight_assets.models.segmenters.sam3.base import TORCH_FOR_GPUS


def make_segmenter(recipe: Recipe, files: ModelFiles) -> Segmenter:
    """Load the segmenter of a recipe, on the one device that this process sees.

    Raises:
        ModelFileError: its weights are missing, altered, or not its own, or a package that it needs is not installed.
    """
    module, _, function = registry.SEGMENTERS[recipe.segmenter].make.partition(":")
    segmenter: Segmenter = getattr(import_module(module), function)(recipe, files)
    return segmenter


def check_segmenter(recipe: Recipe, files: ModelFiles, *, on_gpu: bool = False) -> None:
    """See that segmenter, faces and bodies can be loaded, short of loading them; ``on_gpu``: where a GPU does the work.

    Raises:
        ModelFileError: a model file is missing or altered, or a package that it needs is not installed.
        GpuUnavailableError: the torch that is installed cannot use a GPU.
    """
    spec = registry.SEGMENTERS[recipe.segmenter]
    for model in registry.SHIPPED:
        if model.name in {spec.model, *spec.beside, *registry.PERSON_MODELS}:
            files.path_of(model.name)
    missing = [name for name in spec.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelFileError(
            f"`segmenter: {recipe.segmenter}` needs packages that are not installed ({', '.join(missing)}): "
            f"{spec.install}"
        )
    if on_gpu and "torch" in spec.packages:
        _require_cuda()
    files.check(spec.model)


def _require_cuda() -> None:
    """See by its version file whether torch is a build for GPUs: to import it takes seconds."""
    spec = importlib.util.find_spec("torch")
    file = Path(spec.origin).with_name("version.py") if spec is not None and spec.origin is not None else None
    text = file.read_text(encoding="utf-8") if file is not None and file.is_file() else ""
    if re.search(r"^cuda\b[^=]*= *None", text, re.MULTILINE) and not re.search(
        r"^hip\b[^=]*= *['\"]", text, re.MULTILINE
    ):
        raise GpuUnavailableError(
            f"there are GPUs, but the installed torch is built for the CPU ({spec and spec.origin}): {TORCH_FOR_GPUS}"
        )


def segmenter_details(recipe: Recipe, files: ModelFiles) -> list[str]:
    """What is known of a recipe's segmenter, for people; :func:`check_segmenter` passed."""
    spec = registry.SEGMENTERS[recipe.segmenter]
    lines = [f"{recipe.segmenter}, sha256 {files.sha256_of(spec.model)}"]
    if "torch" in spec.packages:
        import torch

        build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "for the CPU"
        usable = "which finds a GPU" if torch.cuda.is_available() else "which finds no GPU"
        lines += [f"weights {files.path_of(spec.model)}", f"torch {torch.__version__}, {build}, {usable}"]
    return lines


def networks_of(recipe: Recipe) -> tuple[str, ...]:
    """The networks that a recipe needs beyond its segmenter."""
    return tuple(name for name, is_needed in registry.NETWORKS.items() if is_needed(recipe))


def check_networks(recipe: Recipe, files: ModelFiles) -> None:
    """See that the networks of a recipe are there, are the wanted files, and answer as they should on a gray image.

    Raises:
        ModelFileError: one is missing, altered, or of another kind.
    """
    for name in networks_of(recipe):
        files.check(name)
    albedo_extractor(recipe, files)
    shape_estimator(recipe, files)


def albedo_extractor(recipe: Recipe, files: ModelFiles) -> AlbedoExtractor | None:
    """Load the albedo extractor of a recipe, for any thread; None where none is ever drawn.

    Raises:
        ModelFileError: as :func:`check_networks`.
    """
    name = "albedo_model"
    if name not in networks_of(recipe):
        return None
    return OnnxAlbedo(files.path_of(name), recipe.albedo_extraction.methods.learned, files.wanted_sha256(name))


def shape_estimator(recipe: Recipe, files: ModelFiles) -> ShapeEstimator | None:
    """Load the network of depth or normals of a recipe, for any thread; None where none is asked.

    Raises:
        ModelFileError: as :func:`check_networks`.
    """
    name = "geometry_model"
    if name not in networks_of(recipe):
        return None
    geometry = recipe.geometry
    kind: Kind = "normals" if geometry.kind == "normals" else "depth"
    return OnnxShape(files.path_of(name), kind, geometry.network, files.wanted_sha256(name))
