"""From an export to an optimiser step: a DataLoader over its files, a small network, real gradients."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from relight_assets_tests.exports.conftest import Export

torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")

SIDE = 128


class Pairs:
    """A map-style data set of a tree: condition, target and mask, each (C, SIDE, SIDE) float32 in 0..1, and caption."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        row = self._rows[number]
        return {
            "target": self._tensor(row["file_name"]),
            "condition": self._tensor(row["conditioning_image_file_name"]),
            "mask": self._tensor(row["mask_file_name"]),
            "text": row["text"],
        }

    def _tensor(self, name: str) -> Any:
        with Image.open(self._folder / name) as opened:
            pixels = np.asarray(opened.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
        return torch.from_numpy(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1).copy())


def test_one_optimiser_step(export: Export) -> None:
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(Pairs(export("imagefolder").folder.parent / "train"), batch_size=4)
    (batch,) = loader
    assert batch["condition"].shape == batch["target"].shape == (4, 3, SIDE, SIDE)
    assert batch["mask"].shape == (4, 1, SIDE, SIDE)
    assert all(batch["text"])
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.SiLU(), torch.nn.Conv2d(16, 3, 3, padding=1)
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)

    def loss_of() -> Any:
        difference = batch["condition"] + network(batch["condition"]) - batch["target"]
        return (batch["mask"] * difference.abs()).sum() / batch["mask"].sum()

    before = loss_of()
    before.backward()
    assert all(torch.isfinite(each.grad).all() and each.grad.abs().sum() > 0 for each in network.parameters())
    optimiser.step()
    after = loss_of()
    assert 0 < after.item() < before.item()
