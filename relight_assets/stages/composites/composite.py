"""The training input: the degraded person on gray, or back on the photo's own background."""

import cv2
import numpy as np

from relight_assets.config.recipe.recipe import Background
from relight_assets.core.arrays import Rgb8, Rgba8
from relight_assets.stages.foreground_color import at_edge, mix_colors, soft_edge

CODE_VERSION = "1"


def composite(degraded: Rgba8, background: Rgba8 | None, parameters: Background) -> Rgb8:
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
        result = _sheet(front.shape, parameters.gray_color)
    else:
        result = cv2.cvtColor(background, cv2.COLOR_RGBA2RGB)
    edge = soft_edge(alpha)
    behind = at_edge(result, edge)
    cv2.copyTo(front, alpha, result)
    if edge.size == 0:
        return result
    front = at_edge(front, edge)
    opacity = at_edge(alpha, edge).astype(np.float32) * np.float32(1 / 255)
    result.reshape(-1, 3)[edge] = mix_colors(front, behind, opacity, parameters.blend)
    return result


def _sheet(shape: tuple[int, ...], color: tuple[int, int, int]) -> Rgb8:
    sheet = np.empty(shape, np.uint8)
    # A filled rectangle: assigning three bytes to each pixel takes NumPy thirty times as long.
    return cv2.rectangle(sheet, (0, 0), (shape[1], shape[0]), color, cv2.FILLED)
