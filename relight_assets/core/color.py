"""Display values (sRGB) to linear light and back, and the colour arithmetic of linear light.

Light adds and multiplies in linear space only, so every stage decodes first and encodes last.
For images both directions are table look-ups: a power per sample would cost more than all other steps.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.generic)

LUMINANCE_WEIGHTS: tuple[float, float, float] = (0.2126, 0.7152, 0.0722)
"""Share of linear R, G and B in luminance (ITU-R BT.709)."""

WHITE_KELVIN = 6504.0
"""Colour temperature of the sRGB white point (D65)."""

SRGB_SLOPE = 12.92
"""Display value over linear light in the dark, where sRGB is linear (IEC 61966-2-1)."""
_DARK_DISPLAY, _DARK_LINEAR = 0.04045, 0.0031308
"""Where that part ends, as a display value and in linear light."""
_OFFSET, _EXPONENT = 0.055, 2.4
"""Of the power law above it."""
_STEPS = 65535
"""Steps of the look-up tables over linear light: those of 16 bits."""
_BRIGHTEST = 8.0
"""Linear light up to which highlights are compressed by a table."""


def _decoded(values: Any, power: Callable[[Any, float], Any]) -> Any:
    above = power((values + _OFFSET) / (1 + _OFFSET), _EXPONENT)
    return np.where(values <= _DARK_DISPLAY, values / SRGB_SLOPE, above)


def _encoded(values: Any, power: Callable[[Any, float], Any]) -> Any:
    above = (1 + _OFFSET) * power(values, 1 / _EXPONENT) - _OFFSET
    return np.where(values <= _DARK_LINEAR, values * SRGB_SLOPE, above)


def srgb_to_linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decode display values in 0..1 to linear light in 0..1, float64, sample by sample."""
    linear: NDArray[np.float64] = _decoded(values, np.power)
    return linear


