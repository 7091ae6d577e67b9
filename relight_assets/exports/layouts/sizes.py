"""The sizes that configurations of trainers ask for."""

from relight_assets.exports.base import IndexInputs
from relight_assets.exports.pictures.framing import out_size
from relight_assets.exports.rows.pairs import png_size

_DEFAULT = 1024
"""Where no size can be read."""


def longest_side(inputs: IndexInputs) -> int:
    """The longest side among the first pairs' pictures, in pixels."""
    sizes = [png_size(pair.sources["input"].path) for pair in inputs.pairs[:64]]
    return max((max(out_size(size, inputs.options)) for size in sizes if size is not None), default=_DEFAULT)
