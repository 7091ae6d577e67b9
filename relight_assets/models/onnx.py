"""One ONNX network on one CPU thread: a picture in, a map out.

It is run by the `dnn` module of OpenCV 5, which is there anyway: its graph engine takes convolutional networks and
transformers, at any size, and was within 1e-6 of ONNX Runtime on both.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.errors import ModelAnswerError, ModelFileError
from relight_assets.models.onnx_graph import FLOAT32, read_graph

CHANNELS = 3


class Network:
    """A ``.onnx`` file that is loaded once and run picture by picture.

    It has one input, float32 of 1 x 3 x height x width, R first; of its outputs the first counts.  An instance must not
    be called from two threads at once; one thread computes, so that the bytes do not depend on how many there are.
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        """Load ``path``.

        Raises:
            ModelFileError: it cannot be read, has another sha256 than the given one, or is no network of this kind.
        """
        self.path = path
        if not hasattr(cv2.dnn, "ENGINE_NEW") or int(cv2.__version__.split(".")[0]) < 5:
            raise ModelFileError(f"{path}: networks in ONNX files need OpenCV 5, and this is {cv2.__version__}")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelFileError(f"the network {path} cannot be read: {error.strerror}") from error
        if sha256 is not None and (found := hashlib.sha256(data).hexdigest()) != sha256:
            raise ModelFileError(f"the network {path} has sha256 {found}, but {sha256} is wanted; get it again")
        self._sides = _sides(path, data)
        try:
            # From what was just checked, not from the path: nothing can come between.
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8), engine=cv2.dnn.ENGINE_NEW)
        except cv2.error as error:
            raise ModelFileError(f"{path}: OpenCV cannot load this network ({_told(error)})") from error

    def require_size(self, height: int, width: int) -> None:
        """See that it takes pictures of a size.

        Raises:
            ModelFileError: it takes one other size alone.
        """
        for wanted, given, side in zip(self._sides, (height, width), ("height", "width"), strict=True):
            if wanted is not None and wanted != given:
                raise ModelFileError(
                    f"{self.path} takes pictures of {side} {wanted} alone, and the recipe gives it {given}; set "
                    f"`size: {max(w or 0 for w in self._sides)}`, `multiple: 1` and `square: true` for this network"
                )

    def __call__(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run on one (height, width, 3) float32 picture.

        Returns:
            (channels, height, width) float32, a copy; an output without channels has one.

        Raises:
            ModelFileError: it takes no picture of this size.
            ModelAnswerError: what it answers is no such map, or holds NaN or infinity.
        """
        self.require_size(*picture.shape[:2])
        try:
            self._net.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32))
            answer = np.array(self._net.forward(), dtype=np.float32)
        except cv2.error as error:
            height, width = picture.shape[:2]
            raise ModelFileError(f"{self.path} fails on a picture of {width}x{height} ({_told(error)})") from error
        shape = answer.shape
        if answer.ndim == 4 and shape[0] == 1:
            answer = answer[0]
        if answer.ndim != 3 or 0 in answer.shape:
            raise ModelAnswerError(
                f"{self.path.name} answers with the shape {shape}; 1 x channels x height x width is needed"
            )
        if not np.isfinite(answer).all():
            raise ModelAnswerError(f"{self.path.name} answers with NaN or infinity")
        return answer


def _sides(path: Path, data: bytes) -> tuple[int | None, int | None]:
    """Height and width that the network takes, None where any; ModelFileError where it is none of this kind."""
    try:
        graph = read_graph(data)
    except ValueError as error:
        raise ModelFileError(f"{path}: {error}") from error
    if not graph.self_contained:
        raise ModelFileError(f"{path} keeps weights in another file; export it with all of them inside")
    shapes = [each.shape for each in graph.inputs]
    fits = len(shapes) == 1 and len(shapes[0]) == 4 and graph.inputs[0].element == FLOAT32
    if not fits or shapes[0][0] not in {1, None} or shapes[0][1] not in {CHANNELS, None}:
        told = ", ".join(f"{e.name} {['any' if s is None else s for s in e.shape]}" for e in graph.inputs) or "none"
        raise ModelFileError(f"{path}: one float32 input of 1 x 3 x height x width is needed; its inputs are: {told}")
    return shapes[0][2], shapes[0][3]


def _told(error: cv2.error) -> str:
    return " ".join(str(getattr(error, "err", "") or error).split())[:200]
