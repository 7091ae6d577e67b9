"""The images of one image in memory: each is made or read once, and what was read is the recorded file."""

import errno
import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.tombstones import NO_TOMBSTONES
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.worker.artifacts import DamagedFileError, ImageArtifacts, segment_together
from relight_assets.errors import DeviceFailedError, DeviceOomError, HostLimitError, SourceMissingError
from relight_assets.imaging.png import encode_png
from relight_assets.stages.masks.person_mask import PersonMask
from relight_assets.storage.files import FileStamp

NOBODY = PersonMask(np.zeros((4, 4), np.float32))
SOMEBODY = PersonMask(np.ones((4, 4), np.float32))


class Segmenter:
    """Gives the answers that it was given, in turn, or raises an error."""

    def __init__(self, *answers: Any, error: Exception | None = None) -> None:
        self.answers, self.error = list(answers), error
        self.asked: list[int] = []

    def __call__(self, images: Sequence[Any]) -> list[Any]:
        self.asked.append(len(images))
        if self.error is not None:
            raise self.error
        return [self.answers.pop(0) for _ in images]


@pytest.fixture
def layout(tmp_path: Path) -> SplitLayout:
    (tmp_path / "out").mkdir()
    return SplitLayout(tmp_path / "out")


def photo_of(number: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(number).integers(0, 256, (72, 64, 3), np.uint8)


def artifacts(layout: SplitLayout, segmenter: Segmenter, number: int = 0) -> ImageArtifacts:
    """Of one photo, with a clock that goes on by one second each time it is looked at."""
    photo = layout.folder.parent / f"{number}.png"
    if not photo.exists():
        cv2.imwrite(str(photo), photo_of(number))
    seconds: Iterator[int] = count()
    context = SimpleNamespace(
        layout=layout,
        recipe=Recipe(),
        max_pixels=10_000,
        image_root=None,
        segmentation=segmenter,
        shape_estimator=None,
        tombstones=NO_TOMBSTONES,
        clock=lambda: float(next(seconds)),
    )
    return ImageArtifacts(context, WorkItem(number, photo.name, str(photo), ("masks",)))  # type: ignore[arg-type]


def stamp_of(layout: SplitLayout, pixels: np.ndarray[Any, Any]) -> dict[str, FileStamp]:
    return {"albedo": layout.storage.put_stamped(layout.png(0, "albedo"), encode_png(pixels))}


def test_the_source_is_decoded_once_and_timed(layout: SplitLayout) -> None:
    made = artifacts(layout, Segmenter(NOBODY), 7)
    assert made.ahead is None
    first = made.decoded()
    assert np.array_equal(first.rgb, photo_of(7)[..., ::-1])
    Path(layout.folder.parent / "7.png").unlink()
    assert made.decoded() is made.ahead is first
    assert made.timings == {"decode": 1000.0}


def test_a_source_that_cannot_be_decoded_is_tried_once_and_fails_each_time(layout: SplitLayout) -> None:
    made = artifacts(layout, Segmenter(NOBODY), 7)
    photo = layout.folder.parent / "7.png"
    content = photo.read_bytes()
    photo.unlink()
    for _ in range(2):
        with pytest.raises(SourceMissingError):
            made.decoded()
        photo.write_bytes(content)  # too late: stages of one image see one photo
    assert made.ahead is None
    assert made.timings == {"decode": 1000.0}


def test_the_segmenter_is_asked_once_for_an_image(layout: SplitLayout) -> None:
    segmenter = Segmenter(SOMEBODY, NOBODY)
    made = artifacts(layout, segmenter)
    assert made.person() is made.person() is SOMEBODY
    assert segmenter.asked == [1]
    assert made.timings.keys() == {"decode", "segment"}


def test_an_image_that_the_device_does_not_hold_raises_whenever_it_is_asked_for(layout: SplitLayout) -> None:
    segmenter = Segmenter(DeviceOomError("too large"), SOMEBODY)
    pair = [artifacts(layout, segmenter, number) for number in (1, 2)]
    segment_together(pair)
    for _ in range(2):
        with pytest.raises(DeviceOomError, match="too large"):
            pair[0].person()
    assert pair[1].person() is SOMEBODY


def test_an_artifact_is_read_once_and_only_as_it_was_recorded(layout: SplitLayout) -> None:
    pixels = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)
    stamps = stamp_of(layout, pixels)
    made = artifacts(layout, Segmenter(NOBODY))
    assert np.array_equal(made.read("albedo", stamps), pixels)
    layout.png(0, "albedo").unlink()
    assert np.array_equal(made.read("albedo", stamps), pixels)


@pytest.mark.parametrize("damage", ["other bytes", "longer", "shorter", "gone", "a folder"])
def test_a_file_that_is_not_the_recorded_one_is_named_with_its_stage(layout: SplitLayout, damage: str) -> None:
    stamps = stamp_of(layout, np.zeros((8, 6, 3), np.uint8))
    path = layout.png(0, "albedo")
    content = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "gone":
        path.write_bytes(
            {"other bytes": bytes(len(content)), "longer": content + b"x", "shorter": content[:-1]}[damage]
        )
    with pytest.raises(DamagedFileError) as caught:
        artifacts(layout, Segmenter(NOBODY)).read("albedo", stamps)
    assert caught.value.stage == "albedo"


def test_what_was_made_now_is_not_read(layout: SplitLayout) -> None:
    made = artifacts(layout, Segmenter(NOBODY))
    pixels = np.ones((8, 6, 3), np.uint8)
    made.keep("albedo", pixels)
    assert made.read("albedo", {}) is pixels


def test_images_whose_sources_are_decoded_share_one_call_and_its_time(layout: SplitLayout) -> None:
    segmenter = Segmenter(SOMEBODY, NOBODY)
    pair = [artifacts(layout, segmenter, number) for number in (1, 2)]
    for each in pair:
        each.decoded()
    segment_together(pair)
    assert segmenter.asked == [2]
    assert [each.person() for each in pair] == [SOMEBODY, NOBODY]
    assert [each.timings["segment"] for each in pair] == [500.0, 500.0]


def test_after_an_error_each_image_asks_again_alone(layout: SplitLayout) -> None:
    segmenter = Segmenter(SOMEBODY, NOBODY, error=ValueError("one of them is odd"))
    pair = [artifacts(layout, segmenter, number) for number in (1, 2)]
    segment_together(pair)
    assert [each.mask for each in pair] == [None, None]
    segmenter.error = None
    assert [each.person() for each in pair] == [SOMEBODY, NOBODY]
    assert segmenter.asked == [2, 1, 1]


def test_a_device_that_is_broken_ends_the_worker(layout: SplitLayout) -> None:
    with pytest.raises(DeviceFailedError):
        segment_together([artifacts(layout, Segmenter(error=DeviceFailedError("device-side assert")))])


def test_a_host_that_opens_no_more_files_is_no_damage(layout: SplitLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = stamp_of(layout, np.zeros((8, 6, 3), np.uint8))

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(HostLimitError):
        artifacts(layout, Segmenter(NOBODY)).read("albedo", stamps)
