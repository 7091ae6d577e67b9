"""SimpleTuner: the tree and a list of its data backends."""

import json
from collections.abc import Iterable, Iterator

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs
from relight_assets.exports.layouts.sizes import longest_side


def _backends(inputs: IndexInputs) -> Iterator[str]:
    name, side = f"relight-{inputs.split}", longest_side(inputs)
    both = {
        "type": "local",
        "resolution": side,
        "resolution_type": "pixel",
        "crop": False,
        "caption_strategy": "textfile",
    }
    backends = [
        {
            "id": name,
            "dataset_type": "image",
            "instance_data_dir": str(inputs.folder / "image"),
            "conditioning_data": f"{name}-condition",
            "cache_dir_vae": str(inputs.folder / "cache" / "vae"),
            **both,
        },
        {
            "id": f"{name}-condition",
            "dataset_type": "conditioning",
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
