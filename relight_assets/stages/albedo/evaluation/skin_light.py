"""What an albedo does to a face's skin: its shape in the photo's light, its pores, its highlights, its color."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane, Triangles
from relight_assets.core.color import planes_of, safe_ratio
from relight_assets.stages.albedo.evaluation.face_view import FLOOR, HEIGHT, SOME, FaceView
from relight_assets.stages.albedo.masked_filters import masked_gaussian

FINE, COARSE = 0.01, 0.05
"""Sigmas between which contrast is skin's own (pores, stubble, wrinkles), in units of the face's height."""
TILE = HEIGHT // 16
"""Side of the tiles that contrast is compared in, pixels of the view."""
TILE_SHARE = 0.6
"""Share of a tile that must be skin."""
MIN_TILES = 8
"""Tiles that are enough for a median."""
FAINT = 0.002
"""Contrast of a tile of the photo, stops, below which there is nothing to keep."""
LIGHT_SIGMA = 0.03
"""Blur before light is fitted to the mesh, in units of the face's height."""
FRONT = -0.35
"""The mesh's normals have z below it where they face the camera well enough."""
MIN_TRIANGLES = 60
MIN_EXPLAINED = 0.5
"""Share of the photo's luminance that its fit must explain: else its light is none that the shape could tell."""
MIN_SKIN = 200
"""Pixels of skin that are enough for a median."""
MATT_SIGMAS = (0.16, 0.12)
"""Of the mean luminance of matt skin, in units of the face's height: first and again."""
MATT = (0.5, 1.15)
"""What counts as matt, as shares of the first mean."""
SHINING = 1.3
"""Luminance, in units of that of the matt skin around, from which on skin shines."""
PALER = (0.05, 0.3)
"""How much less saturated than skin a highlight begins to be, and is, as shares of skin's saturation."""
MIN_SHINE = 0.01
"""Mean excess over skin, in the same units, below which a photo has no highlights to speak of."""


def mid_contrast(view: FaceView) -> float | None:
    """Contrast of the albedo's skin between ``FINE`` and ``COARSE`` over the photo's: the median of small tiles.

    1 where all of it is kept, also beside a shadow that was taken out; 0 where skin was painted flat.
    """
    weight = view.skin.astype(np.float32)
    squares = [np.square(_band(plane, weight)) * weight for plane in view.logs]
    share, photo, albedo = (_tiles(plane) for plane in (weight, *squares))
    enough = (share >= TILE_SHARE) & (photo > FAINT**2)
    if np.count_nonzero(enough) < MIN_TILES:
        return None
    return float(np.median(np.sqrt(albedo[enough] / photo[enough])))


def _band(plane: Plane, weight: Plane) -> Plane:
    fine, coarse = (masked_gaussian(plane, weight, sigma * HEIGHT) for sigma in (FINE, COARSE))
    return fine - coarse


