"""A line of JSON for each pair: for loaders of your own."""

import json
from collections.abc import Iterable, Iterator

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs


def _lines(inputs: IndexInputs) -> Iterator[str]:
    for pair in inputs.pairs:
        row: dict[str, str | None] = {"stem": pair.stem}
        row |= {role: path for role, path in inputs.paths(pair).items() if role != "caption"}
        row |= {"caption": pair.caption.text or None, "image_path": pair.image_path, "licence": pair.licence}
        yield f"{json.dumps(row, ensure_ascii=False)}\n"


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "pairs.jsonl", _lines(inputs)


EXPORT = ExportSpec(
    "jsonl", "a loader of your own", TREE, _indexes, "one JSON object for each line of {folder}/pairs.jsonl"
)
