"""Images of half floats as OpenEXR files, losslessly compressed: one part for each.

Written from memory and by one thread: the same content gives the same bytes.
"""

from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np

from relight_assets.core.arrays import Half, Layer, Layers
from relight_assets.errors import ConfigError, ImageCorruptError

INSTALL = "install relight_assets with its extra `light` (in a checkout: pip install -c constraints.txt -e '.[light]')"
_RGB = "RGB"
_WINDOW = "window"
"""Attribute of a part: what it shows, as a box in the coordinates of :class:`~relight_assets.core.arrays.Layer`."""


def require_exr() -> None:
    """See that EXR files can be written and read.

    Raises:
        ConfigError: the package for that is not installed.
    """
    if find_spec("OpenEXR") is None:
        raise ConfigError(
            f"`keep_light: true` writes OpenEXR files, and the package OpenEXR is not installed: {INSTALL}, or set "
            "`keep_light: false`"
        )


def encode_exr(layers: Layers) -> bytes:
    """The images as an OpenEXR file of one part each, compressed without loss (PIZ).

    A plane (h, w, 3) named ``key`` becomes the channels ``key.R``, ``key.G`` and ``key.B``; one of (h, w) keeps its
    name.  The data window of a part is where its pixels lie in the picture, whose size is the display window.

    Raises:
        ConfigError: the package for that is not installed.
    """
    require_exr()
    import OpenEXR  # noqa: PLC0415  (an extra)

    parts = [
        OpenEXR.Part(_header(layer, layers.size, OpenEXR), _channels(layer), layer.name) for layer in layers.layers
    ]
    file = BytesIO()
    OpenEXR.File(parts, num_threads=0).write(file)
    return file.getvalue()


def decode_exr(data: bytes) -> Layers:
    """The images of a file that :func:`encode_exr` wrote.

    Raises:
        ConfigError: the package for that is not installed.
        ImageCorruptError: the file is damaged, or another one.
    """
    require_exr()
    import OpenEXR  # noqa: PLC0415  (an extra)

    try:
        parts = OpenEXR.File(BytesIO(data), separate_channels=True, num_threads=0).parts
        low, high = parts[0].header["displayWindow"]
        width, height = (np.asarray(high) - np.asarray(low) + 1).tolist()
        return Layers((width, height), tuple(_layer(part) for part in parts))
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, OSError) as error:
        raise ImageCorruptError(f"The OpenEXR file is damaged, or none of ours: {error}") from error


def _header(layer: Layer, size: tuple[int, int], exr: Any) -> dict[str, Any]:
    window = {} if layer.window is None else {_WINDOW: _bounds(*layer.window)}
    return {
        "compression": exr.PIZ_COMPRESSION,
        "type": exr.scanlineimage,
        "displayWindow": _bounds(0, 0, *size),
        "dataWindow": _bounds(*layer.place, *layer.size),
        **window,
    }


def _bounds(x: int, y: int, width: int, height: int) -> tuple[Any, Any]:
    """First and last pixel."""
    return np.array([x, y], np.int32), np.array([x + width - 1, y + height - 1], np.int32)


def _channels(layer: Layer) -> dict[str, Half]:
    found: dict[str, Half] = {}
    for name, plane in layer.planes.items():
        if plane.ndim == 2:
            found[name] = np.ascontiguousarray(plane)
        else:
            found |= {f"{name}.{each}": np.ascontiguousarray(plane[..., c]) for c, each in enumerate(_RGB)}
    return found


def _layer(part: Any) -> Layer:
    planes: dict[str, Half] = {}
    pixels = {name: np.asarray(channel.pixels) for name, channel in part.channels.items()}
    for name in dict.fromkeys(channel.partition(".")[0] for channel in pixels):
        whole = pixels.get(name)
        planes[name] = np.dstack([pixels[f"{name}.{each}"] for each in _RGB]) if whole is None else whole
    if any(plane.dtype != np.float16 for plane in planes.values()):
        raise ValueError("it holds other numbers than half floats")
    low, _ = part.header["dataWindow"]
    window = part.header.get(_WINDOW)
    return Layer(part.name(), planes, (int(low[0]), int(low[1])), None if window is None else _box(*window))


def _box(low: Any, high: Any) -> tuple[int, int, int, int]:
    return int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1
