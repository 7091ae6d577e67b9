"""What the checks work on: photos, random weights of a network, segmenters and a recipe that takes any mask.

With random weights the network's arithmetic is the same, and the masks mean nothing.  Random scores make every
candidate a person, the most that the joining of masks can have to do.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.bench.portraits import write_portraits
from benchmarks.gpu.child import CannotCheckError
from benchmarks.gpu.setting import BACKENDS, Backend, Row, Setting
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Sam3Weights
from relight_assets.core.arrays import Rgb8
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import ModelFileError
from relight_assets.imaging.decode import decode
from relight_assets.models.segmenters.sam3 import native
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter, stay_offline

Backbone = Callable[[], native.Network]


def prepare(setting: Setting) -> Iterator[Row]:
    """Write photos and weights into the folder of a setting; yields what is there, and why something is not."""
    stay_offline()
    setting.photos_csv.parent.mkdir()
    write_portraits(setting.photos_csv.parent, max(setting.images, 16), setting.side)
    yield {"material": "photos", "count": max(setting.images, 16), "side": setting.side}
    for backend in BACKENDS:
        row: Row = {"material": f"weights for {backend}", "trained": setting.trained(backend)}
        try:
            if not setting.trained(backend):
                _write_random(setting, backend)
        except (ImportError, ModelFileError) as error:
            row["fault"] = first_line(error)
        yield row


def backends(setting: Setting) -> list[Backend]:
    """Those that there are weights for; the package of another is missing.

    Raises:
        CannotCheckError: there is none.
    """
    present = [backend for backend in BACKENDS if setting.weights(backend).exists()]
    if not present:
        raise CannotCheckError("neither the package sam3 nor transformers can be used here")
    return present


def for_each_backend(setting: Setting, measure: Callable[[Setting, Backend], Iterator[Row]]) -> Iterator[Row]:
    """The rows of each backend; where one breaks, a row with its fault, and the other goes on."""
    for backend in backends(setting):
        try:
            yield from measure(setting, backend)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is this backend's)
            yield {"backend": backend, "fault": first_line(error)}


def first_line(error: Exception) -> str:
    """What an error is, on one line."""
    return f"{type(error).__name__}: {str(error).strip().split(chr(10), maxsplit=1)[0]}"


def photos(setting: Setting, count: int) -> list[Rgb8]:
    """So many decoded photos; after the sixteenth they start again."""
    csv = setting.photos_csv
    files = [csv.parent / cell for cell in read_split_csv(csv).table["image_path"][:16]]
    some = [decode(file, image_size=None, max_pixels=setting.side**2).rgb for file in files[:count]]
    return [some[number % len(some)] for number in range(count)]


def make_segmenter(setting: Setting, backend: Backend) -> PromptedSegmenter:
    """The product's own segmenter, on the device that this process sees; raises as that does."""
    min_score = 0.5 if setting.trained(backend) else 0.0
    weights = setting.weights(backend)
    if backend == "sam3":
        return native.Sam3Segmenter(weights, build=network_of(setting), min_score=min_score, persons="union")
    from relight_assets.models.segmenters.sam3.transformers import Sam3TransformersSegmenter  # noqa: PLC0415  (brings torch)

    return Sam3TransformersSegmenter(weights, min_score=min_score, persons="union")


def network_of(setting: Setting) -> Backbone:
    """What builds the network of the package ``sam3``."""
    return native.official_network if setting.network == "full" else _tiny("tiny_sam3").network


def worker_of(setting: Setting) -> Callable[..., Any]:
    """The worker whose SAM3 is that network."""
    return ImageWorker if setting.network == "full" else _tiny("tiny_sam3").SmallSam3Worker


def weights_of(setting: Setting) -> Sam3Weights:
    """The weights of both backends, as settings have them."""
    return Sam3Weights(checkpoint=setting.weights("sam3"), directory=setting.weights("sam3_transformers"))


def recipe_of(setting: Setting, backend: Backend) -> Recipe:
    """A recipe that takes whatever random weights mark; of trained ones, what it takes by default."""
    if setting.trained(backend):
        return Recipe(segmenter=backend)
    anything = {"max_coverage": 1, "min_subject": 0, "max_soft_edge": 1, "max_face_clipped": 1, "min_lightness": 0}
    anything |= {"min_face": 0, "min_sharpness": 0, "max_undecided": 1, "max_roll": 180, "max_own_light": 10}
    return Recipe.model_validate(
        {
            "segmenter": backend,
            "sam3": {"min_score": 0.0},
            "masks": {"min_coverage": 0.0, "persons": "union"},
            "photo_qa": anything | {"negatives": "take", "monochrome": "take"},
        }
    )


def _write_random(setting: Setting, backend: Backend) -> None:
    file = setting.weights(backend)
    if backend == "sam3":
        write_checkpoint(file, network_of(setting))
    elif setting.network == "small":
        _tiny("tiny_sam3_transformers").write_folder(file)
    else:
        _write_full_folder(file)


def write_checkpoint(file: Path, build: Backbone) -> Path:
    """Write finite random weights of a network in the official layout."""
    import torch

    tensors = build().model.state_dict()
    _fill(tensors)
    named = {f"detector.{name}": tensor for name, tensor in tensors.items() if not name.endswith("freqs_cis")}
    torch.save({"model": named}, file)
    return file


def _write_full_folder(folder: Path) -> None:
    """Write the network of ``transformers`` in full size, with a tokenizer that knows letters alone."""
    import torch

    transformers = import_module("transformers")  # takes seconds
    with native.nothing_initialised():
        model = transformers.Sam3Model(transformers.Sam3Config())
    _fill(dict(model.named_parameters()))
    model.to(torch.bfloat16).save_pretrained(folder)
    processor = transformers.Sam3ImageProcessor()
    tokenizer = _tiny("tiny_sam3_transformers")._tokenizer()  # noqa: SLF001  (the tests' helper for the same purpose)
    transformers.Sam3Processor(image_processor=processor, tokenizer=tokenizer).save_pretrained(folder)


def _fill(tensors: dict[str, Any]) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in tensors.items():
            if tensor.is_floating_point():
                scale = "norm" in name and name.endswith("weight")
                tensor.normal_(float(scale), 0.02, generator=generator)


def _tiny(module: str) -> Any:
    """A module of the tests, which are not installed."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    return import_module(f"relight_assets_tests.models.segmenters.sam3.{module}")
