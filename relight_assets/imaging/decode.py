"""Decode a source photo safely.

A source is anything that a CSV names.  It is read once, identified by its content, measured by its header
before anything is decoded, and then either given whole or refused with a reason: never half an
image, never one frame out of many, never metadata that reaches an output.  Pillow decodes, for the
named format alone; but a PNG that has nothing in it except 8-bit RGB pixels is read as our own are,
which is quicker, and PNG being lossless gives the same image.
"""

import io
from collections.abc import Container
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from relight_assets.core.regular_files import AnyRoot, open_regular
from relight_assets.errors import ForgottenError, ImageCorruptError, ImageError, ImageFormatError, ImageSizeError
from relight_assets.imaging import color_profiles, jpeg, jpeg_parts, normalize, png, sniff
from relight_assets.imaging.truncation import require_complete
from relight_assets.storage.files import SourceInfo, read_source

MAX_PIXELS = 64_000_000
MIN_SIDE = 64
MAX_SIDE = 16384
_SPARE_BYTES = 64 << 20
_BAND = 512
_HEADER = 512
_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
"""What the decoder is given of a PNG.  Text, of which it would take 1 MB at most, and colour are left out."""
_OPENERS: dict[str, type[ImageFile]] = {
    # Not `Image.open`, whose limit on pixels is not ours: here a header is judged before anything is decoded.
    "BMP": BmpImagePlugin.BmpImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
}
# Of WebP and TIFF it is asked for all the same.
Image.MAX_IMAGE_PIXELS = MAX_SIDE * MAX_SIDE


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A source photo.

    Attributes:
        rgb: uint8 (H, W, 3), contiguous, sRGB, upright.
        source: what the file was, and its upright size before any downscale.
        verbatim: the file's own bytes where they are already what would be written for ``rgb``: an
            8-bit RGB PNG, not interlaced, of the chunks IHDR, IDAT and IEND alone, not downscaled.
    """

    rgb: NDArray[np.uint8]
    source: SourceInfo
    verbatim: bytes | None


def decode(
    path: Path,
    *,
    image_size: int | None = None,
    max_pixels: int = MAX_PIXELS,
    photo: bool = True,
    image_root: AnyRoot = None,
    forgotten: Container[str] = (),
) -> DecodedImage:
    """Read and decode a source photo: JPEG, PNG, WebP, BMP or TIFF, by content.

    Of a multi-image JPEG (MPO, what phones write) the first image is taken.

    Args:
        path: the file, from ``paths.resolve_image_path``.
        image_size: the longest side at most, in pixels; larger images are downscaled by area, the
            other side rounded to nearest (half up).  Never upscaled.  None leaves the size alone.
        max_pixels: the most pixels that are decoded.
        photo: whether it is a photo, of which the lower part must be there, or a drawing, which may be plain there.
        image_root: if set, a file that does not lie in it is not opened.
        forgotten: sha256 of files that are not decoded.

    Raises:
        ForgottenError: it is one of ``forgotten``.
        SourceMissingError, SourceUnreadableError, PathRefusedError: as ``files.read_source``.
        ImageFormatError: another format, more than one frame, or a pixel layout that is not taken.
        ImageSizeError: over ``max_pixels``, or a side outside 64..16384; judged before decoding.
        ImageCorruptError: damaged or cut off.
        IncompletePhotoError: rejected; its lower part is one plain colour.
    """
    # 8 bytes a pixel is the largest layout there is (16-bit RGBA), stored raw.
    data, stamp = read_source(path, max_bytes=8 * max_pixels + _SPARE_BYTES, image_root=image_root)
    if stamp.sha256 in forgotten:
        raise ForgottenError
    try:
        plain = data.startswith(png.SIGNATURE) and png.is_minimal_rgb(data)
        rgb, orientation = _decode_plain(data, max_pixels) if plain else _decode(data, max_pixels)
        if photo:
            require_complete(normalize.stored(rgb, orientation))
    except ImageError as error:
        raise type(error)(f"{path.name!r}: {error}") from error
    height, width = rgb.shape[:2]
    source = SourceInfo(stamp.sha256, stamp.size, stamp.token, width, height)
    smaller = _downscaled(rgb, image_size)
    return DecodedImage(smaller, source, data if plain and smaller is rgb else None)


def _decode_plain(data: bytes, max_pixels: int) -> tuple[NDArray[np.uint8], int]:
    _check_size(png.size_of(data), max_pixels)
    return png.decode_png(data), 1


def size_of(path: Path, image_root: AnyRoot = None) -> tuple[int, int]:
    """Width and height of an image by its header, unchecked; (0, 0) where that cannot be read.

    For planning alone: :func:`decode` says what is wrong with an image.
    """
    try:
        with open_regular(path, image_root) as file:
            start = file.read(_HEADER) or b""
            kind = sniff.image_format(start)
            if kind == "PNG":
                return png.size_of(start)
            if kind == "WEBP":
                return sniff.webp_size(start)
            file.seek(0)
            with _OPENERS[kind](file) as image:
                return image.size
    except Exception:  # noqa: BLE001  (Pillow's parsers raise whatever they trip over)
        return 0, 0


def _decode(data: bytes, max_pixels: int) -> tuple[NDArray[np.uint8], int]:
    """The upright pixels, and the EXIF orientation that was applied."""
    kind = sniff.image_format(data)
    parts = jpeg_parts.parts_of(data, partial(_check_size, max_pixels=max_pixels)) if kind == "JPEG" else None
    if kind == "WEBP":
        sniff.require_whole_webp(data)
        _check_size(sniff.webp_size(data), max_pixels)  # the decoder makes room for all of it as it is opened
    content = data[: parts.end] if parts else png.only(data, _PNG_CHUNKS) if kind == "PNG" else data
    try:
        with _OPENERS[kind](io.BytesIO(content)) as image:
            _check_size(image.size, max_pixels)
            _check_frames(image, kind)
            _check_compression(image)
            if parts and isinstance(image, JpegImagePlugin.JpegImageFile):
                jpeg.load(image, parts)
            image.load()
            image.info[normalize.BIT_DEPTH] = data[24] if kind == "PNG" else 8  # IHDR, byte 8
            profiles = _profiles(data, kind, image)
            return _array(normalize.upright_rgb(image, profiles)), normalize.orientation(image)
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, SyntaxError) and kind == "TIFF" and sniff.has_tiff_directory(data):
            raise ImageFormatError(
                "This kind of TIFF (float samples?) is not taken. Save the image as 8-bit RGB."
            ) from error
        # On damaged bytes Pillow's parsers raise whatever they trip over, from OSError to struct.error.
        raise ImageCorruptError(
            f"The {kind} cannot be decoded: the file is damaged or cut off, or of a very rare kind."
        ) from error


def _profiles(data: bytes, kind: str, image: ImageFile) -> tuple[bytes, ...]:
    """What the file declares of its colours."""
    if kind == "BMP":
        return color_profiles.of_bmp(data)
    if kind == "PNG":
        found: dict[bytes, bytes] = {}
        for name, content in png.chunks(data, pixels_only=True):
            if name in {b"PLTE", b"IDAT"}:
                break  # what comes later counts for nothing
            if name in color_profiles.COLOR_CHUNKS:
                found.setdefault(name, bytes(content))
        return color_profiles.of_png(found)
    profile = image.info.get("icc_profile")
    return (profile,) if isinstance(profile, bytes) and 0 < len(profile) <= color_profiles.MAX_PROFILE else ()


def _array(image: Image.Image) -> NDArray[np.uint8]:
    # In bands: asked for as a whole, Pillow holds two more copies of the image for a moment.
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _BAND):
        bottom = min(top + _BAND, image.height)
        rgb[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return rgb


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise ImageSizeError(f"{width}x{height} pixels; each side must have {MIN_SIDE} to {MAX_SIDE}.")
    if width * height > max_pixels:
        raise ImageSizeError(f"{width}x{height} pixels are too many; at most {max_pixels:,} are taken.")


def _check_frames(image: Image.Image, kind: str) -> None:
    frames = 1 if kind == "JPEG" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageFormatError(f"The {kind} has {frames} frames or pages; only single images are taken.")


def _check_compression(image: Image.Image) -> None:
    # Run-length BMP fills what is missing with colour 0, so a cut-off file would pass for a whole one.
    if any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ())):
        raise ImageFormatError("Run-length compressed BMP is not taken. Save the image as PNG.")


def _downscaled(rgb: NDArray[np.uint8], image_size: int | None) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    longest = max(height, width)
    if image_size is None or longest <= image_size:
        return rgb
    new_size = [max(1, (side * image_size + longest // 2) // longest) for side in (width, height)]
    resized = cv2.resize(rgb, new_size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(resized, dtype=np.uint8)
