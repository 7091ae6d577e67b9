"""kohya-ss/musubi-tuner reads the export with its own reader of configurations and the batches of its latent cache."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.trainers.checkouts import checkout, importable
from relight_assets_tests.trainers.conftest import Export
from relight_assets_tests.trainers.rows import Row, assert_promised, rgb


@pytest.mark.parametrize("options", [{}, {"resolution": 512}, {"direction": "degrade"}], ids=str)
def test_it_reads_every_pair(export: Export, options: dict[str, object]) -> None:
    folder = export("musubi-tuner", **options)
    with importable(checkout("musubi-tuner") / "src"):
        assert_promised(_rows(folder), folder)


def _rows(folder: Path) -> Iterator[Row]:
    """As ``flux_kontext_cache_latents.py --dataset_config FOLDER/musubi-tuner.toml`` does, up to the model."""
    from musubi_tuner import flux_kontext_cache_latents as script

    generator = script.BlueprintGenerator(script.ConfigSanitizer())
    config = script.config_utils.load_user_config(str(folder / "musubi-tuner.toml"))
    blueprint = generator.generate(
        config, Namespace(debug_dataset=False), architecture=script.ARCHITECTURE_FLUX_KONTEXT
    )
    group = script.config_utils.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    (dataset,) = group.datasets
    assert Path(dataset.cache_directory) == folder / "cache"
    for _, batch in dataset.retrieve_latent_cache_batches(1):
        targets, conditions = script.preprocess_contents_flux_kontext(batch)
        for item, target, condition in zip(batch, targets, conditions, strict=True):
            yield Row(rgb(target, -1, 1), rgb(condition, -1, 1), item.caption)
