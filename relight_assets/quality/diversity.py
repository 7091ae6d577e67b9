"""Do the variants of one photo differ enough to be worth having?"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.quality import Quality
from relight_assets.core.color import decode, luminance
from relight_assets.quality.measured import WORST, Verdict
from relight_assets.stages.image_metrics import FLOOR, SURE


def variant_distance(degraded_a: NDArray[np.uint8], degraded_b: NDArray[np.uint8]) -> float:
    """The root of the mean square of the log ratio of luminance of two lights on one person, stops.

    Args:
        degraded_a: (H, W, 4) uint8 RGBA, sRGB.
        degraded_b: the same of another variant; its alpha is the same.

    Returns:
        0 for the same light, and where nothing is surely the person's.
    """
    person = degraded_a[..., 3] > SURE
    if not person.any():
        return 0.0
    colors = (cv2.cvtColor(image, cv2.COLOR_RGBA2RGB) for image in (degraded_a, degraded_b))
    one, other = (luminance(decode(rgb))[person] + np.float32(FLOOR) for rgb in colors)
    return float(np.sqrt(np.mean(np.square(np.log2(one / other), dtype=np.float64))))


def variants_differ(pairs: Sequence[tuple[int, float]], quality: Quality) -> list[Verdict]:
    """What share of pairs of variants of one image are far enough apart; nothing where there are no pairs.

    Args:
        pairs: the image's number, and the :func:`variant_distance` of two of its variants, of each two.
        quality: ``min_variant_distance`` and ``min_variants_apart``.
    """
    if not pairs:
        return []
    share = sum(distance >= quality.min_variant_distance for _, distance in pairs) / len(pairs)
    nearest: dict[int, float] = {}
    for index, distance in pairs:
        nearest[index] = min(distance, nearest.get(index, distance))
    worst = sorted(nearest.items(), key=lambda item: (item[1], item[0]))[:WORST]
    return [
        Verdict(
            "variants apart",
            len(nearest),
            share,
            f">= {quality.min_variants_apart:g} of pairs, by {quality.min_variant_distance:g} stops",
            share >= quality.min_variants_apart,
            tuple(index for index, _ in worst),
            tuple(distance for _, distance in worst),
        )
    ]
