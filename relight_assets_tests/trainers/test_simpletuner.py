"""bghira/SimpleTuner reads the export with its factory of data backends, its buckets and caches, and its sampler."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relight_assets_tests.trainers.checkouts import checkout, importable
from relight_assets_tests.trainers.conftest import Export
from relight_assets_tests.trainers.rows import Row, assert_promised, rgb

STUBS = (
    *("boto3", "botocore", "botocore.config", "botocore.exceptions"),
    *("simpletuner.simpletuner_sdk.server", "simpletuner.simpletuner_sdk.server.services"),
    "simpletuner.simpletuner_sdk.server.services.callback_events",
    "simpletuner.simpletuner_sdk.server.services.prompt_library_service",
)
"""Storage in a cloud, and its web server."""


@pytest.mark.parametrize("options", [{}, {"resolution": 512}, {"direction": "degrade"}], ids=str)
def test_it_reads_every_pair(export: Export, options: dict[str, object]) -> None:
    folder = export("simpletuner", **options)
    with importable(checkout("SimpleTuner"), stubs=STUBS):
        # It brings every picture to the area of the largest.
        assert_promised(_rows(folder), folder, exact=False)


@pytest.mark.parametrize("number", [1, 3])
def test_it_takes_pairs_of_one_size_as_they_are(export: Export, number: int) -> None:
    folder = export("simpletuner", where=f"number = {number}")
    with importable(checkout("SimpleTuner"), stubs=STUBS):
        assert_promised(_rows(folder), folder)


def _rows(folder: Path) -> Iterator[Row]:
    """As a training with ``"data_backend_config": "FOLDER/multidatabackend.json"`` does, pictures for latents."""
    import accelerate
    from simpletuner.helpers.data_backend.factory import FactoryRegistry
    from simpletuner.helpers.training.state_tracker import StateTracker

    args, model, accelerator = _arguments(folder), _model(), accelerate.Accelerator(cpu=True)
    StateTracker.set_args(args)
    StateTracker.set_accelerator(accelerator)
    StateTracker.set_model(model)
    StateTracker.set_vae(model.vae)
    factory = FactoryRegistry(args, accelerator, [], [], model)
    factory.configure()
    (name,) = StateTracker.get_data_backends()
    targets, conditions = factory.data_backends[name], factory.data_backends[f"{name}-condition"]
    dataset = targets["train_dataset"]
    for batch in islice(targets["sampler"], len(dataset)):
        found = dataset[batch]
        (target,), (condition,) = found["training_samples"], found["conditioning_samples"]
        yield Row(
            rgb(targets["vaecache"].retrieve_from_cache(target["image_path"]), -1, 1),
            rgb(conditions["vaecache"].retrieve_from_cache(condition.image_path(basename_only=False)), -1, 1),
            target["instance_prompt_text"],
        )


class _Arguments(SimpleNamespace):
    """Options of its command line; None are those that are not given."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("_") or "nsfw" in name:
            raise AttributeError(name)


def _arguments(folder: Path) -> _Arguments:
    return _Arguments(
        data_backend_config=str(folder / "multidatabackend.json"),
        output_dir=str(folder / "cache" / "output"),
        cache_dir=str(folder / "cache"),
        model_family="flux",
        model_type="lora",
        train_batch_size=1,
        gradient_accumulation_steps=1,
        # Its defaults.
        resolution=1024,
        resolution_type="pixel_area",
        caption_strategy="filename",
        skip_file_discovery="",
        aspect_bucket_alignment=64,
        aspect_bucket_rounding=2,
        conditioning_multidataset_sampling="combined",
        metadata_update_interval=3600,
        vae_batch_size=4,
        write_batch_size=128,
        read_batch_size=25,
        image_processing_batch_size=32,
        # One thread each.
        aspect_bucket_worker_count=1,
        max_workers=1,
    )


def _model() -> Any:
    """What the factory asks of FLUX.1 Kontext, without text encoders, and pictures for latents."""
    import torch
    from torchvision import transforms

    vae = SimpleNamespace(device=torch.device("cpu"), dtype=torch.float32, to=lambda *_, **__: None)
    normal = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])
    return SimpleNamespace(
        vae=vae,
        AUTOENCODER_CLASS=type(vae),
        MAXIMUM_CANVAS_SIZE=None,
        get_vae=lambda: vae,
        get_vae_for_dataset_type=lambda _: vae,
        get_transforms=lambda **_: normal,
        pre_vae_encode_transform_sample=lambda sample: sample,
        encode_cache_batch=lambda _, samples, **__: samples,
        post_vae_encode_transform_sample=lambda latents: latents,
        scale_vae_latents_for_cache=lambda latents, _: latents,
        requires_conditioning_dataset=lambda: True,
        requires_conditioning_latents=lambda: True,
        requires_conditioning_image_embeds=lambda: False,
        requires_s2v_datasets=lambda: False,
        supports_audio_inputs=lambda: False,
        uses_text_embeddings_cache=lambda: False,
        configure_data_signals=lambda **_: None,
    )
