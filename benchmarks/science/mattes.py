"""How good the alpha is, on made-up heads of hair whose alpha is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.science.hair import Head, heads
from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.stages.masks.matting.cut_out import cut_out

BAND = 20 / 1024
"""Width of the band on either side of the true edge, in image sides."""

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class MatteFigures:
    """Mean absolute error of alpha, times 1000: over the image, and in the band around the true edge."""

    method: str
    matte_mad: float
    matte_band: float


def measure_mattes() -> list[MatteFigures]:
    """The segmenter's answer enlarged, the same stretched, and the alpha of the masks stage.

    Of heads that the stage takes: one, dark hair before a dark room, is ``unsure_cutout``.
    """
    most = PhotoQa().max_undecided
    known = [head for head in heads() if cut_out(head.probability, head.rgb).undecided <= most]
    methods: tuple[tuple[str, Callable[[Head], Plane]], ...] = (
        ("enlarged", _enlarged),
        ("stretched", lambda head: np.clip((_enlarged(head) - np.float32(0.3)) / np.float32(0.4), 0, 1)),
        ("masks", lambda head: cut_out(head.probability, head.rgb).alpha.astype(np.float32) / np.float32(255)),
    )
    return [_figures(name, [method(head) for head in known], known) for name, method in methods]


def band(alpha: Plane) -> NDArray[np.bool_]:
    """Where (H, W) true alpha is soft, or the person ends, and 20 pixels of 1024 around."""
    soft = cv2.inRange(alpha, 0.02, 0.98)
    soft |= cv2.morphologyEx(cv2.inRange(alpha, 0.5, 1.0), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    reach = max(1, round(BAND * max(alpha.shape)))
    return cv2.dilate(soft, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))) > 0


def _enlarged(head: Head) -> Plane:
    return cv2.resize(head.probability, head.alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _figures(name: str, found: Sequence[Plane], known: Sequence[Head]) -> MatteFigures:
    errors = [np.abs(alpha - head.alpha) for alpha, head in zip(found, known, strict=True)]
    near = [float(error[band(head.alpha)].mean()) for error, head in zip(errors, known, strict=True)]
    return MatteFigures(name, 1000 * fmean(float(error.mean()) for error in errors), 1000 * fmean(near))
