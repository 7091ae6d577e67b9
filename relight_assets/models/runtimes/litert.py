"""One LiteRT network on one CPU thread: arrays in, arrays out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relight_assets.errors import ModelFileError


@contextmanager
def _native_silence() -> Iterator[None]:
    # The runtime greets from C++ on stderr, in the middle of progress bars; what goes wrong it raises.
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


class Network:
    """A ``.tflite`` file that is loaded once and run image by image.

    One thread, because a run keeps one worker per device busy anyway, and because the sum of a
    dot product then does not depend on how many cores a machine has.  An instance must not be
    called from two threads at once.
    """

    def __init__(self, path: Path) -> None:
        """Load ``path``.  Raises :class:`ModelFileError` when LiteRT cannot read it."""
        # Inside, not above: the runtime takes a fifth of a second to import and most commands need no model.
        from ai_edge_litert.interpreter import Interpreter

        try:
            with _native_silence():
                self._interpreter = Interpreter(model_path=str(path), num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFileError(
                f"{path}: LiteRT cannot load this model ({error}); run 'relight models fetch' to replace it."
            ) from error
        (entry,) = self._interpreter.get_input_details()
        self._input: int = entry["index"]
        self._outputs: list[int] = [each["index"] for each in self._interpreter.get_output_details()]
        self.shape: tuple[int, ...] = tuple(int(side) for side in entry["shape"])
        """Shape of the input, batch first: (1, height, width, 3)."""

    def __call__(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run on one (height, width, 3) float32 image and return copies of all outputs, flat."""
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(image[None], dtype=np.float32))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index).ravel() for index in self._outputs]
