"""What the SAM3 backends share: batches of one shape, the way to the device and back, and its errors."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from relight_assets.config.recipe.masks import Persons
from relight_assets.core.arrays import Rgb8
from relight_assets.errors import DeviceFailedError, DeviceOutOfMemoryError
from relight_assets.models.faces.detection import shrunk_by_whole
from relight_assets.models.segmenters.sam3.instances import enlarged, joined
from relight_assets.stages.masks.person_mask import PersonMask

TORCH_FOR_GPUS = (
    "install a build for CUDA (https://pytorch.org/get-started), or set num_gpus: none to work on the CPU on purpose"
)
_NO_MEMORY = (
    *("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"),
    "could not create a primitive",  # what oneDNN, which works on CPUs alone, says where it gets no memory
)
_BROKEN = ("CUDA error", "CUDA driver error", "CUDNN_STATUS", "CUBLAS_STATUS", "device-side assert", "NVRTC")


def stay_offline() -> None:
    """Keep the hub's client from looking anything up, and it and its kin from talking into progress bars.

    To be called before they are imported.
    """
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def normalised(squares: Any) -> Any:
    """Bring uint8 squares to -1..1, to the last bit as the official processor does it.

    A network may make much of a last bit: of 200 candidates of the full one, with random weights, 12 became others.
    """
    import torch
    from torchvision.transforms.v2.functional import normalize, to_dtype  # noqa: PLC0415  (takes seconds)

    return normalize(to_dtype(squares, torch.float32, scale=True), mean=[0.5] * 3, std=[0.5] * 3)


def device_of(torch: Any) -> str:
    """``cuda`` where torch finds a GPU, ``cpu`` where this process was given none.

    Raises:
        DeviceFailedError: it was given one, and torch cannot use it.
    """
    if torch.cuda.is_available():
        return "cuda"
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if given in {"", "-1"}:
        return "cpu"
    if torch.version.cuda is None:
        raise DeviceFailedError(f"torch {torch.__version__} is built for the CPU: {TORCH_FOR_GPUS}")
    try:
        torch.cuda.init()
        why = "it says no more"
    except RuntimeError as error:
        why = str(error).strip().split("\n", maxsplit=1)[0]
    raise DeviceFailedError(
        f"torch {torch.__version__} (CUDA {torch.version.cuda}) cannot use the GPU {given}: {why}; `relight doctor` "
        f"tells about the driver"
    )


class PromptedSegmenter(ABC):
    """A network that finds every instance of what a text says."""

    def __init__(self, *, side: int, min_score: float, persons: Persons):
        """Take the one device that this process sees; ``side`` is the square that the network looks at, in pixels.

        Raises:
            DeviceFailedError: this process was given a GPU, and torch cannot use it.
        """
        import torch

        self.torch = torch
        torch.set_num_threads(1)  # a worker has one thread for the segmenter; the others are the stages'
        self.device = device_of(torch)
        self._side, self._min_score, self._persons = side, min_score, persons

    @contextmanager
    def loading(self) -> Iterator[None]:
        """What brings the network to the device, and what is computed there once.

        Raises:
            DeviceOutOfMemoryError: the device has no room for the network.
            DeviceFailedError: the device cannot be used.
        """
        try:
            yield
        except RuntimeError as error:
            failure = self._device_error(error)
            if failure is None:
                raise
            raise type(failure)(
                f"the network cannot be loaded onto the device: {failure}; "
                "`relight doctor` shows how much memory is free"
            ) from error

    @abstractmethod
    def candidates(self, squares: Any) -> tuple[Any, Any]:
        """Scores (B, Q) in 0..1 and mask logits (B, Q, h, w) of (B, 3, side, side) float squares in -1..1."""

    def masks(self, images: Sequence[Rgb8], batch: int) -> list[PersonMask]:
        """See :meth:`relight_assets.models.segmenters.base.Segmenter.masks`."""
        answers: list[PersonMask] = []
        for start in range(0, len(images), batch):
            failure = None
            try:
                answers += self._ask(images[start : start + batch], batch)
            except RuntimeError as error:  # torch's own errors are all of this kind
                failure = self._device_error(error)
                if failure is None:
                    raise
            if failure is not None:
                # Here, where the error is gone, and with it the tensors of its frames.
                if isinstance(failure, DeviceOutOfMemoryError) and self.device == "cuda":
                    self.torch.cuda.empty_cache()
                raise failure
        return answers

    def _ask(self, images: Sequence[Rgb8], batch: int) -> list[PersonMask]:
        torch = self.torch
        with torch.inference_mode():
            squares = torch.zeros((batch, 3, self._side, self._side), dtype=torch.uint8, device=self.device)
            for number, image in enumerate(images):
                squares[number] = self._square(image)
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=self.device == "cuda"):
                scores, logits = self.candidates(normalised(squares))
            found = [
                joined(scores[number].float(), logits[number].float(), self._min_score, self._persons)
                for number in range(len(images))
            ]
            large = [enlarged(one.probability, *rgb.shape[:2]) for one, rgb in zip(found, images, strict=True)]
            return [
                PersonMask(
                    mask.cpu().numpy().astype(np.float32) * np.float32(1 / 255),
                    one.scores,
                    one.best_score,
                    cells=(one.probability.shape[0], one.probability.shape[1]),
                )
                for one, mask in zip(found, large, strict=True)
            ]

    def _square(self, rgb: Rgb8) -> Any:
        # Bytes go up, and are resized there as the official processor does, antialiased, from bytes to bytes.
        from torchvision.transforms.v2.functional import resize  # noqa: PLC0415

        # A very large image is halved, or the like, before: it would take a gigabyte of the device as floats.
        factor = max(1, min(rgb.shape[:2]) // (2 * self._side))
        host = self.torch.from_numpy(np.ascontiguousarray(shrunk_by_whole(rgb, factor)))
        if self.device == "cuda":
            host = host.pin_memory()
        image = host.to(self.device, non_blocking=True).permute(2, 0, 1)
        return resize(image, [self._side, self._side], antialias=True)

    def _device_error(self, error: RuntimeError) -> DeviceOutOfMemoryError | DeviceFailedError | None:
        """Tell "not so many at a time" and "never again in this process" from a fault of the code (None)."""
        text = str(error).strip().split("\n", maxsplit=1)[0]
        if isinstance(error, self.torch.OutOfMemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
            return DeviceOutOfMemoryError(text)
        return DeviceFailedError(text) if any(sign in str(error) for sign in _BROKEN) else None
