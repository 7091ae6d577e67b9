"""Nerogar/OneTrainer reads the export with its loader for FLUX.1 Fill, on Nerogar/mgds."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relight_assets_tests.trainers.checkouts import checkout, importable
from relight_assets_tests.trainers.conftest import Export
from relight_assets_tests.trainers.rows import Row, assert_promised, gray, rgb

STUBS = (
    *("modules.model", "modules.model.BaseModel", "modules.model.FluxModel"),
    *("modules.modelSetup", "modules.modelSetup.BaseFluxSetup", "modules.modelSetup.BaseModelSetup"),
    *("modules.modelSetup.mixin", "modules.modelSetup.mixin.ModelSetupText2ImageMixin"),
)
"""Its models."""


@pytest.mark.parametrize("options", [{}, {"resolution": 512}, {"direction": "degrade"}], ids=str)
def test_it_reads_every_pair(export: Export, options: dict[str, object]) -> None:
    folder = export("onetrainer", **options)
    with importable(checkout("OneTrainer"), checkout("mgds") / "src", stubs=STUBS):
        # It brings every picture to the area that its own configuration asks for.
        assert_promised(_rows(folder), folder, exact=False, masks=True)


def _rows(folder: Path) -> Iterator[Row]:
    """As a training with ``FOLDER/concepts.json``, the switches of masks and of custom conditioning images on."""
    import torch
    from mgds.pipelineModules.MapData import MapData
    from modules.dataLoader.FluxBaseDataLoader import FluxBaseDataLoader
    from modules.util.config.TrainConfig import TrainConfig
    from modules.util.enum.ModelType import ModelType
    from modules.util.TrainProgress import TrainProgress

    class Loader(FluxBaseDataLoader):
        """Without models: pictures for latents, and texts for tokens."""

        def _preparation_modules(self, *_: Any) -> list[Any]:
            return [
                MapData(name, f"latent_{name}", lambda each: each) for name in ("image", "conditioning_image", "mask")
            ]

        def _cache_modules(self, config: Any, model: Any, model_setup: Any) -> list[Any]:
            return self._cache_modules_from_names(
                model, model_setup, [], [], [], [*NAMES, "crop_resolution", "concept"], config, text_caching=False
            )

        def _debug_modules(self, *_: Any) -> list[Any]:
            return []

        def _output_modules(self, config: Any, model: Any, model_setup: Any) -> list[Any]:
            dtype = SimpleNamespace(torch_dtype=lambda: torch.float32)
            return self._output_modules_from_out_names(model, model_setup, [*NAMES], config, train_dtype=dtype)

    config = TrainConfig.default_values()
    config.model_type = ModelType.FLUX_FILL_DEV_1
    config.concept_file_name = str(folder / "concepts.json")
    config.resolution = "1024"
    config.masked_training = config.custom_conditioning_image = True
    config.unmasked_probability = 0.0
    config.latent_caching = False
    config.batch_size = config.dataloader_threads = 1
    config.train_device = "cpu"
    model = SimpleNamespace(train_dtype=SimpleNamespace(torch_dtype=lambda: torch.float32))
    loader = Loader(torch.device("cpu"), torch.device("cpu"), config, model, None, TrainProgress())
    loader.get_data_set().start_next_epoch()
    for batch in loader.get_data_loader():
        (caption,) = batch["prompt"]
        yield Row(
            rgb(batch["latent_image"][0], 0, 1),
            rgb(batch["latent_conditioning_image"][0], 0, 1),
            caption,
            gray(batch["latent_mask"][0, 0], 0, 1),
        )


NAMES = ("image_path", "latent_image", "latent_conditioning_image", "latent_mask", "prompt")
