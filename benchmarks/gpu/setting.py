"""What all checks of one command are given."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Device = Literal["cuda", "cpu"]
Network = Literal["full", "small"]
Backend = Literal["sam3", "sam3_transformers"]
BACKENDS: tuple[Backend, ...] = ("sam3", "sam3_transformers")

Row = dict[str, Any]
"""One line of figures, as plain JSON values."""


@dataclass(frozen=True)
class Setting:
    """Where and how large the checks are; picklable, as it goes to their processes."""

    scratch: Path
    """An empty folder, for photos, weights and outputs."""
    device: Device = "cuda"
    """``cpu``: to try the command."""
    network: Network = "full"
    """``small``: that of the tests."""
    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    rounds: int = 10
    """Calls of the network for each figure."""
    images: int = 320
    """Of the longer run of the whole pipeline."""
    side: int = 1024
    """Of the photos, pixels."""
    checkpoint: Path | None = None
    """Trained weights for the package ``sam3``; None: random ones."""

    @property
    def photos_csv(self) -> Path:
        """The photos' CSV."""
        return self.scratch / "portraits" / "bench_images.csv"

    def weights(self, backend: Backend) -> Path:
        """The checkpoint of ``sam3``, or the folder of ``sam3_transformers``."""
        if backend == "sam3":
            return self.checkpoint or self.scratch / "sam3.pt"
        return self.scratch / "sam3_transformers"

    def trained(self, backend: Backend) -> bool:
        """Whether masks mean anything."""
        return backend == "sam3" and self.checkpoint is not None
