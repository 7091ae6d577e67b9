"""One ONNX network on one CPU thread: an image in, a map out.

It is run by ONNX Runtime, which comes with the extra ``onnx``.  OpenCV, which is there anyway, reads such files too,
but its 5.0 dies on transformers as PyTorch exports them.
"""

import functools
import importlib.util
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight_assets.core.hashing import sha256_hex
from relight_assets.errors import ModelAnswerError, ModelFileError, ModelLimitError

CHANNELS = 3
INSTALL = (
    "install relight_assets with its extra `onnx` (in a checkout: pip install -c constraints.txt -e '.[onnx]'); "
    "docs/models.md"
)
_NOWHERE = "/nonexistent"
MAX_MEMORY = 4 << 30
"""Bytes that all networks of a process may have at a time beside their weights.  Those that docs/models.md names take
less than 2 GiB for 1024 x 1024 pixels; a network that answers in absurd sizes would take what the machine has."""
_OUT_OF_MEMORY = re.compile("allocate memory|Available memory|bad_alloc|bad allocation")
MAX_S = 600.0
"""Seconds for one image.  A loop in a network may have no end."""
MAX_ENLARGED, MAX_CHANNELS = 8, 64
"""How many times as high or wide as the image an answer may be, and its channels."""


class Network:
    """A ``.onnx`` file that is loaded once and run image by image, from any number of threads.

    It has one input, float32 of 1 x 3 x height x width, R first; of its outputs the first counts.  Each call
    computes on the thread that makes it, so that the bytes do not depend on how many there are.
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        """Load ``path``.

        Raises:
            ModelFileError: it cannot be read, has another sha256 than the given one, or is no network of this
                kind; or ONNX Runtime is not installed.
        """
        self.path = path
        if importlib.util.find_spec("onnxruntime") is None:
            raise ModelFileError(f"{path}: networks in ONNX files need onnxruntime, which is not installed: {INSTALL}")
        # Inside, not above: only who brings a network along has it.
        import onnxruntime

        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelFileError(f"the network {path} cannot be read: {error.strerror}") from error
        if sha256 is not None and (found := sha256_hex(data)) != sha256:
            raise ModelFileError(f"the network {path} has sha256 {found}, but {sha256} is wanted; get it again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4  # what goes wrong it raises
        _limit_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        # Weights in another file would be weights that nobody looked at.
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NOWHERE)
        try:
            # From what was just checked, not from the path: nothing can come between.
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's errors have no base of their own
            raise ModelFileError(
                f"{path}: ONNX Runtime cannot load this network ({_reason(error)}); it must be one whole ONNX file, "
                f"with all weights inside"
            ) from error
        self._name, self._sides = self._input()
        self._first = [each.name for each in self._session.get_outputs()[:1]]

    def _input(self) -> tuple[str, list[int | None]]:
        inputs = self._session.get_inputs()
        shapes = [[side if isinstance(side, int) and side > 0 else None for side in each.shape] for each in inputs]
        fits = len(inputs) == 1 and len(shapes[0]) == 4 and inputs[0].type == "tensor(float)"
        if not fits or shapes[0][0] not in {1, None} or shapes[0][1] not in {CHANNELS, None}:
            listed = ", ".join(f"{each.name} {each.type} {list(each.shape)}" for each in inputs) or "none"
            raise ModelFileError(
                f"{self.path}: one float32 input of 1 x 3 x height x width is needed; its inputs are: {listed}"
            )
        return inputs[0].name, shapes[0][2:]

    def require_size(self, height: int, width: int) -> None:
        """See that it takes images of a size.

        Raises:
            ModelFileError: it takes one other size alone.
        """
        for wanted, given, side in zip(self._sides, (height, width), ("height", "width"), strict=True):
            if wanted is not None and wanted != given:
                raise ModelFileError(
                    f"{self.path} takes images of {side} {wanted} alone, and the recipe gives it {given}; set "
                    f"`size: {max(each or 0 for each in self._sides)}` and `square: true` for a network of one square "
                    f"size, or export it with free sides"
                )

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run on one (height, width, 3) float32 image.

        Returns:
            (channels, height, width) float32; an output without channels has one.

        Raises:
            ModelFileError: it takes no image of this size.
            ModelLimitError: it takes more than ``MAX_MEMORY``, with no other network at work, or ``MAX_S``.
            ModelAnswerError: it fails; or what it answers is no such map, is absurdly large, or holds NaN or infinity.
        """
        self.require_size(*image.shape[:2])
        given = np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32)
        try:
            with _TURNS.turn(alone=False):
                answer = self._answer(given)
        except MemoryError:
            # The others' share may have been missing: what fits does not depend on who else is at work.
            with _TURNS.turn(alone=True):
                answer = self._last_answer(given)
        shape = answer.shape
        if answer.ndim == 4 and shape[0] == 1:
            answer = answer[0]
        if answer.ndim != 3 or 0 in answer.shape or answer.dtype.kind != "f":
            raise ModelAnswerError(
                f"{self.path.name} answers with {answer.dtype} of the shape {shape}; floating point of 1 x channels x "
                f"height x width is needed"
            )
        largest = (MAX_CHANNELS, *(MAX_ENLARGED * side for side in image.shape[:2]))
        if any(side > most for side, most in zip(answer.shape, largest, strict=True)):
            raise ModelAnswerError(
                f"{self.path.name} answers an image of {image.shape[1]}x{image.shape[0]} with the shape {shape}; "
                f"at most {MAX_CHANNELS} channels of {MAX_ENLARGED} times its size are taken"
            )
        answer = answer.astype(np.float32, copy=False)
        if not np.isfinite(answer).all():
            raise ModelAnswerError(f"{self.path.name} answers with NaN or infinity")
        return answer

    def _last_answer(self, given: NDArray[np.float32]) -> NDArray[Any]:
        try:
            return self._answer(given)
        except MemoryError as error:
            raise ModelLimitError(
                f"{self.path.name} wants more memory for an image of {given.shape[3]}x{given.shape[2]} than there is, "
                f"or than {MAX_MEMORY >> 30} GiB"
            ) from error

    def _answer(self, given: NDArray[np.float32]) -> NDArray[Any]:
        """What it answers.

        Raises:
            MemoryError: it does not fit beside the others that are at work.
            ModelLimitError: it took too long.
            ModelAnswerError: it fails.
        """
        import onnxruntime

        limits = onnxruntime.RunOptions()
        # Else the arena keeps a piece for every size of image there was, until nothing fits beside them.
        limits.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        clock = threading.Timer(MAX_S, setattr, (limits, "terminate", True))
        clock.daemon = True
        clock.start()
        try:
            # A copy, so that nobody holds on to the networks' own memory.
            return np.array(self._session.run(self._first, {self._name: given}, limits)[0])
        except Exception as error:
            size = f"an image of {given.shape[3]}x{given.shape[2]}"
            if limits.terminate:
                raise ModelLimitError(f"{self.path.name} has no answer for {size} after {MAX_S:g} s") from error
            if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
                raise MemoryError(str(error)) from error
            raise ModelAnswerError(f"{self.path.name} fails on {size} ({_reason(error)})") from error
        finally:
            clock.cancel()


class _Turns:
    """Several at a time, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work, self._wanted_alone = 0, 0

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait until nobody else is at work, if ``alone``; else until nobody is alone, or waits to be."""
        with self._changed:
            self._wanted_alone += alone
            self._changed.wait_for(lambda: not (self._at_work if alone else self._wanted_alone))
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._wanted_alone -= alone
                self._changed.notify_all()


_TURNS = _Turns()


@functools.cache
def _limit_memory() -> None:
    """Give all networks of this process one memory arena that ends at ``MAX_MEMORY``."""
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    as_requested = 1
    arena = onnxruntime.OrtArenaCfg({"max_mem": MAX_MEMORY, "arena_extend_strategy": as_requested})
    onnxruntime.create_and_register_allocator(place, arena)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
