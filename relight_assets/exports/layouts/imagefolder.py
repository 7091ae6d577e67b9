"""Image folders of Hugging Face ``datasets``, with the column names of the diffusers scripts."""

import json
from collections.abc import Iterable, Iterator, Mapping

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "controlnet": {"target": "image", "condition": "conditioning_image", "caption": "text"},
    "flux-control": {"target": "image", "condition": "conditioning_image", "caption": "text"},
    "kontext": {"target": "image", "condition": "conditioning_image", "caption": "text"},
    "instruct-pix2pix": {"target": "edited_image", "condition": "input_image", "caption": "edit_prompt"},
}
"""What the columns are called, by preset (huggingface/diffusers, examples)."""


def _lines(inputs: IndexInputs) -> Iterator[str]:
    names = COLUMNS[inputs.options.columns]
    # ``file_name`` gives the column ``image``; ``<x>_file_name`` gives the column ``<x>``.
    keys = {role: "file_name" if name == "image" else f"{name}_file_name" for role, name in names.items()}
    # Where no photo has one: a column of nulls alone would have no type.
    licensed = any(pair.licence for pair in inputs.pairs)
    for pair in inputs.pairs:
        paths = inputs.paths(pair)
        row = {keys["target"]: paths["target"], keys["condition"]: paths["condition"], "mask_file_name": paths["mask"]}
        if pair.caption.text:
            row[names["caption"]] = pair.caption.text
        row |= {"stem": pair.stem, "image_path": pair.image_path}
        licence = {"licence": pair.licence} if licensed else {}
        yield f"{json.dumps(row | licence, ensure_ascii=False)}\n"


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "metadata.jsonl", _lines(inputs)


EXPORT = ExportSpec(
    "imagefolder",
    "datasets.load_dataset, diffusers",
    TREE,
    _indexes,
    'datasets.load_dataset("imagefolder", data_dir="{folder}")',
    """import datasets
rows = datasets.load_dataset("imagefolder", data_dir="{folder}", split="train")
first = rows[0]  # columns as in metadata.jsonl""",
)