def _tiles(plane: Plane) -> Plane:
    """The means over tiles; what is left over at the right and below is let go."""
    rows, columns = (size // TILE for size in plane.shape)
    if not (rows and columns):
        return np.zeros((0, 0), np.float32)
    return cv2.resize(plane[: rows * TILE, : columns * TILE], (columns, rows), interpolation=cv2.INTER_AREA)


def own_light_left(view: FaceView, triangles: Triangles) -> float | None:
    """How much of the photo's own light is left: 1 all of it, 0 none, below 0 where it was turned around.

    log2 luminance of photo and albedo are fitted, each, by a constant and the mesh's normals (first-order spherical
    harmonics: Ramamoorthi, Hanrahan, SIGGRAPH 2001), each triangle by its area; the slope of the albedo's fit on the
    photo's.  None where the photo's fit explains less than ``MIN_EXPLAINED``: there is no light that shape tells.
    """
    weight = view.skin.astype(np.float32)
    corners = view.points[triangles].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    normals = across / length[:, None]
    columns, rows = np.rint(corners[..., :2].mean(axis=1)).astype(int).T
    there = (columns >= 0) & (columns < weight.shape[1]) & (rows >= 0) & (rows < weight.shape[0])
    there &= normals[:, 2] < FRONT
    there[there] = view.skin[rows[there], columns[there]]
    if np.count_nonzero(there) < MIN_TRIANGLES:
        return None
    at = rows[there], columns[there]
    photo, albedo = (masked_gaussian(plane, weight, LIGHT_SIGMA * HEIGHT)[at].astype(np.float64) for plane in view.logs)
    area = length[there] / length[there].sum()
    basis = normals[there] - area @ normals[there]
    found = [_fit(basis, area, values) for values in (photo, albedo)]
    (fit, explained), (left, _) = found
    if explained < MIN_EXPLAINED:
        return None
    return float(np.clip((area @ (left * fit)) / (area @ (fit * fit)), -10, 10))


def _fit(
    basis: NDArray[np.float64], area: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """A fit, less its mean, and the share of the variance that it explains."""
    values = values - area @ values
    root = np.sqrt(area)
    slope, *_ = np.linalg.lstsq(basis * root[:, None], values * root, rcond=None)
    fit = basis @ slope
    total = float(area @ (values * values))
    return fit, float(area @ (fit * fit)) / total if total > 0 else 0.0


def highlight_left(view: FaceView) -> float | None:
    """Share of the highlights on the photo's skin that the albedo still has.

    A highlight is luminance beyond ``SHINING`` times that of the matt skin around, where the photo is paler than skin.
    Each image is measured in units of its own matt skin.  None where the photo's skin does not shine.
    """
    weight = view.skin[SOME].astype(np.float32)
    lights = [np.ascontiguousarray(plane[SOME]) for plane in view.light]
    total = float(weight.sum())
    if total < MIN_SKIN / 4:
        return None
    shining = weight * _paleness(view.photo[SOME], weight)
    photo, albedo = (float((_excess(light, weight) * shining).sum(dtype=np.float64)) for light in lights)
    return albedo / photo if photo / total > MIN_SHINE else None


def _paleness(photo: LinearRgb, weight: Plane) -> Plane:
    """0 of a pixel that is as saturated as skin, 1 of one that is much paler."""
    red, green, blue = planes_of(photo)
    saturation = 1 - safe_ratio(cv2.min(cv2.min(red, green), blue) + FLOOR, cv2.max(cv2.max(red, green), blue) + FLOOR)
    usual = float(np.median(saturation[weight > 0.5])) if (weight > 0.5).any() else 0.0
    start, end = PALER
    paler = (np.float32(usual) - saturation) * np.float32(1 / max(usual, 0.05))
    return np.clip((paler - np.float32(start)) * np.float32(1 / (end - start)), 0, 1)


def _excess(light: Plane, weight: Plane) -> Plane:
    """By how much skin is brighter than ``SHINING`` times the matt skin around it, in units of that."""
    first, again = MATT_SIGMAS
    matt = masked_gaussian(light, weight, first * HEIGHT / 2)
    near = weight * ((light > MATT[0] * matt) & (light < MATT[1] * matt)).astype(np.float32)
    # Where nothing is matt, all of the skin counts.
    matt = masked_gaussian(light, near + np.float32(1e-3) * weight, again * HEIGHT / 2)
    return np.maximum(safe_ratio(light, matt, 1e-4) - np.float32(SHINING), 0)


def face_chroma(view: FaceView) -> float | None:
    """Median CIE chroma of the albedo's skin over the photo's, both at the photo's median luminance."""
    where = view.skin[SOME] & view.unclipped[SOME]
    if np.count_nonzero(where) < MIN_SKIN / 4:
        return None
    before, after = (float(np.median(plane[SOME][where])) for plane in view.light)
    photo = _chroma(view.photo[SOME][where], 1.0)
    albedo = _chroma(view.albedo[SOME][where], before / max(after, 1e-4))
    return albedo / photo if photo > 1 else None  # gray skin has none


def _chroma(colors: LinearRgb, gain: float) -> float:
    """Median CIE chroma of (N, 3) linear colors times a gain."""
    lab = cv2.cvtColor(np.minimum(colors * np.float32(gain), 1)[None], cv2.COLOR_LRGB2LAB)[0]
    return float(np.median(np.hypot(lab[:, 1], lab[:, 2])))
