"""Is a photo there to its last row, or did its download stop and a program saved what it had?"""

import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Rgb8
from relight_assets.core.color import largest_channel
from relight_assets.errors import IncompletePhotoError

LEAST_SHARE, LEAST_ROWS = 0.04, 16
"""How much of the height must be of one colour, and how many rows: one row of JPEG blocks.  Less is a border."""
SAME = 2
"""Display levels by which a pixel may be off the colour: what another encoding, of WebP above all, makes of it."""
ABRUPT, ABRUPT_ROWS = 12, 2
"""Display levels by which a column nears the colour within so many rows: an edge, even where it was scaled since or
encoded again, and no shade that fades out."""
ABRUPT_SHARE = 0.75
"""Share of the columns that have the edge: the photo ends there, and not a subject before a plain background."""
VARIED = 16
"""Display levels between the pixels of the row above: a photo, and no drawing of plain areas."""
FRAME_SHARE = 0.25
"""Share of the upper edge or of a side that has the colour too: a border, a letterbox or a plain background."""
FRAME_SAME = 10
"""Display levels by which they may be off it: bars above and below are seldom of quite the same black."""
_EDGE_ROWS = 42
"""Rows above the plain ones in which the edge is: 16 where the last row of blocks is there in part, and what another
encoding blurs: 8 in JPEG, 24 in WebP."""
_BAND = 64


def require_complete(rgb: Rgb8) -> None:
    """Turn a photo away whose lower part is missing: one colour from edge to edge down to the last row.

    Args:
        rgb: (H, W, 3) uint8, in the order of the file's rows: what was downloaded last is at the end.

    Raises:
        IncompletePhotoError: rejected.
    """
    start = _tail(rgb)
    height = len(rgb)
    rows = height - start
    if rows < max(LEAST_ROWS, LEAST_SHARE * height) or start < _EDGE_ROWS:
        return
    color = rgb[-1, 0]
    photo = rgb[: start - _EDGE_ROWS + 1]
    sides = (photo[0], photo[:, 0], photo[:, -1])
    if any((_distance(side, color) <= FRAME_SAME).mean() >= FRAME_SHARE for side in sides):
        return
    above = _distance(rgb[start - _EDGE_ROWS : start + 1], color)
    nearer = (above[:-ABRUPT_ROWS] - above[ABRUPT_ROWS:]).max(axis=0)
    if (nearer > ABRUPT).mean() >= ABRUPT_SHARE and int(np.ptp(rgb[start - _EDGE_ROWS], axis=0).max()) > VARIED:
        raise IncompletePhotoError(
            f"The lower {rows / height:.0%} of the photo is one plain colour from edge to edge, as where a download "
            f"stopped. Get the photo again, or crop it if that is a border."
        )


def _tail(rgb: Rgb8) -> int:
    """The first of the rows at the end that are of one colour."""
    color, stop = rgb[-1, 0], len(rgb)
    while stop > 0:
        top = max(0, stop - _BAND)
        whole = _is(rgb[top:stop], color).all(axis=1)
        if not whole.all():
            return top + int(np.flatnonzero(~whole)[-1]) + 1
        stop = top
    return 0


def _is(pixels: Rgb8, color: Rgb8) -> NDArray[np.bool_]:
    return _distance(pixels, color) <= SAME


def _distance(pixels: Rgb8, color: Rgb8) -> NDArray[np.int16]:
    return largest_channel(np.abs(pixels.astype(np.int16) - color.astype(np.int16)))
