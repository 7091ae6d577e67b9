"""What the backends share: padding, and errors of the device distinguished."""

from typing import Any

import numpy as np
import pytest

from relight_assets.errors import DeviceFailedError, DeviceOutOfMemoryError
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter

torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("torchvision", reason="the SAM3 environment (make test-sam3) is not installed")

IMAGES = [np.full((50, 40, 3), value, np.uint8) for value in (0, 128, 255)]


class Brightness(PromptedSegmenter):
    """One candidate per image: everything, as probable as the image is bright."""

    def __init__(self) -> None:
        super().__init__(side=8, min_score=0.0, persons="largest")
        self.seen: list[tuple[int, ...]] = []

    def candidates(self, squares: Any) -> tuple[Any, Any]:
        self.seen.append(tuple(squares.shape))
        brightness = squares.mean(dim=(1, 2, 3))
        return (brightness[:, None] + 1) / 2, (brightness * 20)[:, None, None, None].expand(-1, 1, 4, 4)


def test_batches_are_always_full_and_the_filling_is_not_answered() -> None:
    segmenter = Brightness()
    masks = segmenter.masks(IMAGES, 2)
    assert segmenter.seen == [(2, 3, 8, 8)] * 2
    assert [mask.best_score for mask in masks] == pytest.approx([0, 0.5, 1], abs=0.01)
    assert [round(float(mask.probability[0, 0])) for mask in masks] == [0, 1, 1]
    assert {mask.probability.shape for mask in masks} == {(50, 40)}
    assert {mask.cells for mask in masks} == {(4, 4)}


class Failing(Brightness):
    def __init__(self, fail: Any) -> None:
        super().__init__()
        self._fail = fail

    def candidates(self, squares: Any) -> tuple[Any, Any]:
        self._fail()
        return super().candidates(squares)


def raises(error: Exception) -> Any:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.empty(1 << 60, dtype=torch.uint8),  # a real one: no machine has an exabyte
        raises(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")),
        raises(RuntimeError("CUDA error: out of memory")),
        raises(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED, memory")),
    ],
)
def test_too_little_memory_is_reported_as_such(fail: Any) -> None:
    with pytest.raises(DeviceOutOfMemoryError, match="memory") as caught:
        Failing(fail).masks(IMAGES, 4)
    assert caught.value.__context__ is None  # or its frames would keep what does not fit


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: an illegal memory access was encountered",
        "CUDA driver error: unspecified launch failure",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`",
    ],
)
def test_an_error_that_outlasts_the_call_is_reported_as_such(text: str) -> None:
    with pytest.raises(DeviceFailedError) as caught:
        Failing(raises(RuntimeError(text))).masks(IMAGES, 4)
    assert str(caught.value) == text.split("\n", maxsplit=1)[0]


def test_what_onednn_says_where_a_cpu_has_no_memory_is_known() -> None:
    with pytest.raises(DeviceOutOfMemoryError):
        Failing(raises(RuntimeError("could not create a primitive"))).masks(IMAGES, 4)


def test_a_fault_of_the_code_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Failing(lambda: torch.zeros(2, 3) @ torch.zeros(2, 3)).masks(IMAGES, 4)


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (lambda: torch.empty(1 << 60, dtype=torch.uint8), DeviceOutOfMemoryError),
        (raises(RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable")), DeviceFailedError),
    ],
)
def test_a_network_that_cannot_be_brought_to_the_device_is_reported_in_a_sentence(
    fail: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=r"cannot be loaded onto the device: .*relight doctor"), Brightness().loading():
        fail()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), Brightness().loading():
        torch.zeros(2, 3) @ torch.zeros(2, 3)
