"""Whether skin changes color at the outline of the face mesh, where it did not in the photo."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Mask, Plane
from relight_assets.core.color import planes_of
from relight_assets.stages.albedo.evaluation.face_view import HEIGHT, SOME, FaceView

SECTORS = 24
WITHIN, BESIDE = (0.03, 0.09), (0.02, 0.08)
"""Rings inside and outside of the outline, in units of the face's height."""
FLOOR = np.float32(0.01)
"""Linear light that is added before logarithms: in the dark, ratios of colors are noise."""
ALIKE = 9.0
"""Squared Mahalanobis distance from the skin's own color up to which a pixel is skin."""
WIDER = 1.6
"""The covariance of the face's colors is stretched by it: skin beside the face is less even."""
OWN_SPREAD = (0.05, 0.06)
"""Standard deviations of ln R/G and ln B/G that any skin has."""
DARKEST = -2.9
"""Stops below the skin's median from which on nothing is skin: nearly black hair has any color."""
USUAL = (-1.4, 0.8)
"""Stops about the skin's median between which its color is taken: neither shadow nor highlight."""
KEPT = 92
"""Percentile of the distance from the median color up to which it is."""
MIN_PIXELS = 12
"""In each ring of a sector."""
MIN_SECTORS = 4
APART = 16.0
"""More than any two logarithms of ratios, of which each is within 4.7, are apart."""
WORST = 0.9
"""The step is that of the sector at this quantile."""


def chroma_step(view: FaceView) -> float | None:
    """By how much (ln R/G, ln B/G) change from outside to inside of the outline, albedo minus photo.

    Medians of skin that is not clipped, sector by sector; the norm at the 90th percentile of the sectors.  None where
    too few sectors have skin on both sides.
    """
    photo, person = _log_ratios(view.photo[SOME]), view.person[SOME] & view.unclipped[SOME]
    skin, inside = view.skin[SOME] & person, view.inside[SOME]
    if np.count_nonzero(skin) < MIN_PIXELS * SECTORS:
        return None
    alike = _alike(photo, view.logs[0][SOME], skin) & person
    outside = cv2.distanceTransform(1 - view.hull[SOME], cv2.DIST_L2, 3) * np.float32(2 / HEIGHT)
    # The margin of `skin` is where the inner ring begins; features are left out.
    rings = alike & skin & (inside < WITHIN[1]), alike & (outside > BESIDE[0]) & (outside < BESIDE[1])
    sectors = [_sectors(view, ring) for ring in rings]
    steps = np.zeros((2, SECTORS))
    for sign, planes in ((-1, photo), (1, _log_ratios(view.albedo[SOME]))):
        for channel, plane in enumerate(planes):
            within, beside = (_medians(plane[ring], sector) for ring, sector in zip(rings, sectors, strict=True))
            steps[channel] += sign * (within - beside)
    norms = np.hypot(*steps)
    norms = norms[np.isfinite(norms)]
    return float(np.quantile(norms, WORST)) if norms.size >= MIN_SECTORS else None


def _log_ratios(linear: LinearRgb) -> tuple[Plane, Plane]:
    red, green, blue = (cv2.log(plane + FLOOR) for plane in planes_of(linear))
    return red - green, blue - green


def _alike(ratios: tuple[Plane, Plane], log_light: Plane, skin: Mask) -> Mask:
    """Where the photo has the color of the face's skin, and is not nearly black."""
    light, *own_ratios = (plane[skin][::2] for plane in (log_light, *ratios))  # enough for a covariance
    middle_light = np.median(light)
    light = light - middle_light
    own = np.stack(own_ratios, axis=1)[(light > USUAL[0]) & (light < USUAL[1])]
    middle = np.median(own, axis=0)
    off = own - middle
    distance = np.abs(off).sum(axis=1)
    covariance = np.cov(off[distance <= np.percentile(distance, KEPT)].T) * WIDER + np.diag(np.square(OWN_SPREAD))
    inverse = np.linalg.inv(covariance).astype(np.float32)
    warm, cold = (plane - np.float32(value) for plane, value in zip(ratios, middle, strict=True))
    squared = inverse[0, 0] * warm * warm + 2 * inverse[0, 1] * warm * cold + inverse[1, 1] * cold * cold
    alike: Mask = (squared < ALIKE) & (log_light > middle_light + DARKEST)
    return alike


def _sectors(view: FaceView, ring: Mask) -> NDArray[np.intp]:
    """The sector, by the angle about the middle of the face, of each pixel of a ring."""
    rows, columns = np.nonzero(ring)
    x, y = (view.points[:, :2].min(axis=0) + view.points[:, :2].max(axis=0)) / 4
    turn = np.arctan2(rows - y, columns - x) / (2 * np.pi) + 0.5
    return np.minimum((turn * SECTORS).astype(np.intp), SECTORS - 1)


def _medians(values: Plane, sectors: NDArray[np.intp]) -> NDArray[np.float64]:
    """The median of each sector, (SECTORS,); NaN where it has too few pixels."""
    apart = APART * sectors
    ordered = np.sort(values + apart)  # sector by sector; sorting by two keys takes five times as long
    counts = np.bincount(sectors, minlength=SECTORS)
    starts = np.cumsum(counts) - counts
    found = np.full(SECTORS, np.nan)
    enough = counts >= MIN_PIXELS
    found[enough] = ordered[starts[enough] + counts[enough] // 2]
    return found - APART * np.arange(SECTORS)