def linear_to_srgb(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light in 0..1 to display values in 0..1, float64, sample by sample."""
    display: NDArray[np.float64] = _encoded(np.maximum(values, 0.0), np.power)
    return display


def srgb_to_linear_scalar(value: float) -> float:
    """Decode one display value, 0 or more, to linear light."""
    return float(_decoded(value, math.pow))


def linear_to_srgb_scalar(value: float) -> float:
    """Encode one value of linear light, 0 or more, for the display."""
    return float(_encoded(value, math.pow))


def srgb_to_linear_float32(display: NDArray[np.float32]) -> NDArray[np.float32]:
    """Decode display values, clipped to 0..1, to linear light in 0..1, float32; quicker than in float64."""
    linear: NDArray[np.float32] = _decoded(np.clip(display, 0, 1), cv2.pow).astype(np.float32)
    return linear


def linear_to_srgb_float32(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Encode linear light, clipped to 0..1, to display values in 0..1, float32; quicker than in float64."""
    display: NDArray[np.float32] = _encoded(np.clip(linear, 0, 1), cv2.pow).astype(np.float32)
    return display


@functools.cache
def decode_table() -> NDArray[np.float32]:
    """Linear light of each of the 256 display codes, float32 in 0..1."""
    table = srgb_to_linear(np.arange(256) / 255.0).astype(np.float32)
    table.flags.writeable = False
    return table


@functools.cache
def _encode_table() -> NDArray[np.uint8]:
    codes = np.rint(linear_to_srgb(np.arange(_STEPS + 1) / _STEPS) * 255.0)
    return codes.astype(np.uint8)


def decode(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Decode uint8 sRGB of any shape to float32 linear light in 0..1."""
    return cv2.LUT(np.ascontiguousarray(image).reshape(image.shape[0], -1), decode_table()).reshape(image.shape)


def planes_of(image: NDArray[_Number]) -> list[NDArray[_Number]]:
    """Return the C planes (H, W) of an (H, W, C) image, contiguous.

    OpenCV makes planes of its own where it is given none, and its binding copies them: that takes twice as long.
    """
    planes = [np.empty(image.shape[:2], image.dtype) for _ in range(image.shape[2])]
    cv2.split(image, planes)
    return planes


def decode_planes(image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Decode (H, W, C) uint8 sRGB to C planes (H, W) float32 of linear light in 0..1.

    Bytes are taken apart several times quicker than floats, and planes are worked on quicker than pixels.
    """
    return [cv2.LUT(plane, decode_table()) for plane in planes_of(image)]


def encode(linear: NDArray[np.float32], factor: NDArray[np.float32] | None = None) -> NDArray[np.uint8]:
    """Encode float32 linear light of any shape, times ``factor`` where one of that shape is given, to uint8 sRGB.

    Rounded half to even.  Values are clipped to 0..1 first; they must be finite.  The look-up has
    65536 steps, at most 0.03 of a code apart where sRGB is steepest, so ``encode(decode(x))`` is
    exactly ``x``.
    """
    rows = np.ascontiguousarray(linear).reshape(linear.shape[0], -1)
    # One pass: scaled, rounded half to even and saturated on the way to 16 bits.
    if factor is None:
        steps = cv2.multiply(rows, float(_STEPS), dtype=cv2.CV_16U)
    else:
        steps = cv2.multiply(rows, factor.reshape(rows.shape), scale=float(_STEPS), dtype=cv2.CV_16U)
    return cv2.LUT(steps, _encode_table()).reshape(linear.shape)


def every(image: NDArray[_Number], step: int) -> NDArray[_Number]:
    """Return every so many pixels of every so many rows of an (H, W, C) image, contiguous.

    Copied a channel at a time, because NumPy copies pixels of three or four bytes in three times as long.
    """
    found = np.empty_like(image[::step, ::step], order="C")
    for channel in range(image.shape[2]):
        found[..., channel] = image[::step, ::step, channel]
    return found


def luminance(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (H, W) luminance of (H, W, 3) linear RGB."""
    return cv2.transform(linear, np.array([LUMINANCE_WEIGHTS], dtype=np.float32))


def luminance_of_planes(planes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the (H, W) luminance of three (H, W) planes of linear R, G and B."""
    red, green, blue = LUMINANCE_WEIGHTS
    total = cv2.addWeighted(planes[0], red, planes[1], green, 0)
    return cv2.scaleAdd(planes[2], blue, total, total)


def largest_channel(colors: NDArray[_Number]) -> NDArray[_Number]:
    """Return the largest of three channels (...) of colors (..., 3).

    NumPy's own ``max`` over an axis of three takes many times as long.
    """
    return np.maximum(np.maximum(colors[..., 0], colors[..., 1]), colors[..., 2])


def smallest_channel(colors: NDArray[_Number]) -> NDArray[_Number]:
    """Return the smallest of three channels, as :func:`largest_channel` does the largest."""
    return np.minimum(np.minimum(colors[..., 0], colors[..., 1]), colors[..., 2])


def highlight_rolloff(planes: Sequence[NDArray[np.float32]], start: float, top: float) -> NDArray[np.float32]:
    """Return the factor (H, W) that leads the largest of three channels along :func:`shoulder`, linear, 0 and more.

    Looked up in 65536 steps over 0..8, so within 2e-4 of exact: an exponential for every bright pixel
    costs several times as much.  An image that is brighter anywhere is computed.
    """
    return scaled_by_peak(planes, _rolloff_table(start, top), lambda peak: safe_ratio(shoulder(peak, start, top), peak))


def peaks() -> NDArray[np.float32]:
    """Return the values of the largest channel, linear, of which :func:`scaled_by_peak` has a table, (1, 65536)."""
    return np.linspace(0, _BRIGHTEST, _STEPS + 1, dtype=np.float32)[None]


def scaled_by_peak(
    planes: Sequence[NDArray[np.float32]],
    table: NDArray[np.float32],
    exact: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return the factor (H, W) that the largest of three channels gets, linear.

    Args:
        planes: three (H, W) float32; what dither has taken below 0 gets the factor of black.
        table: (1, 65536) float32, the factors at :func:`peaks`.
        exact: the factor of a plane, for an image that is brighter than the table anywhere.
    """
    peak = cv2.max(cv2.max(planes[0], planes[1]), planes[2])
    if float(peak.max()) > _BRIGHTEST:
        # A factor is a ratio, and that of two values below 0, or next to 0, has no bound.
        return exact(cv2.max(peak, _BRIGHTEST / _STEPS))
    return cv2.LUT(cv2.multiply(peak, _STEPS / _BRIGHTEST, dtype=cv2.CV_16U), table)


@functools.lru_cache(maxsize=4)
def _rolloff_table(start: float, top: float) -> NDArray[np.float32]:
    table = safe_ratio(shoulder(peaks(), start, top), peaks())
    table[:, 0] = 1.0
    table.flags.writeable = False
    return table


def shoulder(values: NDArray[np.float32], start: float, top: float = 1.0) -> NDArray[np.float32]:
    """Compress values above ``start`` so that they approach ``top`` and never pass it.

    ``t + (c - t)(1 - exp(-(x - t) / (c - t)))``: the slope is 1 at ``start``, so there is no edge.
    Returns a new array; values up to ``start`` are unchanged.
    """
    compressed = values.copy()
    above = compressed > start
    if above.any():
        room = np.float32(top - start)
        compressed[above] = np.float32(start) + room * (1 - np.exp((np.float32(start) - compressed[above]) / room))
    return compressed


def safe_ratio(over: NDArray[np.float32], under: NDArray[np.float32], floor: float = 1e-6) -> NDArray[np.float32]:
    """Divide two planes of one shape, float32; what is below ``floor`` in the second counts as that."""
    return cv2.divide(over, np.maximum(under, np.float32(floor)))


def planckian(kelvin: float) -> NDArray[np.float32]:
    """Return the (3,) linear sRGB colour of a black body, relative to 6504 K, with luminance 1.

    ``kelvin`` lies in 1667..25000.  Chromaticity by the cubic fit of Kim et al. (US patent
    7024034, as in CCT literature); components that leave the sRGB gamut are set to 0.
    """
    relative = np.maximum(_body_rgb(kelvin) / _body_rgb(WHITE_KELVIN), 0.0)
    return (relative / np.dot(relative, LUMINANCE_WEIGHTS)).astype(np.float32)


def tinted(kelvin: float, strength: float) -> NDArray[np.float32]:
    """Return the colour of a lamp: :func:`planckian` to the power ``strength`` (0 is white), luminance 1."""
    color = planckian(kelvin).astype(np.float64) ** strength
    return (color / np.dot(color, LUMINANCE_WEIGHTS)).astype(np.float32)


def of_luminance_1(color: Sequence[float]) -> NDArray[np.float32]:
    """Return a linear RGB colour, which must not be black, with luminance 1, (3,) float32."""
    full = np.array(color, np.float64)
    return (full / float(full @ np.array(LUMINANCE_WEIGHTS))).astype(np.float32)


def _body_rgb(kelvin: float) -> NDArray[np.float64]:
    if not 1667 <= kelvin <= 25000:
        raise ValueError(f"a colour temperature of {kelvin} K is outside 1667..25000")
    t = 1000.0 / kelvin
    if kelvin <= 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin <= 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin <= 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    to_rgb = np.array(
        [
            [3.2404542, -1.5371385, -0.4985314],
            [-0.9692660, 1.8760108, 0.0415560],
            [0.0556434, -0.2040259, 1.0572252],
        ]
    )
    return to_rgb @ xyz
