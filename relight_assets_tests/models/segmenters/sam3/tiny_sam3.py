"""SAM3 as its package builds it, of the same parts but few and narrow, with random weights that are finite."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.models.segmenters.sam3 import native
from relight_assets.models.segmenters.sam3.native import Network, official_network

SIDE = 112
NARROW: dict[str, dict[str, Any]] = {
    "ViT": {
        "img_size": SIDE,
        "pretrain_img_size": SIDE,
        "embed_dim": 32,
        "depth": 2,
        "num_heads": 2,
        "window_size": 4,
        "global_att_blocks": (1,),
    },
    "TransformerEncoderFusion": {"num_layers": 1},
    "TransformerDecoder": {"num_layers": 1, "num_queries": 12},
    "TransformerEncoderLayer": {"dim_feedforward": 64},
    "TransformerDecoderLayer": {"dim_feedforward": 64},
    "SequenceGeometryEncoder": {"num_layers": 1},
    "VETextEncoder": {"width": 64, "heads": 2, "layers": 1},
}


def network() -> Network:
    """The small network, its weights not set."""
    builder = native._package()
    with _overridden(builder):
        return Network(official_network().model, SIDE)


@contextmanager
def _overridden(builder: Any) -> Iterator[None]:
    before = {name: getattr(builder, name) for name in NARROW}
    for name, made in before.items():
        setattr(builder, name, lambda *args, _made=made, _name=name, **kw: _made(*args, **kw | NARROW[_name]))
    try:
        yield
    finally:
        for name, made in before.items():
            setattr(builder, name, made)


def random_weights(model: Any, seed: int = 0) -> dict[str, Any]:
    """The tensors of a checkpoint in the official layout: all finite, none of them trained."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("freqs_cis"):
            continue  # computed, and not in every checkpoint
        norm = "norm" in name or "ln_" in name
        spread = torch.randn(tensor.shape, generator=generator) * (0.02 if tensor.ndim < 2 or norm else 0.08)
        weights[f"detector.{name}"] = spread + (1.0 if norm and name.endswith("weight") else 0.0)
    return weights


def write_checkpoint(file: Path, weights: dict[str, Any]) -> Path:
    """Save tensors as the authors do, beside some of the video tracker."""
    import torch

    torch.save({"model": weights | {"tracker.memory": torch.zeros(3)}}, file)
    return file


class SmallSam3Worker(ImageWorker):
    """The worker as it is, in whose process SAM3 is the small network."""

    def __init__(self, **settings: Any) -> None:
        native.Sam3Segmenter.__init__.__kwdefaults__["build"] = network
        super().__init__(**settings)
