"""Names for arrays: their shape, type and range.

Shapes are not checked.  ``H, W`` is the full size of an image, ``h, w`` a reduced one; the aliases stand for either.
"""

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
