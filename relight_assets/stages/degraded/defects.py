"""Visible defects that a light would cause, measured before the image is made.

Ranges that suit nearly all portraits give, once in fifty lights, a shadow pattern in which the face is lost,
a black jersey without detail, or a visible outline along the jaw.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Mask, Plane
from relight_assets.core.color import SRGB_SLOPE, luminance_of_planes
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.geometry.scene import Scene

MAX_STRENGTH = 1.9
"""Largest standard deviation of the change of light over the person, stops."""
MAX_RIM = 1.7
"""Largest slope of the light across a face mesh's outline, over that beside it."""
MAX_CRUSHED = 0.036
"""Largest share of the person that turns black, 0..1; up to .018 more is measured at full size."""
MIN_DETAIL = 0.5
"""Smallest correlation of the gradients of log luminance, before and after, at half of the working size."""
BLACK = np.float32(3.5 / (255 * SRGB_SLOPE))
"""Linear light that is rounded to the display code 3, or less."""
LUMINANCE_FLOOR = np.float32(0.004)
"""Added to luminance before logarithms are compared, linear: noise in the dark is no change of light."""
SILHOUETTE_MARGIN = 14
"""Working pixels from the silhouette, within which gradients are those of the cut."""
EVERY_SECOND = np.s_[::2, ::2]
"""Pixels of the working image that are measured: enough for shares and correlations."""


def defect_score(scene: Scene, degraded: Sequence[Plane], strength: float, rim: float | None) -> float:
    """Measure the worst defect of a light, in units of the largest that is accepted, to 6 decimals.

    Args:
        scene: the person.
        degraded: the person in that light: linear R, G and B, of the pixels ``EVERY_SECOND`` of the working image.
        strength: of the pair, stops.
        rim: of :func:`~relight_assets.stages.degraded.geometry.mesh_seam.mask_rim`.

    Returns:
        0 or more; a light above 1 is not accepted.
    """
    core = scene.core[EVERY_SECOND]
    black = cv2.max(cv2.max(degraded[0], degraded[1]), degraded[2]) < BLACK
    before, after = np.ascontiguousarray(scene.photo_light[EVERY_SECOND]), luminance_of_planes(degraded)
    crushed = (np.count_nonzero(black & core) - np.count_nonzero((before < BLACK) & core)) / max(core.sum(), 1)
    inner = scene.inward[EVERY_SECOND] > SILHOUETTE_MARGIN
    logs = [cv2.log(plane + LUMINANCE_FLOOR) for plane in (before, after)]
    lost = 1 - gradient_correlation(logs[0], logs[1], inner)
    return float(
        rounded(max(strength / MAX_STRENGTH, (rim or 0.0) / MAX_RIM, crushed / MAX_CRUSHED, lost / (1 - MIN_DETAIL)))
    )


def gradient_correlation(one: Plane, other: Plane, inside: Mask) -> float:
    """Correlate the gradients of two (h, w) images, blurred by a pixel: 1 is the same detail; and where none is."""
    places, pairs = np.flatnonzero(inside), []
    for plane in (one, other):
        smooth = cv2.GaussianBlur(plane, (0, 0), 1.0)
        slopes = (cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
        pairs.append(np.concatenate([slope.ravel().take(places) for slope in slopes]))
    if not places.size:
        return 1.0
    first, second = (values - values.mean(dtype=np.float64) for values in pairs)
    product = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / product if product > 0 else 1.0
