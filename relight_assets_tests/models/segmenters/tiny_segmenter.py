"""A segmenter in one file: the model file holds the share of the width that is not the person, left and right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import sha256_hex
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.models import registry
from relight_assets.models.files import ModelFiles
from relight_assets.models.registry import SegmenterSpec, ShippedModel
from relight_assets.models.segmenters.base import PersonMask

WEIGHTS = b"0.25"
MODEL = ShippedModel(
    name="tiny_model",
    file_name="tiny.txt",
    size=len(WEIGHTS),
    sha256=sha256_hex(WEIGHTS),
    member="none",
    purpose="a person in the middle",
)
SPEC = SegmenterSpec(model="tiny_model", make=f"{__name__}:make")


class TinySegmenter:
    def __init__(self, file: Path) -> None:
        self._margin = float(file.read_text())

    def masks(self, images: Sequence[NDArray[np.uint8]], batch: int) -> list[PersonMask]:
        assert len(images) <= batch
        return [PersonMask(self._mask(*rgb.shape[:2])) for rgb in images]

    def _mask(self, height: int, width: int) -> NDArray[np.float32]:
        mask = np.zeros((height, width), np.float32)
        mask[:, int(self._margin * width) : width - int(self._margin * width)] = 1
        return mask


def make(_: Recipe, files: ModelFiles) -> TinySegmenter:
    return TinySegmenter(files.path_of("tiny_model"))


def register() -> None:
    """The entries in the registry."""
    registry.SHIPPED = (*(each for each in registry.SHIPPED if each != MODEL), MODEL)
    registry.SEGMENTERS["tiny"] = SPEC


class WorkerWithTinySegmenter(ImageWorker):
    """The worker of a package in whose registry the segmenter is."""

    def __init__(self, **settings: Any) -> None:
        register()
        super().__init__(**settings)
