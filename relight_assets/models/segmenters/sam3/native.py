"""SAM3 by its authors' package ``sam3`` (Carion et al., "SAM 3: Segment Anything with Concepts", 2025).

The package, 0.1.4, wants a GPU where it needs none, takes any file for its weights, and leaves what it depends on
undeclared; each of these is dealt with here, where it is said.
"""

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from relight_assets.config.recipe.masks import Persons
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import ModelFileError
from relight_assets.models.files import ModelFiles
from relight_assets.models.remembered_hashes import check_sha256
from relight_assets.models.segmenters.sam3 import weights
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter, stay_offline

SIDE = 1008
_PREFIX = "detector."
"""Of the image network's tensors in ``sam3.pt``; those of the video tracker have another."""
_COMPUTED = "freqs_cis"
"""Rotary position tables: buffers that follow from the network's sizes."""


@dataclass(frozen=True)
class Network:
    """An image network of the package, on the CPU, and the side of the square that it looks at."""

    model: Any
    side: int


def official_network() -> Network:
    """Build the network as its authors do, its parameters not yet set: that would take minutes."""
    builder = _package()
    with nothing_initialised(), _built_without_gpu(builder):
        model = builder.build_sam3_image_model(
            bpe_path=str(weights.vocabulary()), device="cpu", load_from_HF=False, eval_mode=True
        )
    return Network(model, SIDE)


class Sam3Segmenter(PromptedSegmenter):
    """Finds persons, or what else the prompt says, with SAM3 on the GPU that this process sees, or on the CPU."""

    def __init__(
        self,
        checkpoint: Path,
        *,
        sha256: str | None = None,
        text_prompt: str = "person",
        min_score: float = 0.5,
        persons: Persons = "largest",
        build: Callable[[], Network] = official_network,
    ):
        """Load the network.

        Args:
            checkpoint: the official file ``sam3.pt``.
            sha256: what it must be, if given.
            text_prompt: what to look for; its features are computed once.
            min_score: candidates below are none.
            persons: see :func:`relight_assets.models.segmenters.sam3.instances.joined`.
            build: makes the network that the checkpoint is for.

        Raises:
            ModelFileError: the weights are altered, damaged or not this network's, or a package is missing.
            ConfigError: the prompt is too long for the network.
            DeviceOutOfMemoryError: the device has no room for the network.
        """
        stay_offline()
        check_sha256(checkpoint, sha256)
        network = build()
        super().__init__(side=network.side, min_score=min_score, persons=persons)
        load_weights(network.model, checkpoint)
        tokenizer = network.model.backbone.language_backbone.tokenizer
        weights.require_prompt(text_prompt, len(tokenizer.encode(text_prompt)) + 2)
        # Of boxes there are none in a text prompt; their pooling would ask for pinned memory, which a CPU has not.
        network.model.geometry_encoder.boxes_pool_project = None
        with self.loading():
            self._model = network.model.to(self.device).eval()
            with self.torch.inference_mode():
                self._text = self._model.backbone.forward_text([text_prompt], device=self.device)

    def candidates(self, squares: Any) -> tuple[Any, Any]:
        """See :meth:`PromptedSegmenter.candidates`."""
        from sam3.model.data_misc import FindStage

        count, model, torch = len(squares), self._model, self.torch
        backbone = model.backbone.forward_image(squares) | self._text
        stage = FindStage(
            img_ids=torch.arange(count, device=self.device),
            text_ids=torch.zeros(count, dtype=torch.long, device=self.device),
            input_boxes=None,
            input_boxes_mask=None,
            input_boxes_label=None,
            input_points=None,
            input_points_mask=None,
        )
        found = model.forward_grounding(
            backbone_out=backbone,
            find_input=stage,
            find_target=None,
            geometric_prompt=model._get_dummy_prompt(num_prompts=count),  # noqa: SLF001  (there is no public way)
        )
        presence = found["presence_logit_dec"].float().sigmoid()
        scores = found["pred_logits"].float().sigmoid().squeeze(-1) * presence
        return scores, found["pred_masks"]


