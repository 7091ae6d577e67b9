"""The sizes that configurations of trainers ask for."""

import math

from relight_assets.exports.base import IndexInputs, Size
from relight_assets.exports.pictures.framing import out_size
from relight_assets.exports.rows.pairs import png_size

_DEFAULT = 1024
"""Where no size can be read."""


def longest_side(inputs: IndexInputs) -> int:
    """The longest side among the first pairs' pictures, in pixels."""
    return max((max(size) for size in _sizes(inputs)), default=_DEFAULT)


def square_side(inputs: IndexInputs) -> int:
    """The side of a square that is as large as the largest of the first pairs' pictures, in pixels."""
    largest = max((width * height for width, height in _sizes(inputs)), default=_DEFAULT**2)
    return round(math.sqrt(largest))


def _sizes(inputs: IndexInputs) -> list[Size]:
    sizes = (png_size(pair.sources["input"].path) for pair in inputs.pairs[:64])
    return [out_size(size, inputs.options) for size in sizes if size is not None]
