"""The training input: the degraded person on gray, or back on the photo's own background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets import recipe
from relight_assets.stages.linear_light import decode, encode

CODE_VERSION = "1"


def composite(
    degraded: NDArray[np.uint8], background: NDArray[np.uint8] | None, parameters: recipe.Background
) -> NDArray[np.uint8]:
    """Lay the degraded person over what the recipe asks for.

    Args:
        degraded: (H, W, 4) uint8 RGBA, sRGB, straight alpha.
        background: (H, W, 4) uint8 RGBA layer of the photo, its alpha 255 minus the mask's; only
            read, and then required, with ``use_gray: false``.
        parameters: ``background`` of the recipe.

    Returns:
        (H, W, 3) uint8 sRGB.  Where alpha is 0 the bytes are exactly ``gray_color``, or exactly
        the photo's; where it is 255 exactly the degraded person's.  Between, rounded half to even.
    """
    if not parameters.use_gray and background is None:
        raise ValueError("background.use_gray is false, so the background layer is needed")
    alpha = cv2.extractChannel(degraded, 3)
    front = cv2.cvtColor(degraded, cv2.COLOR_RGBA2RGB)
    if parameters.use_gray or background is None:
        behind = np.empty_like(front)
        behind[:] = np.array(parameters.gray_color, np.uint8)
    else:
        behind = cv2.cvtColor(background, cv2.COLOR_RGBA2RGB)
    result = cv2.copyTo(front, alpha, behind.copy())
    rows, columns = np.divmod(np.flatnonzero((alpha > 0) & (alpha < 255)), alpha.shape[1])
    if rows.size == 0:
        return result
    opacity = alpha[rows, columns].astype(np.float32)[:, None] * np.float32(1 / 255)
    front, behind = front[rows, columns], behind[rows, columns]
    if parameters.blend == "linear":
        result[rows, columns] = encode(decode(front) * opacity + decode(behind) * (1 - opacity))
    else:
        mixed = front.astype(np.float32) * opacity + behind.astype(np.float32) * (1 - opacity)
        result[rows, columns] = np.rint(mixed).astype(np.uint8)
    return result
