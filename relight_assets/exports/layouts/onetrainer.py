"""OneTrainer: one folder, in which suffixes tell the files of a pair apart, and a list of concepts."""

import json
from collections.abc import Iterable, Iterator

from relight_assets.exports.base import ExportSpec, IndexInputs


def _concepts(inputs: IndexInputs) -> Iterator[str]:
    concept = {
        "name": f"relight_{inputs.split}",
        "path": str(inputs.folder / "pairs"),
        "enabled": True,
        "include_subdirectories": False,
        "image": {
            "enable_crop_jitter": False,
            "enable_random_flip": False,
            "enable_fixed_flip": False,
            "enable_random_rotate": False,
        },
        "text": {"prompt_source": "sample"},
    }
    yield f"{json.dumps([concept], indent=2, ensure_ascii=False)}\n"


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "concepts.json", _concepts(inputs)


EXPORT = ExportSpec(
    "onetrainer",
    "OneTrainer",
    {
        "target": "pairs/{stem}.png",
        "condition": "pairs/{stem}-condlabel.png",
        "mask": "pairs/{stem}-masklabel.png",
        "caption": "pairs/{stem}.txt",
    },
    _indexes,
    'copy {folder}/concepts.json into training_concepts/, choose it in the tab "concepts", and switch on '
    "custom conditioning images (FLUX.1 Fill and inpainting models)",
)
