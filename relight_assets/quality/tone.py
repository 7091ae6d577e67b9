"""Whether the tone of whole persons tells which picture of a pair is the photo: then a network learns that alone.

Each metric is of the change from photo to degraded picture, and must be centered on 0: in the whole split, and in each
family of light and each third of skins by lightness that has enough pairs.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

import numpy as np
from numpy.typing import NDArray

from relight_assets.config.quality import Quality
from relight_assets.quality.fairness import terciles
from relight_assets.quality.measured import WORST, Measured, Verdict

PART, WHOLE = 60, 150
"""Pairs of a family or a third, and of a split, from which on its tone is judged."""
SIGMAS = 2.0
"""Standard errors by which a part of a split may miss a bound: chance moves few pairs that far."""
FEATURES = ("exposure", "shadow_contrast", "light_contrast", "red_green", "blue_green", "saturation")
"""Of :class:`~relight_assets.stages.image_metrics.ImageMetrics`: the changes from which a classifier tells."""
FOLDS = 10
"""Parts into which persons are dealt: one part is held out at a time."""
PRECISION, STEPS = 1.0, 20
"""Of the normal prior on weights, of features whose root mean square is 1; and Newton steps, of which few do."""


@dataclass(frozen=True)
class _Centered:
    metric: str
    feature: str
    range: tuple[float, float]
    unit: str = ""
    figure: Callable[[Sequence[float]], float] = median
    spread: float = math.sqrt(math.pi / 2)
    """Standard error of the figure of n values, times sqrt(n), over their standard deviation."""


def tone_verdicts(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Each metric of tone that enough pairs allow."""
    for centered in _centered(quality):
        pairs = [each for each in found if getattr(each.metrics, centered.feature) is not None]
        families = Counter(each.family for each in pairs)
        parts = [[each for each in pairs if each.family == family] for family in sorted(families, key=str)]
        parts = [part for part in (*parts, *terciles(pairs)) if len(part) >= PART]
        groups = [(pairs, 0.0)] if len(pairs) >= WHOLE else []
        groups += [(part, SIGMAS) for part in parts]
        if groups:
            yield _verdict(centered, pairs, groups)
    whole = [each for each in found if all(getattr(each.metrics, name) is not None for name in FEATURES)]
    if len(whole) >= WHOLE:
        changes = np.array([[getattr(each.metrics, name) for name in FEATURES] for each in whole], np.float64)
        cue, most = tone_cue(changes, [each.source_sha256 or str(each.index) for each in whole]), quality.max_tone_cue
        yield Verdict("tone cue", len(whole), cue, f"<= {most:g} of pairs", cue <= most)


def _centered(quality: Quality) -> list[_Centered]:
    exposure, color, contrast = quality.max_exposure_median, quality.max_color_median, quality.max_contrast_median
    return [
        _Centered("darker", "exposure", quality.darker_range, " of pairs", _share_below_0, 0.5),
        _Centered("exposure, median", "exposure", (-exposure, exposure), " stops"),
        _Centered("red green, median", "red_green", (-color, color)),
        _Centered("blue green, median", "blue_green", (-color, color)),
        _Centered("shadow contrast, median", "shadow_contrast", (-contrast, contrast), " stops"),
        _Centered("light contrast, median", "light_contrast", (-contrast, contrast), " stops"),
    ]


def _share_below_0(values: Sequence[float]) -> float:
    return fmean(value < 0 for value in values)


def _verdict(
    centered: _Centered, pairs: Sequence[Measured], groups: Sequence[tuple[Sequence[Measured], float]]
) -> Verdict:
    low, high = centered.range
    figures = []
    for group, sigmas in groups:
        values = _values(group, centered.feature)
        figure = centered.figure(values)
        # A share's deviation is that of a coin.
        deviation = 1.0 if centered.figure is _share_below_0 else stdev(values)
        by_chance = sigmas * centered.spread * deviation / math.sqrt(len(values))
        figures.append((max(low - figure, figure - high) - by_chance, figure))
    beyond, figure = max(figures)
    farthest: dict[int, Measured] = {}
    for pair in sorted(pairs, key=lambda pair: -abs(getattr(pair.metrics, centered.feature))):
        farthest.setdefault(pair.index, pair)
    worst = list(farthest.values())[:WORST]
    return Verdict(
        centered.metric,
        len(pairs),
        figure,
        f"{low:g} to {high:g}{centered.unit}",
        beyond <= 0,
        tuple(pair.index for pair in worst),
        tuple(_values(worst, centered.feature)),
        tuple(pair.variant for pair in worst),
    )


def _values(group: Sequence[Measured], feature: str) -> list[float]:
    return [getattr(each.metrics, feature) for each in group]


def tone_cue(changes: NDArray[np.float64], people: Sequence[str]) -> float:
    """Return the accuracy of a linear classifier that is shown both pictures of a pair, in no order: .5 is chance.

    Logistic regression on the differences of the two pictures' features, which change sign with the order, so that
    there is no constant term; cross-validated, all pairs of a person held out together.

    Args:
        changes: (N, F) float64, features of the degraded picture minus those of the photo.
        people: whose pair each is.
    """
    fold_of = {person: number % FOLDS for number, person in enumerate(sorted(set(people)))}
    folds = np.array([fold_of[person] for person in people])
    right = 0.0
    for fold in set(folds.tolist()):
        known, held_out = changes[folds != fold], changes[folds == fold]
        scale = np.sqrt(np.mean(np.square(known), axis=0)) if len(known) else np.ones(changes.shape[1])
        scale = np.maximum(scale, 1e-9)
        told = held_out / scale @ _weights(known / scale)
        right += np.count_nonzero(told > 0) + np.count_nonzero(told == 0) / 2
    return float(right / len(changes))


def _weights(features: NDArray[np.float64]) -> NDArray[np.float64]:
    # Newton's method: the posterior has one maximum.
    weights = np.zeros(features.shape[1])
    for _ in range(STEPS):
        doubt = 1 / (1 + np.exp(features @ weights))
        curvature = (features * (doubt * (1 - doubt))[:, None]).T @ features + PRECISION * np.eye(len(weights))
        weights += np.linalg.solve(curvature, features.T @ doubt - PRECISION * weights)
    return weights
