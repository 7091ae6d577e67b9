"""What every network of depth or normals answers, and the one that is an ONNX file."""

from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.networks import ShapeNetwork
from relight_assets.core.color import srgb_to_linear_float32
from relight_assets.errors import ModelAnswerError
from relight_assets.models.networks.dense import DenseNetwork

Kind = Literal["depth", "normals"]


class ShapeEstimator(Protocol):
    """A network that says how far each point of an image is, or which way it faces."""

    def estimate(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The shape of everything in an image.

        Args:
            rgb: (H, W, 3) uint8 sRGB.

        Returns:
            Depth (h, w) float32 of any scale, or normals (h, w, 3) float32 of any length above 0, finite, of
            any size; in the network's own axes.

        Raises:
            ModelAnswerError: the network gives nothing for this image.
        """


class OnnxShape:
    """A :class:`ShapeEstimator` in an ONNX file; it answers with one channel of depth, or with x, y and z."""

    def __init__(self, path: Path, kind: Kind, options: ShapeNetwork, sha256: str | None = None) -> None:
        """Load ``path`` and try it.

        Raises:
            ModelFileError: it cannot be read, is another file, or no network of this kind.
        """
        self._kind, self._path, self._options = kind, path, options
        self._network = DenseNetwork(path, options, channels=(1,) if kind == "depth" else (3,), sha256=sha256)

    def estimate(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See :meth:`ShapeEstimator.estimate`."""
        height, width = self._options.sides(*rgb.shape[:2])
        shrinks = height * width < rgb.shape[0] * rgb.shape[1]
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        answer = self._network(srgb_to_linear_float32(small.astype(np.float32) / 255))
        if self._kind == "depth":
            return answer[..., 0]
        length = np.sqrt(np.square(answer).sum(axis=-1, keepdims=True))
        if float(np.median(length)) < 1e-3:
            raise ModelAnswerError(f"{self._path.name} answers with normals of no length")
        return answer / np.maximum(length, np.float32(1e-3))
