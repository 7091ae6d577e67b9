"""Photos that end before their last row, and the borders and backgrounds that only look so."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from relight_assets.errors import IncompletePhotoError
from relight_assets.imaging.decode import decode
from relight_assets.imaging.truncation import require_complete
from relight_assets_tests.imaging.sample_images import saved

Pixels = NDArray[np.uint8]
COLORS = {"gray": (128, 128, 128), "black": (0, 0, 0), "white": (255, 255, 255), "the last one": (37, 90, 12)}


@pytest.fixture(scope="module")
def photo() -> Pixels:
    path = Path(pytest.importorskip("skimage").__file__).with_name("data") / "coffee.png"
    return np.asarray(Image.open(path).convert("RGB").resize((512, 512)))


def ended(photo: Pixels, share: float, color: tuple[int, int, int], step: int = 16) -> Pixels:
    """The photo without its lower part; of the last row of blocks, the first third is there."""
    made = photo.copy()
    start = int(len(made) * (1 - share)) // 16 * 16
    made[start:] = color
    made[start - step : start, made.shape[1] // 3 :] = color
    return made


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("share", [0.12, 0.3, 0.85])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "scaled"])
def test_a_photo_that_ends_early_is_rejected(
    color: str, share: float, kind: str, photo: Pixels, put: Callable[[bytes], Path]
) -> None:
    made = ended(photo, share, COLORS[color])
    if kind == "scaled":
        made, kind = cv2.resize(made, (400, 400), interpolation=cv2.INTER_AREA), "PNG"
    with pytest.raises(
        IncompletePhotoError, match=r"'photo.jpg': The lower \d+% of the photo is one plain"
    ) as reported:
        decode(put(saved(made, kind)))
    assert (reported.value.code, reported.value.rejected, reported.value.retryable) == ("incomplete_photo", True, False)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_missing_is_the_end_of_the_file_however_it_is_turned(
    orientation: int, photo: Pixels, put: Callable[[bytes], Path]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode(put(saved(photo, "PNG", exif=exif))).rgb.shape == photo.shape
    with pytest.raises(IncompletePhotoError):
        decode(put(saved(ended(photo, 0.3, (128, 128, 128)), "PNG", exif=exif)))


def test_a_photo_with_alpha_may_end_early_too(photo: Pixels, put: Callable[[bytes], Path]) -> None:
    alpha = np.full((*photo.shape[:2], 1), 255, np.uint8)
    alpha[300:] = 0
    with pytest.raises(IncompletePhotoError):
        decode(put(saved(np.dstack([photo, alpha]), "PNG")))
    alpha[:, :200] = 0  # a cut-out
    assert decode(put(saved(np.dstack([photo, alpha]), "PNG"))).rgb.shape == photo.shape


def frames(photo: Pixels, color: int) -> dict[str, Pixels]:
    """Whole images that are plain at the bottom."""
    height, width = photo.shape[:2]
    oval = cv2.ellipse(np.zeros((height, width), np.uint8), (width // 2, 200), (230, 180), 0, 0, 360, 1, -1)
    bust = np.full_like(photo, color)
    bust[100:360, 20:-20] = photo[100:360, 20:-20]
    fade = np.clip(np.linspace(2, -1.5, height), 0, 1)[:, None, None]

    def padded(top: int, bottom: int, left: int, right: int) -> Pixels:
        return np.pad(photo, ((top, bottom), (left, right), (0, 0)), constant_values=color)

    return {
        "letterbox": padded(60, 60, 0, 0),
        "letterbox, other black above": np.vstack([np.full_like(photo[:60], min(color + 4, 255)), padded(0, 60, 0, 0)]),
        "frame, thick below": padded(20, 120, 20, 20),
        "below and at the right": padded(0, 80, 0, 300),
        "below and at the left": padded(0, 80, 300, 0),
        "cut out": np.where(oval[..., None] > 0, photo, np.uint8(color)),
        "a bust before a plain background": bust,
        "faded out": (photo * fade + color * (1 - fade)).astype(np.uint8),
        "a thin border": padded(0, 12, 0, 0),
        "one colour": np.full_like(photo, color),
        "two colours": np.vstack([np.full_like(photo, color), np.full_like(photo, 100)]),
    }


@pytest.mark.parametrize("color", [0, 128, 255])
@pytest.mark.parametrize("name", frames(np.zeros((512, 512, 3), np.uint8), 0))
def test_borders_and_plain_backgrounds_are_no_missing_parts(name: str, color: int, photo: Pixels) -> None:
    made = frames(photo, color)[name]
    for each in (made, np.asarray(Image.open(_jpeg(made)))):
        require_complete(np.ascontiguousarray(each))


def _jpeg(pixels: Pixels) -> str:
    import io

    return io.BytesIO(saved(pixels, "JPEG", quality=60))  # type: ignore[return-value]


def test_a_gobo_may_be_plain(photo: Pixels, put: Callable[[bytes], Path]) -> None:
    made = ended(photo, 0.5, (0, 0, 0))
    np.testing.assert_array_equal(decode(put(saved(made, "PNG")), photo=False).rgb, made)
