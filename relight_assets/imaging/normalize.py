"""From what a decoder gives to upright 8-bit sRGB: bit depth, palette, alpha, colour profile, EXIF.

Everything here is for the sake of one promise: two files that look the same in an image viewer give
the same image.
"""

import functools
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms

from relight_assets.errors import ImageFormatError
from relight_assets.imaging.color_profiles import SRGB, is_made

GRAY = 128
"""What shows through where the source is transparent, 8-bit sRGB."""

BIT_DEPTH = "relight_bit_depth"
"""Key in ``Image.info`` for the bits per sample that a PNG's header states."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_PROFILE_CLASSES = frozenset({"scnr", "mntr", "prtr", "spac"})
_IDENTITY_TOLERANCE = 2


def upright_rgb(image: Image.Image, profiles: Sequence[bytes]) -> Image.Image:
    """The image as it should be seen: mode RGB, sRGB, opaque, upright.

    Bit depth: of 16-bit samples the high byte is taken, as libpng does (PNG, section 13.12): 8-bit
    images that were widened, by 257 or by 256, come back exactly.  Alpha is straight and is
    composited over gray 128, rounded to nearest.  The first colour profile that fits the pixels is applied
    (relative colorimetric, black point compensation), one that does not fit or is broken is ignored,
    and so is a broken EXIF block.  CMYK without a profile is taken as (1-c)(1-k).

    Args:
        image: an image that has been loaded whole.  It may be changed.
        profiles: what its file declares, as :mod:`~relight_assets.imaging.color_profiles` has it.

    Raises:
        ImageFormatError: a pixel layout that has no one meaning as 8-bit sRGB (float, signed, Lab).
    """
    turn = _TURNS.get(orientation(image))
    color, alpha = _split_alpha(image)
    opaque = _over_gray(_to_srgb(color, profiles), alpha)
    return opaque if turn is None else opaque.transpose(turn)


def stored(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A view of an upright image in the order of its file's rows, which is undone by ``orientation``."""
    turned = np.swapaxes(rgb, 0, 1) if orientation >= 5 else rgb
    return turned[:: -1 if orientation in {3, 4, 6, 7} else 1, :: -1 if orientation in {2, 3, 7, 8} else 1]


def orientation(image: Image.Image) -> int:
    """The EXIF orientation 1..8 (EXIF 2.3, tag 0x0112) that is still to be applied; 1 for none.

    Pillow applies a TIFF's own tag while it loads, so for TIFF this is always 1.
    """
    data = image.info.get("exif")
    if image.format == "TIFF" or not isinstance(data, bytes):
        return 1
    exif = Image.Exif()
    try:
        exif.load(data)
        value = exif.get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - the parser raises anything; broken EXIF must not cost the image
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    # The colour in mode L, RGB or CMYK, and the alpha in mode L where there is any.
    key = image.info.get("transparency")
    mode = image.mode
    if mode.startswith("I;16"):
        return _gray16(image, key)
    if mode in {"LA", "RGBA", "PA"}:
        alpha = image.getchannel("A")
        return (image.getchannel("L") if mode == "LA" else image.convert("RGB")), alpha
    if mode == "P":
        # Palettes of gray are taken as RGB too: a profile of theirs is an RGB profile (PNG, 11.3.2.3).
        return image.convert("RGB"), (image.convert("RGBA").getchannel("A") if key is not None else None)
    if mode in {"1", "L"}:
        gray = image.convert("L")
        return gray, (gray.point(_keyed(_widened(image, key))) if isinstance(key, int) else None)
    if mode == "RGB":
        return image, (_rgb_alpha(image, key) if isinstance(key, tuple) else None)
    if mode == "CMYK":
        return image, None
    if mode in {"YCbCr", "RGBX"}:
        return image.convert("RGB"), None
    raise ImageFormatError(f"The pixel layout {mode!r} is not taken. Save the image as 8-bit RGB.")


def _gray16(image: Image.Image, key: Any) -> tuple[Image.Image, Image.Image | None]:
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        # Pillow gives 12-bit samples unscaled and "white is zero" uninverted in this mode.
        if tags.get(258) != (16,) or tags.get(262) != 1:
            raise ImageFormatError("This kind of gray TIFF is not taken. Save the image as 8-bit RGB.")
    samples = np.asarray(image)
    gray = Image.fromarray((samples >> 8).astype(np.uint8))
    if not isinstance(key, int):
        return gray, None
    return gray, Image.fromarray(np.where(samples == key, 0, 255).astype(np.uint8))


def _keyed(key: int) -> list[int]:
    return [0 if level == key else 255 for level in range(256)]


def _widened(image: Image.Image, key: int) -> int:
    # Pillow widens 2- and 4-bit samples to 8 bits, and leaves the transparent gray as it was.
    bits = image.info.get(BIT_DEPTH, 8)
    return (key & ((1 << bits) - 1)) * (255 // ((1 << bits) - 1)) if bits in {2, 4} else key


def _rgb_alpha(image: Image.Image, key: tuple[int, ...]) -> Image.Image:
    if image.info.get(BIT_DEPTH) == 16:
        # The key compares 16-bit samples, and the decoder has dropped their low bytes.
        raise ImageFormatError("16-bit RGB with a transparent colour is not taken. Save it with alpha.")
    matches = [channel.point(_keyed(level)) for channel, level in zip(image.split(), key, strict=True)]
    return ImageChops.lighter(ImageChops.lighter(matches[0], matches[1]), matches[2])


def _over_gray(color: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return color
    canvas = Image.new("RGB", color.size, (GRAY, GRAY, GRAY))
    canvas.paste(color, mask=alpha)  # (c * a + 128 * (255 - a)) / 255, to nearest
    return canvas


def _to_srgb(color: Image.Image, profiles: Sequence[bytes]) -> Image.Image:
    for profile in profiles:
        if color.mode == "L" and is_made(profile):
            color = color.convert("RGB")
        try:
            transform = _transform(profile, color.mode) if profile != SRGB else None
            changed = ImageCms.applyTransform(color, transform) if transform is not None else None
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError, SyntaxError):
            continue
        if changed is not None:
            return changed
        break
    return color if color.mode == "RGB" else color.convert("RGB")


@functools.lru_cache(maxsize=8)  # the images of a split come from a few cameras
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    # None for "leave the values alone": sRGB under any name.  ValueError and others for one that does not fit.
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE  # without a cache: thread-safe
    source = ImageCms.getOpenProfile(io.BytesIO(profile))
    if source.profile.xcolor_space != _PROFILE_SPACES[mode]:
        raise ValueError(source.profile.xcolor_space)
    if source.profile.device_class.strip() not in _PROFILE_CLASSES:
        raise ValueError(source.profile.device_class)
    srgb = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, srgb, mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, flags)
    return None if _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    # Names of profiles lie and their bytes differ between makers, so sRGB is known by what it does.
    if mode == "CMYK":
        return False
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    probe = Image.fromarray(grid if mode == "RGB" else np.ascontiguousarray(grid[..., 0]))
    changed = ImageCms.applyTransform(probe, transform)
    if changed is None:
        return True
    before = np.asarray(probe.convert("RGB"), dtype=np.int16)
    return int(np.abs(before - np.asarray(changed, dtype=np.int16)).max()) <= _IDENTITY_TOLERANCE
