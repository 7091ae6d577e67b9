"""What every learned albedo extractor answers, and the one that is a network in an ONNX file."""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.networks import LearnedAlbedo
from relight_assets.core.color import srgb_to_linear_float32
from relight_assets.models.networks.dense import DenseNetwork

Image = NDArray[np.float32]

AROUND = 0.2140
"""What stands beside the person, in linear light: the middle gray of the display."""
FLOOR = 0.01
"""Added, linear, before the image is divided by: keeps noise in black hair from exploding."""
LARGEST_GAIN = 100.0


class AlbedoExtractor(Protocol):
    """A network that says what colour a person has under no light in particular."""

    def albedo(self, linear_rgb: Image, alpha: Image) -> Image:
        """The albedo of a person; its brightness as a whole is of no account.

        Args:
            linear_rgb: (H, W, 3) float32 linear RGB in 0..1, straight alpha.
            alpha: (H, W) float32 in 0..1.

        Returns:
            (H, W, 3) float32 linear RGB, 0 and more, finite; any value where alpha is 0.

        Raises:
            ModelAnswerError: the network gives no albedo for this image.
        """


class OnnxAlbedo:
    """An :class:`AlbedoExtractor` in an ONNX file.

    What it finds at its own size is taken as a change of light and put on the image at full size, so that
    the image keeps its detail; at the network's own size that is the network's answer.
    """

    def __init__(self, path: Path, options: LearnedAlbedo, sha256: str | None = None) -> None:
        """Load ``path`` and try it.

        Raises:
            ModelFileError: it cannot be read, is another file, or no network that answers with an albedo.
        """
        shades = options.output == "log_shading"
        self._options = options
        self._network = DenseNetwork(path, options, channels=(1, 3) if shades else (3,), sha256=sha256)

    def albedo(self, linear_rgb: Image, alpha: Image) -> Image:
        """See :meth:`AlbedoExtractor.albedo`."""
        inside = self._network.reduced(alpha)[..., None]
        person = self._network.reduced(linear_rgb * alpha[..., None])
        image = person + np.float32(AROUND) * (1 - inside)
        answer = self._network(image)
        if self._options.output == "log_shading":
            floor = np.float32(0)
            gain = np.exp(-np.clip(answer, -20, 20)) * np.ones(3, np.float32)
        else:
            floor = np.float32(FLOOR)
            gain = (self._linear(answer) + floor) / (image + floor)
        gain = np.minimum(gain, np.float32(LARGEST_GAIN))
        # Of the person alone: what the network makes of the gray beside it must not reach the person's edge.
        size = (alpha.shape[1], alpha.shape[0])
        weight = np.maximum(cv2.resize(inside, size, interpolation=cv2.INTER_LINEAR), np.float32(1e-3))
        found = linear_rgb + floor
        for channel in range(3):  # plane by plane: memory counts at full size
            plane = cv2.resize(gain[..., channel] * inside[..., 0], size, interpolation=cv2.INTER_LINEAR)
            found[..., channel] *= cv2.divide(plane, weight, plane)
        found -= floor
        return np.maximum(found, 0, out=found)

    def _linear(self, answer: Image) -> Image:
        black, white = self._options.output_range
        values = (answer - np.float32(black)) / np.float32(white - black)
        return srgb_to_linear_float32(values) if self._options.output == "srgb" else np.maximum(values, 0)
