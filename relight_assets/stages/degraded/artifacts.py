"""What a light must not do to a person, looked for before the picture is made.

A range of numbers that is right for nearly all portraits gives, once in some hundreds of lights, a shadow pattern so
dense that the face is lost in it, a black jersey that drowns, or a jaw whose outline stands out.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import luminance_of_planes
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.geometry.height_field import Plane
from relight_assets.stages.degraded.geometry.scene import Scene

STRENGTH = 1.9
"""Largest standard deviation of the change of light over the person, stops."""
RIM = 1.7
"""Largest slope across a face mesh's outline, over that beside it."""
CRUSHED = 0.045
"""Largest share of the person that turns black."""
DETAIL = 0.5
"""Smallest correlation of the gradients of log luminance, before and after, at half of the working size."""
BLACK = np.float32(3.5 / (255 * 12.92))
"""Linear light that is rounded to the display code 3, or less."""
LOG_FLOOR = np.float32(0.004)
"""Added to luminance before logarithms are compared, linear."""
SILHOUETTE = 14
"""Working pixels from the silhouette, within which gradients are those of the cut."""
FEW = np.s_[::2, ::2]
"""Of the working picture's pixels: enough for shares and correlations."""


def flaw(scene: Scene, degraded: Sequence[Plane], strength: float, rim: float | None) -> float:
    """Say how bad the worst of a light's flaws is, in units of what is borne, to 6 decimals: up to 1 is none.

    Args:
        scene: the person.
        degraded: what the light makes of it: linear R, G and B, of the pixels ``FEW`` of the working picture.
        strength: of the pair, stops.
        rim: of :func:`~relight_assets.stages.degraded.geometry.mesh_seam.mask_rim`.
    """
    core = scene.core[FEW]
    black = cv2.max(cv2.max(degraded[0], degraded[1]), degraded[2]) < BLACK
    before, after = np.ascontiguousarray(scene.photo_light[FEW]), luminance_of_planes(degraded)
    crushed = (np.count_nonzero(black & core) - np.count_nonzero((before < BLACK) & core)) / max(core.sum(), 1)
    inner = scene.inward[FEW] > SILHOUETTE
    logs = [cv2.log(plane + LOG_FLOOR) for plane in (before, after)]
    lost = 1 - gradient_correlation(logs[0], logs[1], inner)
    return float(rounded(max(strength / STRENGTH, (rim or 0.0) / RIM, crushed / CRUSHED, lost / (1 - DETAIL))))


def gradient_correlation(one: Plane, other: Plane, inside: NDArray[np.bool_]) -> float:
    """Correlate the gradients of two (h, w) pictures, blurred by a pixel: 1 is the same detail; and where none is."""
    pairs = []
    for plane in (one, other):
        smooth = cv2.GaussianBlur(plane, (0, 0), 1.0)
        pairs.append(np.concatenate([cv2.Sobel(smooth, cv2.CV_32F, *order)[inside] for order in ((1, 0), (0, 1))]))
    if not pairs[0].size:
        return 1.0
    first, second = (values - values.mean(dtype=np.float64) for values in pairs)
    product = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / product if product > 0 else 1.0
