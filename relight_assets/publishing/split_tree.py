"""The finished images of a split, as they are published: pictures and records, the mapping, samples.csv and a list."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relight_assets import __version__
from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import file_sha256
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.csv.mapping import mapping_blocks, output_csv_paths
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.record_types import RecordStamps
from relight_assets.dataset.records import known_stamps
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import OtherPhotosError, OutputFolderError, UserError
from relight_assets.exports.rows.pairs import PairSource
from relight_assets.exports.samples import csv_blocks
from relight_assets.exports.snapshot import WrittenFile, write_files
from relight_assets.publishing.trees import FILES, MANIFEST, Tree, TreeFile

FORMAT = "1"
"""Raised when the same images are published as other files."""
SAMPLES = "samples.csv"
_RECORD, _TABLE, _RECIPE = "record", "table", "recipe"
"""What a file is made of, in the list."""


def split_tree_name(split: str) -> str:
    """Where a split is published, below the destination."""
    return f"data-{split}"


@contextmanager
def split_tree(split: SplitCsv, recipe: Recipe, settings: Settings, *, partial: bool) -> Iterator[Tree]:
    """The finished images of a split, for as long as the block runs: tables lie in a temporary folder.

    The split's folder is locked while the list is made, not while it is uploaded.  A picture that a run writes anew
    meanwhile is noticed by its sha256.

    Args:
        split: the CSV.
        recipe: that the images are to be of.
        settings: the platform's.
        partial: although rows are pending.

    Raises:
        UserError: rows are pending and ``partial`` is not set, or no row is done.
        OtherPhotosError: the folder's images were made of other photos than the CSV names.
        OutputFolderError: a run is writing the split, or it cannot be read.
    """
    layout = SplitLayout(split_folder(settings.output_root, split.split))
    with tempfile.TemporaryDirectory(prefix="relight-publish-") as folder:
        try:
            with locked_folder(layout, to_read=True):
                state = load_split_state(split, recipe, settings)
                _refuse(state, partial=partial)
                tree = _tree(state, Path(folder))
        except OSError as error:
            raise OutputFolderError(f"{layout.folder} cannot be read: {error.strerror or error}") from error
        yield tree


def _refuse(state: SplitState, *, partial: bool) -> None:
    counts, name = state.row_counts(), state.split.split
    if (reason := refusal(state)) is not None:
        raise OtherPhotosError(reason)
    if counts["pending"] and not partial:
        raise UserError(
            f"the split `{name}` has {counted(counts['pending'], 'pending row')}: run it first, or publish those that "
            f"are done (--partial, or `partial: true` in config/platform.yaml)"
        )
    if not counts["done"]:
        raise UserError(f"no row of the split `{name}` is done: there is nothing to publish")


def _tree(state: SplitState, folder: Path) -> Tree:
    layout = state.layout
    files: list[tuple[TreeFile, str]] = []
    for image in state.images.values():
        stamps = known_stamps(layout, image.index) if image.status == "done" and image.index is not None else None
        if stamps is not None:
            files += _files_of(state, stamps)
    files.sort(key=lambda each: each[0].path)
    files += [(each, _TABLE) for each in _tables(state, folder)]
    if layout.storage.kind(layout.recipe) == "a file":
        files.append((TreeFile.of(layout.recipe.name, layout.recipe), _RECIPE))
    write_files(folder, (WrittenFile(each.path, each.sha256, each.size, made_of) for each, made_of in files))
    listing = TreeFile.of(FILES, folder / FILES)
    (folder / MANIFEST).write_text(f"{json.dumps(_manifest(state, listing), indent=1)}\n", encoding="utf-8")
    return Tree(
        split_tree_name(state.split.split),
        [*(each for each, _ in files), listing],
        TreeFile.of(MANIFEST, folder / MANIFEST),
    )


def _files_of(state: SplitState, stamps: RecordStamps) -> Iterator[tuple[TreeFile, str]]:
    """The pictures and the record of an image, and the stage or kind of each."""
    layout = state.layout
    for stage, entry in stamps.stages.items():
        for name, stamp in entry.files.items():
            path = layout.artifact(stamps.index, name)
            yield TreeFile(path.name, str(path), stamp.size, stamp.sha256), stage
    record = layout.record(stamps.index)
    yield TreeFile.of(record.name, record), _RECORD


def _tables(state: SplitState, folder: Path) -> Iterator[TreeFile]:
    """The mapping and samples.csv, which name the files beside them."""
    mapping = output_csv_paths(state.split.path, None)[0].name
    rows = PairSource(state, None, ExportOptions(resolution="source")).rows()
    for name, blocks in (
        (mapping, mapping_blocks(state.split, state.outputs(), beside=True)),
        (SAMPLES, csv_blocks(rows)),
    ):
        path = folder / name
        with path.open("wb") as stream:
            stream.writelines(blocks)
        yield TreeFile(name, str(path), os.path.getsize(path), file_sha256(path))  # noqa: PTH202


def _manifest(state: SplitState, listing: TreeFile) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "what": "images",
        "split": state.split.split,
        "rows": {status: count for status, count in sorted(state.row_counts().items()) if count},
        "images": sum(image.status == "done" for image in state.images.values()),
        "variants": state.variants,
        "files_sha256": listing.sha256,
        "csv_sha256": state.split.sha256,
        "package_version": __version__,
    }
