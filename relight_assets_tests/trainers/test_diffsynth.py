"""modelscope/DiffSynth-Studio reads the export with its ``UnifiedDataset``, set up as its training scripts do."""

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from relight_assets.exports.registry import layout
from relight_assets_tests.trainers.checkouts import checkout, importable
from relight_assets_tests.trainers.conftest import Export
from relight_assets_tests.trainers.rows import Row, assert_promised

STUBS = ("modelscope",)
"""It downloads models."""


@pytest.mark.parametrize("options", [{}, {"resolution": 512}, {"direction": "degrade"}], ids=str)
def test_it_reads_every_pair(export: Export, options: dict[str, object]) -> None:
    folder = export("diffsynth", **options)
    with importable(checkout("DiffSynth-Studio"), stubs=STUBS):
        assert_promised(_rows(folder), folder)


def _rows(folder: Path) -> Iterator[Row]:
    """As ``examples/qwen_image/model_training/train.py`` does, with the options that the layout names."""
    from diffsynth.core import UnifiedDataset
    from diffsynth.diffusion import parsers

    parser = argparse.ArgumentParser()
    for add in (parsers.add_dataset_base_config, parsers.add_image_size_config, parsers.add_model_config):
        add(parser)
    started = shlex.split(layout("diffsynth").start.format(folder=folder))
    args = parser.parse_args(started[started.index("--dataset_base_path") :])
    assert args.extra_inputs == "edit_image"
    dataset = UnifiedDataset(
        base_path=args.dataset_base_path,
        metadata_path=args.dataset_metadata_path,
        repeat=args.dataset_repeat,
        data_file_keys=args.data_file_keys.split(","),
        main_data_operator=UnifiedDataset.default_image_operator(
            base_path=args.dataset_base_path, max_pixels=args.max_pixels, height=args.height, width=args.width
        ),
    )
    for number in range(len(dataset)):
        row = dataset[number]
        yield Row(np.asarray(row["image"]), np.asarray(row["edit_image"]), row["prompt"])
