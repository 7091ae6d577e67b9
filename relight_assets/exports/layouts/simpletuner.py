"""SimpleTuner: the tree and a list of its data backends."""

import json
from collections.abc import Iterable, Iterator

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs
from relight_assets.exports.layouts.sizes import square_side


def _backends(inputs: IndexInputs) -> Iterator[str]:
    name = f"relight-{inputs.split}"
    # Every picture is brought to this area.  Those of the largest stay what they are, or lose 64 rows at most.
    both = {
        "type": "local",
        "resolution": square_side(inputs),
        "resolution_type": "pixel_area",
        # Without, what does not fit is cut off at random, from target and condition apart.
        "crop": True,
        "crop_style": "center",
        "crop_aspect": "preserve",
    }
    backends = [
        {
            "id": name,
            "dataset_type": "image",
            "instance_data_dir": str(inputs.folder / "image"),
            "caption_strategy": "textfile",
            "conditioning_data": f"{name}-condition",
            "cache_dir_vae": str(inputs.folder / "cache" / "vae"),
            **both,
        },
        {
            "id": f"{name}-condition",
            "dataset_type": "conditioning",
            "caption_strategy": None,  # those of the targets
            "conditioning_type": "reference_strict",
            "source_dataset_id": name,
            "instance_data_dir": str(inputs.folder / "conditioning_image"),
            "cache_dir_vae": str(inputs.folder / "cache" / "vae-condition"),
            **both,
        },
        {
            "id": f"{name}-text",
            "dataset_type": "text_embeds",
            "default": True,
            "type": "local",
            "cache_dir": str(inputs.folder / "cache" / "text"),
        },
    ]
    yield f"{json.dumps(backends, indent=2, ensure_ascii=False)}\n"


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "multidatabackend.json", _backends(inputs)


EXPORT = ExportSpec(
    "simpletuner",
    "SimpleTuner",
    TREE,
    _indexes,
    'in config.json: "data_backend_config": "{folder}/multidatabackend.json"',
)
