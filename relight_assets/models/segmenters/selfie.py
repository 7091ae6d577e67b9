"""Which pixels are a person: the embedded segmenter.

MediaPipe Selfie Segmentation, general (model card "MediaPipe Selfie Segmentation", Apache-2.0).
It always marks something, on a cat or a cup too: whether there is a person at all is judged from
its answer by the masks stage.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.models.faces.detection import shrunk_by_whole
from relight_assets.models.files import ModelFiles
from relight_assets.models.runtimes.litert import Network
from relight_assets.stages.masks.person_mask import PersonMask

SIDE = 256


class SelfieSegmenter:
    """The probability of "person" for every cell of a 256 by 256 grid over a photo."""

    def __init__(self, path: Path) -> None:
        """Load ``selfie_segmentation.tflite``."""
        self._network = Network(path)

    def probability(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (256, 256) float32 in 0..1 for an (H, W, 3) uint8 image, which is squeezed to fit.

        The mean of the answers for the image and for its mirror image: its error
        against exact mattes is 11 to 18 % lower, for one more run of the network.
        """
        shown = squeezed(rgb) * np.float32(1 / 255)
        (straight,) = self._network(shown)
        (mirrored,) = self._network(shown[:, ::-1])
        both = straight.reshape(SIDE, SIDE) + mirrored.reshape(SIDE, SIDE)[:, ::-1]
        mean: NDArray[np.float32] = np.clip(both * np.float32(0.5), np.float32(0), np.float32(1))
        return mean

    def masks(self, images: Sequence[NDArray[np.uint8]], batch: int = 1) -> list[PersonMask]:  # noqa: ARG002
        """Return the answer of :meth:`probability` for each of some images, which may differ in size.

        This network takes one image at a time, whatever the ``batch``.
        """
        return [PersonMask(self.probability(rgb)) for rgb in images]


def make(_: Recipe, files: ModelFiles) -> SelfieSegmenter:
    """Load the segmenter; raises ModelFileError where its file is missing or altered."""
    return SelfieSegmenter(files.path_of("selfie_segmentation"))


def squeezed(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Squeeze an (H, W, 3) uint8 image into the network's input: (256, 256, 3) float32 in 0..255."""
    # By area on the way down, where it is a mean over all pixels; linear on the way up, where area
    # would repeat pixels as blocks.  Halving is several times quicker than the whole way at once, and
    # the last step is not rounded: half a level more or less moves the network's answer by tenths.
    while min(rgb.shape[:2]) >= 4 * SIDE and rgb.shape[0] % 2 == rgb.shape[1] % 2 == 0:
        rgb = shrunk_by_whole(rgb, 2)
    method = cv2.INTER_AREA if min(rgb.shape[:2]) >= SIDE else cv2.INTER_LINEAR
    few = rgb.size <= 3 * (4 * SIDE) ** 2
    return cv2.resize(rgb.astype(np.float32) if few else rgb, (SIDE, SIDE), interpolation=method).astype(np.float32)
