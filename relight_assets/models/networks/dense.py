"""A network that says something of every point of an image: prepared as the recipe has it, and asked."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.networks import Network as Options
from relight_assets.core.color import linear_to_srgb_float32
from relight_assets.errors import ModelAnswerError, ModelFileError
from relight_assets.models.runtimes.onnx import Network

Image = NDArray[np.float32]
_TRIED = 0.5
"""What the image holds, in linear light, that a network is tried with before the work."""


class DenseNetwork:
    """A network in an ONNX file with the recipe's word on what it is given."""

    def __init__(self, path: Path, options: Options, *, channels: tuple[int, ...], sha256: str | None = None) -> None:
        """Load ``path`` and try it on a gray image.

        Args:
            path: the ``.onnx`` file.
            options: how it is given images.
            channels: how many its answers may have.
            sha256: if given, what the file must have.

        Raises:
            ModelFileError: it cannot be read, is another file or no network of this kind.
        """
        self._network, self._options, self._channels = Network(path, sha256), options, channels
        try:
            self(np.full((options.size, options.size, 3), _TRIED, np.float32))
        except ModelAnswerError as error:
            raise ModelFileError(f"{path}, tried on a gray image: {error}") from error

    def __call__(self, image: Image) -> Image:
        """The answer for an image that was brought to :meth:`Options.sides`.

        Args:
            image: (h, w, 3) float32 linear RGB in 0..1.

        Returns:
            (h, w, channels) float32: of the image's size, whatever size the network answers in.

        Raises:
            ModelAnswerError: it holds NaN or infinity, or has another number of channels.
        """
        height, width = image.shape[:2]
        values = linear_to_srgb_float32(image) if self._options.input == "srgb" else image
        mean, std = (np.array(three, np.float32) for three in (self._options.mean, self._options.std))
        answer = self._network((values - mean) / std)
        if len(answer) not in self._channels:
            wanted = " or ".join(str(count) for count in self._channels)
            raise ModelAnswerError(f"{self._network.path.name} answers with {len(answer)} channels; {wanted} is needed")
        planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in answer]
        return np.stack(planes, axis=-1)

    def reduced(self, image: Image) -> Image:
        """Bring an (H, W) or (H, W, C) image to the size at which images are given."""
        height, width = self._options.sides(*image.shape[:2])
        shrinks = height * width < image.shape[0] * image.shape[1]
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
