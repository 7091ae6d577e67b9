"""Names for arrays: their shape, type and range; and images of half floats that belong together.

Shapes are not checked.  ``H, W`` is the full size of an image, ``h, w`` a reduced one; the aliases stand for either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(H, W) float32: one number per pixel; linear light, where it is light."""
Mask = NDArray[np.bool_]
"""(H, W) bool."""
Gray8 = NDArray[np.uint8]
"""(H, W) uint8, 0..255: an alpha, or a gray image."""
Rgb8 = NDArray[np.uint8]
"""(H, W, 3) uint8, sRGB, 0..255."""
Rgba8 = NDArray[np.uint8]
"""(H, W, 4) uint8, sRGB with straight alpha, 0..255."""
Pixels8 = NDArray[np.uint8]
"""(H, W, 3) or (H, W, 4) uint8: RGB or RGBA."""
LinearRgb = NDArray[np.float32]
"""(H, W, 3) float32: linear RGB, 0..1 for an image, 0 or more for light."""
Points = NDArray[np.float32]
"""(N, 3) float32: points of a face mesh in pixels, x right, y down, z smaller nearer the camera."""
Triangles = NDArray[np.int32]
"""(N, 3) int32: numbers of a mesh's points."""
Half = NDArray[np.float16]
"""(h, w) or (h, w, 3) float16."""


@dataclass(frozen=True)
class Layer:
    """One image of half floats.

    ``planes`` are (h, w) or (h, w, 3) float16 by name, all of one size.  ``place`` is x and y of its first pixel in the
    coordinates of the file.
    """

    name: str
    planes: Mapping[str, Half]
    place: tuple[int, int] = (0, 0)
    window: tuple[int, int, int, int] | None = None
    """x, y, width and height of what it shows, where that is not as large as it is."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = next(iter(self.planes.values())).shape[:2]
        return width, height


@dataclass(frozen=True)
class Layers:
    """The images of one file, by their names."""

    size: tuple[int, int]
    """Width and height of the picture that the file belongs to."""
    layers: tuple[Layer, ...] = field(default_factory=tuple)

    def named(self, name: str) -> list[Layer]:
        """Those whose name is this, or this and a number behind it (``eye.2``), in their order."""
        return [layer for layer in self.layers if layer.name.partition(".")[0] == name]
