"""DiffSynth-Studio: the tree and a CSV of ``image``, ``edit_image`` and ``prompt``."""

import csv
import io
from collections.abc import Iterable, Iterator

from relight_assets.exports.base import TREE, ExportSpec, IndexInputs


def _lines(inputs: IndexInputs) -> Iterator[str]:
    yield _row("image", "edit_image", "prompt")
    for pair in inputs.pairs:
        paths = inputs.paths(pair)
        # An empty prompt would be read as NaN.
        yield _row(paths["target"], paths["condition"], pair.caption.text or inputs.options.caption_text)


def _row(*cells: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue()


def _indexes(inputs: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    yield "metadata.csv", _lines(inputs)


EXPORT = ExportSpec(
    "diffsynth",
    "DiffSynth-Studio",
    TREE,
    _indexes,
    "accelerate launch examples/.../train.py --dataset_base_path {folder} "
    "--dataset_metadata_path {folder}/metadata.csv --data_file_keys image,edit_image --extra_inputs edit_image",
)
