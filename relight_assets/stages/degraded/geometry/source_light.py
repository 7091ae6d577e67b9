"""Where the photo's own light stood, estimated from its shading on the face.

The albedo stage removes ln shading, up to a constant.  To the first order of spherical harmonics
(Ramamoorthi, Hanrahan, "An Efficient Representation for Irradiance Environment Maps", SIGGRAPH 2001) it is
``a + b . n``: the direction of ``b`` is that of the light.  Cast shadows, highlights and what is left of
paint do not follow the normals, so each round of the fit trusts less what lies far off (Cauchy's weights).
"""

from dataclasses import dataclass

import numpy as np

from relight_assets.core.arrays import Mask, Plane
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.direction import Direction

FIT_ROUNDS = 8
"""Rounds of reweighted least squares."""
SPREAD = 1.5
"""A residual of so many times the median one halves a pixel's trust."""
MIN_FACE_PIXELS = 150
"""Pixels of a face below which the light is unknown."""
FIT_PIXELS = 2000
"""Pixels, evenly spread, that are enough for four numbers."""
DAMPING = 1e-6
"""Ridge term of the normal equations, per pixel: keeps a flat face solvable."""
CLEAR_CONTRAST = 0.3
"""Change of ln shading from normals square to the light to those that face it; less is less reliable."""
MIN_RELIABILITY = 0.5
"""Reliability, 0..1, below which a direction is not used."""


@dataclass(frozen=True)
class SourceLight:
    """The photo's own light.

    ``direction`` is None where the fit is not reliable.  ``reliability`` in 0..1 is the share of the shading that
    the fit explains, less where the light hardly shades.
    """

    direction: Direction | None
    reliability: float


UNKNOWN = SourceLight(None, 0.0)


def fit(log_shading: Plane, normals: tuple[Plane, Plane, Plane], where: Mask) -> SourceLight:
    """Fit the light to a face.

    Args:
        log_shading: (h, w) float32, ln photo luminance - ln albedo luminance, linear.
        normals: (h, w) float32 each, x right, y down, z to the camera.
        where: (h, w) bool, the face.
    """
    at = np.flatnonzero(where)
    if at.size < MIN_FACE_PIXELS:
        return UNKNOWN
    at = at[:: 1 + at.size // FIT_PIXELS]
    basis = np.column_stack([np.ones(at.size), *(plane.ravel()[at] for plane in normals)]).astype(np.float64)
    values = log_shading.ravel()[at].astype(np.float64)
    trust = np.ones(at.size)
    damping = DAMPING * at.size * np.eye(4)
    for _ in range(FIT_ROUNDS):
        weighted = basis * trust[:, None]
        found = np.linalg.solve(weighted.T @ basis + damping, weighted.T @ values)
        residual = values - basis @ found
        spread = max(SPREAD * float(np.median(np.abs(residual))), 1e-9)
        trust = 1 / (1 + np.square(residual / spread))
    total = float(trust @ np.square(values - np.average(values, weights=trust)))
    explained = max(0.0, 1 - float(trust @ np.square(residual)) / max(total, 1e-12))
    # A light behind the person lights nothing of what is seen.
    slope = np.array([found[1], found[2], max(found[3], 0.0)])
    contrast = float(np.linalg.norm(slope))
    reliability = rounded(explained * min(1.0, contrast / CLEAR_CONTRAST))
    if reliability < MIN_RELIABILITY:
        return SourceLight(None, reliability)
    x, y, z = (slope / contrast).tolist()
    return SourceLight(Direction(x, y, z), reliability)
