"""SAM3 by ``transformers``: the same network from the repository that is made for it, with ``model.safetensors``."""

from importlib import import_module
from pathlib import Path
from typing import Any

from relight_assets.config.recipe.masks import Persons
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import ModelFileError
from relight_assets.models.files import ModelFiles
from relight_assets.models.remembered_hashes import check_sha256
from relight_assets.models.segmenters.sam3 import weights
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter, stay_offline

WEIGHTS = "model.safetensors"
_HALF = 0.5
"""Mean and spread of a channel by which images are brought to -1..1."""


class Sam3TransformersSegmenter(PromptedSegmenter):
    """Finds persons, or what else the prompt says, on the GPU that this process sees, or on the CPU."""

    def __init__(
        self,
        directory: Path,
        *,
        sha256: str | None = None,
        text_prompt: str = "person",
        min_score: float = 0.5,
        persons: Persons = "largest",
    ):
        """Load the network and its tokenizer from a local folder, and from nowhere else.

        Args:
            directory: with ``config.json``, ``model.safetensors``, and the files of processor and tokenizer.
            sha256: what ``model.safetensors`` must be, if given.
            text_prompt: what to look for; its features are computed once.
            min_score: candidates below are none.
            persons: see :func:`relight_assets.models.segmenters.sam3.instances.joined`.

        Raises:
            ModelFileError: something is missing, altered, damaged, or not this network's, or a package is missing.
            ConfigError: the prompt is too long for the network.
            DeviceOutOfMemoryError: the device has no room for the network.
        """
        stay_offline()
        check_sha256(directory / WEIGHTS, sha256)
        processor = _from_folder("Sam3Processor", directory)
        size, mean, std = (getattr(processor.image_processor, name) for name in ("size", "image_mean", "image_std"))
        if {*mean, *std} != {_HALF}:
            raise ModelFileError(
                f"{directory}: its processor wants images of mean {mean} and spread {std}, not {_HALF}"
            )
        super().__init__(side=int(size["height"]), min_score=min_score, persons=persons)
        dtype = self.torch.bfloat16 if self.device == "cuda" else self.torch.float32
        model, loaded = _from_folder("Sam3Model", directory, dtype=dtype, output_loading_info=True)
        _require_all(loaded, directory)
        weights.require_finite(dict(model.named_parameters()), directory / WEIGHTS)
        longest = weights.LONGEST_PROMPT
        tokens = processor.tokenizer([text_prompt], return_tensors="pt", padding="max_length", max_length=longest)
        weights.require_prompt(text_prompt, tokens["input_ids"].shape[1])
        with self.loading():
            self._model = model.to(self.device).eval()
            self._attention = tokens["attention_mask"].to(self.device)
            with self.torch.inference_mode():
                self._text = self._model.get_text_features(
                    input_ids=tokens["input_ids"].to(self.device), attention_mask=self._attention
                ).pooler_output

    def candidates(self, squares: Any) -> tuple[Any, Any]:
        """See :meth:`PromptedSegmenter.candidates`."""
        count = len(squares)
        # An output goes in, with the mask of its tokens: the tensor alone is not taken, and without the mask padding
        # is attended to.  Both in as many copies as there are images.
        output = import_module("transformers.modeling_outputs").BaseModelOutputWithPooling
        text = output(pooler_output=self._text.expand(count, -1, -1))
        found = self._model(
            pixel_values=squares.to(self._model.dtype),
            text_embeds=text,
            attention_mask=self._attention.expand(count, -1),
        )
        scores = found.pred_logits.float().sigmoid() * found.presence_logits.float().sigmoid()
        return scores, found.pred_masks


def make(recipe: Recipe, files: ModelFiles) -> Sam3TransformersSegmenter:
    """Load the segmenter of a recipe; raises as :class:`Sam3TransformersSegmenter`."""
    return Sam3TransformersSegmenter(
        files.path_of("sam3_transformers").parent,
        sha256=files.sam3.sha256,
        text_prompt=recipe.sam3.text_prompt,
        min_score=recipe.sam3.min_score,
        persons=recipe.masks.persons,
    )


def _from_folder(kind: str, directory: Path, **options: Any) -> Any:
    try:
        package = import_module("transformers")  # takes seconds, and most processes need none
        return getattr(package, kind).from_pretrained(directory, local_files_only=True, **options)
    except ImportError as error:
        raise ModelFileError(f"transformers is not installed ({error}): {weights.INSTALL}") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        why = str(error).strip().split("\n", maxsplit=1)[0]
        raise ModelFileError(f"{directory}: its {kind} cannot be loaded: {why}") from error


def _require_all(loaded: dict[str, Any], directory: Path) -> None:
    faults = {name: sorted(map(str, loaded[name])) for name in ("missing_keys", "mismatched_keys") if loaded[name]}
    if faults:
        message = " and ".join(f"{len(keys)} {name.replace('_', ' ')} ({keys[0]} ...)" for name, keys in faults.items())
        raise ModelFileError(f"{directory / WEIGHTS}: {message}: these are no weights of this network")
