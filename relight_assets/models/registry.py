"""The segmenters there are: the weights each needs, what tells one set of weights from another, and making one."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.recipe import Segmenter as Name
from relight_assets.config.settings import Sam3Weights
from relight_assets.errors import GpuUnavailableError, ModelFileError
from relight_assets.models import store
from relight_assets.models.segmenters.base import Segmenter
from relight_assets.models.segmenters.sam3 import weights as sam3_weights
from relight_assets.models.segmenters.sam3.base import TORCH_FOR_GPUS
from relight_assets.models.segmenters.selfie import SelfieSegmenter

SEGMENTER_MODELS: Mapping[Name, str] = MappingProxyType(
    {"selfie": "selfie_segmentation", "sam3": "sam3", "sam3_transformers": "sam3_transformers"}
)
"""What each is called in digests and in ``relight models list``."""
_HOW = (
    "the weights are Meta's and not shipped: request access to facebook/sam3 on Hugging Face, accept the SAM License, "
    "download {what}, and set sam3.{key} in config/platform.yaml (or RELIGHT_SAM3_{variable}) to it; docs/sam3.md"
)
HOW_TO_GET: Mapping[str, str] = MappingProxyType(
    {
        "sam3": _HOW.format(what="sam3.pt", key="checkpoint", variable="CHECKPOINT"),
        "sam3_transformers": _HOW.format(what="the repository", key="directory", variable="DIRECTORY"),
    }
)


def weights_file(model: str, weights: Sam3Weights) -> Path:
    """The file that holds a SAM3 model's weights.

    Raises:
        ModelFileError: none is set, or there is none; says how to get it.
    """
    file = weights.checkpoint if model == "sam3" else weights.directory and weights.directory / "model.safetensors"
    if file is None:
        raise ModelFileError(f"segmenter {model} has no weights: {HOW_TO_GET[model]}.")
    if not file.is_file():
        raise ModelFileError(f"segmenter {model}: there is no file {file}: {HOW_TO_GET[model]}.")
    return file


def sha256_of(model: str, weights: Sam3Weights) -> str:
    """The sha256 that identifies a model, or a segmenter by its name in the recipe, for digests and records.

    Of the embedded models from the table; of SAM3 the one that is required or else the file's, which is read
    once and remembered with size and modification time.

    Raises:
        ModelFileError: there is no such file, or it cannot be read.
    """
    model = SEGMENTER_MODELS.get(model, model)  # type: ignore[call-overload]
    if model not in HOW_TO_GET:
        return store.sha256_of(model)
    return weights.sha256 or sam3_weights.sha256_of(weights_file(model, weights))


def make(recipe: Recipe, weights: Sam3Weights, model_dir: Path | None) -> Segmenter:
    """Load the segmenter of a recipe, on the one device that this process sees.

    Raises:
        ModelFileError: its weights are missing, altered, or not its own, or a package that it needs is not installed.
    """
    if recipe.segmenter == "selfie":
        return SelfieSegmenter(store.path_of("selfie_segmentation", model_dir))
    options: dict[str, Any] = {
        "sha256": weights.sha256,
        "text_prompt": recipe.sam3.text_prompt,
        "min_score": recipe.sam3.min_score,
        "persons": recipe.masks.persons,
    }
    file = weights_file(recipe.segmenter, weights)
    if recipe.segmenter == "sam3":
        from relight_assets.models.segmenters.sam3.native import Sam3Segmenter  # noqa: PLC0415  (torch takes seconds to import)

        return Sam3Segmenter(file, **options)
    from relight_assets.models.segmenters.sam3.transformers import Sam3TransformersSegmenter  # noqa: PLC0415

    return Sam3TransformersSegmenter(file.parent, **options)


_PACKAGES: Mapping[Name, tuple[str, ...]] = MappingProxyType(
    {
        "selfie": (),
        "sam3": ("torch", "torchvision", "sam3"),
        "sam3_transformers": ("torch", "torchvision", "transformers"),
    }
)


def check(recipe: Recipe, weights: Sam3Weights, model_dir: Path | None, *, on_gpu: bool = False) -> None:
    """See that the models of a recipe can be loaded, short of loading them; ``on_gpu``: where a GPU does the work.

    Raises:
        ModelFileError: a model file is missing or altered, or a package that it needs is not installed.
        GpuUnavailableError: the torch that is installed cannot use a GPU.
    """
    for each in store.MODELS:
        if recipe.segmenter == "selfie" or each.name != "selfie_segmentation":
            store.path_of(each.name, model_dir)
    missing = [name for name in _PACKAGES[recipe.segmenter] if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelFileError(
            f"`segmenter: {recipe.segmenter}` needs packages that are not installed ({', '.join(missing)}): "
            f"{sam3_weights.INSTALL}"
        )
    if recipe.segmenter != "selfie":
        if on_gpu:
            _require_cuda()
        sam3_weights.check_sha256(weights_file(recipe.segmenter, weights), weights.sha256)


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


def details(recipe: Recipe, weights: Sam3Weights) -> list[str]:
    """What can be told of a recipe's segmenter, for people; :func:`check` passed."""
    name = SEGMENTER_MODELS[recipe.segmenter]
    lines = [f"{recipe.segmenter}, sha256 {sha256_of(name, weights)}"]
    if recipe.segmenter != "selfie":
        import torch

        build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "for the CPU"
        usable = "which finds a GPU" if torch.cuda.is_available() else "which finds no GPU"
        lines += [f"weights {weights_file(name, weights)}", f"torch {torch.__version__}, {build}, {usable}"]
    return lines


def listing(weights: Sam3Weights) -> list[store.Listed]:
    """The SAM3 models and the state of their weights, as :func:`relight_assets.models.store.listing`."""
    listed = []
    for model, purpose in (("sam3", "person masks, on GPUs"), ("sam3_transformers", "the same by transformers")):
        try:
            file: Path | None = weights_file(model, weights)
        except ModelFileError:
            file = None
        found = sam3_weights.sha256_of(file) if file else ""
        state: store.State = "missing" if file is None else "altered" if weights.sha256 not in (None, found) else "ok"
        listed.append(
            store.Listed(
                name=model,
                purpose=purpose,
                state=state,
                path=file,
                size=file.stat().st_size if file else 0,
                sha256=found or weights.sha256 or "not known before it is there",
                licence="SAM License",
                source=HOW_TO_GET[model],
            )
        )
    return listed
