"""ostris/ai-toolkit reads the export's job with its own data loader, latents cached on disk as the job asks for."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from relight_assets_tests.trainers.checkouts import checkout, importable
from relight_assets_tests.trainers.conftest import Export
from relight_assets_tests.trainers.rows import Row, assert_promised, gray, rgb

STUBS = (
    *("optimum", "optimum.quanto", "torchao", "torchao.quantization", "torchao.quantization.quant_primitives"),
    "torchaudio",
)
"""Quantization and sound."""


@pytest.mark.parametrize("options", [{}, {"resolution": 512}, {"direction": "degrade"}], ids=str)
def test_it_reads_every_pair(export: Export, options: dict[str, object]) -> None:
    folder = export("ai-toolkit", **options)
    with importable(checkout("ai-toolkit"), stubs=STUBS):
        assert_promised(_rows(folder), folder, masks=True, softened=True)


def _rows(folder: Path) -> Iterator[Row]:
    """As ``run.py FOLDER/ai-toolkit.yaml`` does."""
    from toolkit.data_loader import get_dataloader_from_datasets

    job = yaml.safe_load((folder / "ai-toolkit.yaml").read_text(encoding="utf-8"))
    (process,) = job["config"]["process"]
    # Without processes of the loader's own.
    datasets = [{**dataset, "num_workers": 0} for dataset in process["datasets"]]
    loader = get_dataloader_from_datasets(datasets, process["train"]["batch_size"], _model())
    for batch in loader:
        (item,) = batch.file_items
        assert item.is_latent_cached
        assert not item.flip_x
        # Losses are weighted by ``mask_min_value`` where the mask is black.
        mask = gray(item.mask_tensor[0], item.mask_min_value, 1)
        yield Row(rgb(batch.latents[0], -1, 1), rgb(batch.control_tensor[0], 0, 1), item.caption, mask)


def _model() -> Any:
    """What the loader asks of FLUX.1 Kontext, with pictures for latents."""
    import torch

    return SimpleNamespace(
        model_config=SimpleNamespace(latent_space_version="flux1", arch="flux_kontext"),
        get_bucket_divisibility=lambda: 16,
        use_raw_control_images=False,
        encode_control_in_text_embeddings=False,
        text_embedding_space_version="flux",
        te_padding_side="right",
        vae=SimpleNamespace(),
        unet=SimpleNamespace(),
        adapter=None,
        device="cpu",
        device_torch=torch.device("cpu"),
        torch_dtype=torch.float32,
        encode_images=lambda images: images,
        set_device_state_preset=lambda _: None,
        restore_device_state=lambda: None,
    )
