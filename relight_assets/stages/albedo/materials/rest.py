"""The light on hair and cloth: surrounds within soft clusters of one colour, each against its own median.

Clusters are those of k-means (Lloyd, IEEE Trans. Information Theory 1982; seeded as by Arthur, Vassilvitskii, SODA
2007) over colour, luminance and place.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.stages.albedo.materials.filters import ramp, weighted_mean
from relight_assets.stages.albedo.materials.person import Person
from relight_assets.stages.quantiles import median

SIDE = 160
"""Longest side at which clusters are found, pixels."""
CLUSTERS, ROUNDS, SAMPLES, SEED = 5, 8, 1200, 7
COLOR_UNITS = (0.22, 0.28)
"""Difference of ln R/G and of ln B/G that counts as one."""
LIGHT_UNIT = 1.5
"""Difference of luminance, stops, likewise."""
PLACE_UNIT = 0.9
"""Distance, in units of the person's size, likewise."""
SOFTNESS = 1.2
"""A pixel belongs to a cluster by exp(-this times the squared distance)."""
FEWEST, FEWEST_OF_CLUSTER = 200, 30
"""Pixels without which there is nothing to even, and no median of a cluster."""
SIGMA = 0.18
"""Of a surround, in units of the person's size."""
AMOUNT, REACH = 0.5, 0.8
"""Share of the deviation that is evened, and the stops that it approaches."""
DARK = (0.005, 0.06)
"""Linear luminance under which nothing is lifted, and from which everything is: lifted black is fog."""


def even_rest(person: Person, weight: Plane) -> Plane:
    """Find the gain, log2, (h, w), that evens the light on what ``weight`` (0..1) says is not skin.

    Its median there is that of the photo.
    """
    shape = weight.shape
    gain = np.zeros(shape, np.float32)
    scale = min(1.0, SIDE / max(shape))
    log_light, light, share, *ratios = (
        cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for plane in (person.log_light, person.light, weight, *person.log_ratios)
    )
    sure = share > 0.5
    if np.count_nonzero(sure) < FEWEST:
        return gain
    size = person.size * scale
    deviation = np.zeros_like(log_light)
    for belongs in _clusters(_features(log_light, ratios, size), sure):
        core = (belongs > 0.5) & sure
        if np.count_nonzero(core) >= FEWEST_OF_CLUSTER:
            around = weighted_mean(log_light, share * belongs, SIGMA * size, 1e-3)
            deviation += belongs * (around - median(log_light[core]))
    small = np.float32(-AMOUNT * REACH) * np.tanh(deviation * np.float32(1 / REACH))
    small = np.where(small > 0, small * ramp(light, *DARK), small)
    small -= median((log_light + small)[sure]) - median(log_light[sure])
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _features(log_light: Plane, ratios: list[Plane], size: float) -> NDArray[np.float32]:
    rows, columns = np.indices(log_light.shape, np.float32)
    colors = [ratio * np.float32(1 / unit) for ratio, unit in zip(ratios, COLOR_UNITS, strict=True)]
    places = [place * np.float32(1 / (PLACE_UNIT * size)) for place in (columns, rows)]
    return np.stack([*colors, log_light * np.float32(1 / LIGHT_UNIT), *places], axis=-1)


def _clusters(features: NDArray[np.float32], sure: NDArray[np.bool_]) -> list[Plane]:
    # How much each pixel belongs to each cluster, 0..1, together 1.
    found = features[sure]
    found = np.ascontiguousarray(found[:: max(1, len(found) // SAMPLES)])
    cv2.setRNGSeed(SEED)  # or the same photo would give other bytes
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, ROUNDS, 0.01)
    _, _, centres = cv2.kmeans(found, CLUSTERS, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    flat = features.reshape(-1, features.shape[2])
    constant = np.square(centres).sum(axis=1)[:, None].repeat(len(flat), axis=1)
    squared = cv2.gemm(centres, flat, -2.0, constant, 1.0, flags=cv2.GEMM_2_T)
    squared -= squared.min(axis=0)
    belongs = cv2.exp(np.maximum(np.float32(-SOFTNESS) * squared, np.float32(-16)))
    belongs /= belongs.sum(axis=0)
    return list(belongs.reshape(CLUSTERS, *sure.shape))
