"""The ladder of batches on a device whose memory is short."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from relight_assets.errors import DeviceFailedError, DeviceOomError, DeviceOutOfMemoryError
from relight_assets.models.segmenters.batching import Segmentation

LARGE = 200


class SmallDevice:
    """Holds batches of such a size, and no large image at all; the answer is the image's first value."""

    def __init__(self, holds: int):
        self.holds = holds
        self.asked: list[int] = []

    def masks(self, images: Sequence[Any], batch: int) -> list[Any]:
        assert len(images) <= batch
        self.asked.append(batch)
        if batch > self.holds or any(image.shape[0] == LARGE for image in images):
            raise DeviceOutOfMemoryError("tried to allocate 2.0 GiB")
        return [image[0, 0, 0] for image in images]


def images(count: int, large: int | None = None) -> list[Any]:
    return [np.full((LARGE if n == large else 64, 64, 3), n, np.uint8) for n in range(count)]


@pytest.mark.parametrize(("holds", "kept"), [(8, 8), (7, 4), (4, 4), (3, 2), (1, 1)])
def test_the_batch_is_halved_until_it_fits_and_stays_so(holds: int, kept: int) -> None:
    reported: list[int] = []
    device = SmallDevice(holds)
    segmentation = Segmentation(device, 8, reported.append)
    assert [int(answer) for answer in segmentation(images(8))] == list(range(8))
    assert segmentation.batch == kept
    assert reported[-1:] == ([kept] if kept < 8 else [])
    device.asked.clear()
    assert [int(answer) for answer in segmentation(images(8))] == list(range(8))
    assert device.asked == [kept] * (8 // kept)


def test_an_image_that_does_not_fit_alone_fails_alone_and_the_batch_is_not_to_blame() -> None:
    reported: list[int] = []
    segmentation = Segmentation(SmallDevice(8), 8, reported.append)
    answers = segmentation(images(8, large=5))
    assert isinstance(answers[5], DeviceOomError)
    assert "64x200" in str(answers[5])
    assert "tried to allocate" in str(answers[5])
    assert [int(answer) for n, answer in enumerate(answers) if n != 5] == [0, 1, 2, 3, 4, 6, 7]
    assert int(Segmentation(SmallDevice(8), 8)(images(1))[0]) == 0
    assert segmentation(images(8))[7] == 7
    assert segmentation.batch >= 4


def test_a_device_that_holds_nothing_fails_every_image_and_does_not_hang() -> None:
    answers = Segmentation(SmallDevice(0), 4)(images(5))
    assert [type(answer) for answer in answers] == [DeviceOomError] * 5


def test_more_images_than_a_batch_are_asked_for_in_turns() -> None:
    device = SmallDevice(8)
    assert len(Segmentation(device, 3)(images(8))) == 8
    assert device.asked == [3, 3, 3]


def test_a_batch_that_is_not_full_is_to_blame_all_the_same() -> None:
    reported: list[int] = []
    segmentation = Segmentation(SmallDevice(2), 8, reported.append)
    assert [int(answer) for answer in segmentation(images(1))] == [0]
    assert (segmentation.batch, reported[-1]) == (2, 2)


def test_a_broken_device_is_not_asked_again() -> None:
    class Broken:
        def masks(self, *_: object) -> list[Any]:
            raise DeviceFailedError("device-side assert triggered")

    with pytest.raises(DeviceFailedError):
        Segmentation(Broken(), 4)(images(4))