def make(recipe: Recipe, files: ModelFiles) -> Sam3Segmenter:
    """Load the segmenter of a recipe; raises as :class:`Sam3Segmenter`."""
    return Sam3Segmenter(
        files.path_of("sam3"),
        sha256=files.sam3.sha256,
        text_prompt=recipe.sam3.text_prompt,
        min_score=recipe.sam3.min_score,
        persons=recipe.masks.persons,
    )


def load_weights(model: Any, checkpoint: Path) -> None:
    """Set a network's parameters from a file in the official layout: all of them, or none.

    Raises:
        ModelFileError: no checkpoint, or not this network's, or damaged.
    """
    import pickle  # noqa: PLC0415  (for its error: torch reads tensors alone)

    import torch

    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        why = str(error).strip().split("\n", maxsplit=1)[0]
        raise ModelFileError(f"{checkpoint} is no checkpoint that torch can read safely: {why}") from error
    tensors = content.get("model", content) if isinstance(content, dict) else None
    own = {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in (tensors.items() if isinstance(tensors, dict) else ())
        if name.startswith(_PREFIX) and isinstance(tensor, torch.Tensor)
    }
    wanted = model.state_dict()
    weights.require_all(
        {name: tensor.shape for name, tensor in wanted.items()},
        {name: tensor.shape for name, tensor in own.items()},
        checkpoint,
        computed={name for name in wanted if name.endswith(_COMPUTED)},
    )
    weights.require_finite(own, checkpoint)
    model.load_state_dict(own, strict=False)


def _package() -> Any:
    # A build of torch for the CPU comes without triton, which the package imports for training and video.
    stand_ins: dict[str, types.ModuleType] = {}
    if find_spec("triton") is None:
        import_module("torch._inductor.runtime.triton_helpers")  # torch itself must see that there is none

        stand_ins = _triton_stand_ins()
    sys.modules.update(stand_ins)
    try:
        with catch_warnings():
            simplefilter("ignore")  # of its video part: that TorchScript is old, and that there is no GPU
            from sam3 import model_builder
    except ImportError as error:
        raise ModelFileError(f"the package sam3 cannot be imported ({error}): {weights.INSTALL}") from error
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)
    return model_builder


def _triton_stand_ins() -> dict[str, types.ModuleType]:
    triton, language = types.ModuleType("triton"), types.ModuleType("triton.language")
    triton.jit = lambda kernel: kernel  # type: ignore[attr-defined]
    triton.language = language  # type: ignore[attr-defined]
    language.constexpr = int  # type: ignore[attr-defined]
    return {"triton": triton, "triton.language": language}


@contextmanager
def _built_without_gpu(builder: Any) -> Iterator[None]:
    """Leave out what the package computes on a GPU while it builds; it is computed at first use just as well."""
    sine, decoder = builder.PositionEmbeddingSine, builder.TransformerDecoder
    builder.PositionEmbeddingSine = lambda **options: sine(**options | {"precompute_resolution": None})
    builder.TransformerDecoder = lambda **options: decoder(**options | {"resolution": None, "stride": None})
    try:
        yield
    finally:
        builder.PositionEmbeddingSine, builder.TransformerDecoder = sine, decoder


@contextmanager
def nothing_initialised() -> Iterator[None]:
    """Leave parameters as they are allocated: 840 million random numbers take minutes, and are replaced anyway."""
    import torch
    from torch.overrides import TorchFunctionMode

    skipped = {torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.erfinv_}

    class Skip(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, function: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
            options = kwargs or {}
            if function in skipped or getattr(function, "__module__", None) == "torch.nn.init":
                return options["tensor"] if "tensor" in options else args[0]
            return function(*args, **options)

    with Skip():
        yield
