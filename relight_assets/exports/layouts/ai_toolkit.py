"""ai-toolkit: the tree and a job for a LoRA of FLUX.1 Kontext."""

from collections.abc import Iterable, Iterator

import yaml

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs
from relight_assets.exports.layouts.sizes import longest_side


def _job(inputs: IndexInputs) -> Iterator[str]:
    dataset = {
        "folder_path": str(inputs.folder / "image"),
        "control_path": str(inputs.folder / "conditioning_image"),
        "mask_path": str(inputs.folder / "mask"),
        "mask_min_value": 0.1,  # the background counts for little, not for nothing
        "caption_ext": "txt",
        "resolution": [longest_side(inputs)],
        # A flipped pair with a caption that says "left" is false; some models flip the target alone.
        "flip_x": False,
        "flip_y": False,
        "cache_latents_to_disk": True,
    }
    process = {
        "type": "sd_trainer",
        "training_folder": "output",
        "device": "cuda:0",
        "network": {"type": "lora", "linear": 16, "linear_alpha": 16},
        "save": {"dtype": "float16", "save_every": 250, "max_step_saves_to_keep": 4},
        "datasets": [dataset],
        "train": {
            "batch_size": 1,
            "steps": 3000,
            "train_unet": True,
            "train_text_encoder": False,
            "gradient_checkpointing": True,
            "noise_scheduler": "flowmatch",
            "optimizer": "adamw8bit",
            "lr": 1e-4,
            "dtype": "bf16",
            "disable_sampling": True,
        },
        "model": {"name_or_path": "black-forest-labs/FLUX.1-Kontext-dev", "arch": "flux_kontext", "quantize": True},
    }
    job = {"job": "extension", "config": {"name": f"relight_{inputs.split}", "process": [process]}}
    yield yaml.safe_dump(job, sort_keys=False)


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "ai-toolkit.yaml", _job(inputs)


EXPORT = ExportSpec("ai-toolkit", "ai-toolkit", TREE, _indexes, "python run.py {folder}/ai-toolkit.yaml")
