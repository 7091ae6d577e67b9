"""kohya-ss/sd-scripts reads the export with its own reader of configurations and its ``ControlNetDataset``."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relight_assets_tests.trainers.checkouts import checkout, importable
from relight_assets_tests.trainers.conftest import Export
from relight_assets_tests.trainers.rows import Row, assert_promised, rgb

STUBS = ("library.lpw_stable_diffusion", "library.sdxl_lpw_stable_diffusion")
"""Pipelines, of an older ``transformers``."""


@pytest.mark.parametrize("options", [{}, {"resolution": 512}, {"direction": "degrade"}], ids=str)
def test_it_reads_every_pair(export: Export, options: dict[str, object]) -> None:
    folder = export("sd-scripts", **options)
    with importable(checkout("sd-scripts"), stubs=STUBS):
        assert_promised(_rows(folder), folder)


def _rows(folder: Path) -> Iterator[Row]:
    """As ``flux_train_control_net.py --dataset_config FOLDER/sd-scripts.toml`` does."""
    import torch
    from library import config_util, strategy_base

    class NoTokenizer(strategy_base.TokenizeStrategy):
        def tokenize(self, _: str) -> list[Any]:
            return [torch.zeros(1, 1)]

    strategy_base.TokenizeStrategy.set_strategy(NoTokenizer())
    generator = config_util.BlueprintGenerator(config_util.ConfigSanitizer(False, False, True, True))
    config = config_util.load_user_config(folder / "sd-scripts.toml")
    blueprint = generator.generate(config, Namespace(debug_dataset=False))
    group, validation = config_util.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    assert validation is None
    group.verify_bucket_reso_steps(16)
    group.set_current_strategies()
    for number in range(len(group)):
        batch = group[number]
        for target, condition, caption, flipped in zip(
            batch["images"], batch["conditioning_images"], batch["captions"], batch["flippeds"], strict=True
        ):
            assert not flipped
            yield Row(rgb(target, -1, 1), rgb(condition, -1, 1), caption)
