"""All images of a split held against the thresholds: each metric, its figure, and the worst images."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from relight_assets.quality.image_metrics import ImageMetrics
from relight_assets.quality.light_spread import Placed, Vector, spread
from relight_assets.recipe import Recipe
from relight_assets.thresholds import Quality

WORST = 8
MANY = 200
"""With fewer images, the spread of lights and the families' shares say nothing."""
SOME = 20
"""Images of a family or a third of skins, for a median that says something."""
FAMILY = 60
"""Images of a family, for a median of exposures, which are drawn over .9 stops, that is known to .06 stops."""
SIGMAS = 3.0


@dataclass(frozen=True)
class Measured:
    """An image and what was measured of it."""

    index: int
    family: str
    light_direction: Vector
    skin_lightness: float | None
    metrics: ImageMetrics
    source_light: Vector | None = None
    """Toward the photo's own light, where it is known."""
    mask_rim: float | None = None
    """How steep the light is across the face mesh's outline, against beside it."""
    variant: int = 0
    """Which of the image's lights."""


@dataclass(frozen=True)
class Verdict:
    """One metric over all images."""

    metric: str
    images: int
    value: float
    """What is held against the bound: that of the worst image, or of all of them."""
    bound: str
    passed: bool
    worst: tuple[int, ...] = ()
    """Numbers of the images that are worst, those first."""
    worst_values: tuple[float, ...] = ()
    """The figure of each of them."""
    worst_variants: tuple[int, ...] = ()
    """Which of its lights it is; empty where that says nothing."""


def verdicts(found: Sequence[Measured], recipe: Recipe, quality: Quality) -> list[Verdict]:
    """Every metric that so many images allow; none where there are none."""
    if not found:
        return []
    return [
        *_of_images(found, quality),
        *_of_medians(found, quality),
        *_of_families(found, recipe, quality),
        *_of_rims(found, quality),
        *_of_lights(found, recipe),
        *_of_skins(found, quality),
    ]


_Key = Callable[[ImageMetrics], float]


def _of_images(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Metrics of which every image must be good."""
    low, high = quality.strength_range
    yield _worst(
        found,
        "identity",
        lambda m: -m.identity,
        bound=-quality.min_identity,
        told=f">= {quality.min_identity:g}",
        sign=-1,
    )
    yield _worst(found, "weakest", lambda m: -m.strength, bound=-low, told=f">= {low:g} stops", sign=-1)
    yield _worst(found, "strongest", lambda m: m.strength, bound=high, told=f"<= {high:g} stops")
    exposure = quality.max_exposure
    yield _worst(found, "exposure", lambda m: abs(m.exposure), bound=exposure, told=f"<= {exposure:g} stops up or down")
    yield _worst(
        found, "clipping", lambda m: m.clipping, bound=quality.max_clipping, told=f"<= {quality.max_clipping:g}"
    )
    yield _worst(found, "crushed", lambda m: m.crushed, bound=quality.max_crushed, told=f"<= {quality.max_crushed:g}")
    yield _worst(
        found, "chroma", lambda m: m.chroma, bound=quality.max_chroma, told=f"<= {quality.max_chroma:g} degrees"
    )
    dark, bright = quality.rim_range
    yield _worst(found, "dark rim", lambda m: -m.rim, bound=-dark, told=f">= {dark:g}", sign=-1)
    yield _worst(found, "bright rim", lambda m: m.rim, bound=bright, told=f"<= {bright:g}")
    levels = quality.max_recomposition
    yield _worst(found, "recomposition", lambda m: m.recomposition, bound=levels, told=f"<= {levels} levels")
    yield _worst(found, "comb", lambda m: m.comb, bound=quality.max_comb, told=f"<= {quality.max_comb:g}")


def _worst(found: Sequence[Measured], metric: str, badness: _Key, *, bound: float, told: str, sign: int = 1) -> Verdict:
    return _worst_of(found, metric, lambda each: badness(each.metrics), bound=bound, told=told, sign=sign)


def _worst_of(
    found: Sequence[Measured],
    metric: str,
    badness: Callable[[Measured], float],
    *,
    bound: float,
    told: str,
    sign: int = 1,
) -> Verdict:
    ordered = sorted(found, key=lambda each: (-badness(each), each.index, each.variant))
    value = badness(ordered[0])
    worst: dict[int, Measured] = {}
    for each in ordered:
        worst.setdefault(each.index, each)  # of an image with several lights the worst of them
    shown = list(worst.values())[:WORST]
    return Verdict(
        metric,
        len(found),
        sign * value,
        told,
        value <= bound,
        tuple(each.index for each in shown),
        tuple(sign * badness(each) for each in shown),
        tuple(each.variant for each in shown),
    )


def _of_medians(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    identity = median(each.metrics.identity for each in found)
    strength = median(each.metrics.strength for each in found)
    clipping = fmean(each.metrics.clipping for each in found)
    low, high = quality.strength_median_range
    least, most = quality.min_identity_median, quality.max_clipping_mean
    yield Verdict("identity, median", len(found), identity, f">= {least:g}", identity >= least)
    if len(found) >= SOME:
        yield Verdict("strength, median", len(found), strength, f"{low:g} to {high:g} stops", low <= strength <= high)
    yield Verdict("clipping, mean", len(found), clipping, f"<= {most:g}", clipping <= most)


def _of_families(found: Sequence[Measured], recipe: Recipe, quality: Quality) -> Iterator[Verdict]:
    """Brightness must not give a family away; and each must be as frequent as the recipe says."""
    counts = Counter(each.family for each in found)
    lit = {
        family: median(each.metrics.lit_exposure for each in found if each.family == family)
        for family, count in counts.items()
        if count >= FAMILY and family != "none"
    }
    if len(lit) > 1:
        apart, most = max(lit.values()) - min(lit.values()), quality.max_lit_apart
        yield Verdict("families' lit exposure apart", len(found), apart, f"<= {most:g} stops", apart <= most)
    if len(found) >= MANY:
        off = max(
            abs(counts[family] / len(found) - share) / math.sqrt(max(share * (1 - share), 1e-9) / len(found))
            for family, share in recipe.degradation.weights.items()
        )
        yield Verdict("families' shares off", len(found), off, f"<= {SIGMAS:g} sigma", off <= SIGMAS)


def _of_rims(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """The face's outline must not show in the light as the rim of a mask would."""
    rims = [each for each in found if each.mask_rim is not None]
    if not rims:
        return
    most, middle = quality.max_mask_rim, median(each.mask_rim or 0.0 for each in rims)
    yield _worst_of(rims, "mask rim", lambda each: each.mask_rim or 0.0, bound=most, told=f"<= {most:g}")
    if len(rims) >= SOME:
        bound = quality.max_mask_rim_median
        yield Verdict("mask rim, median", len(rims), middle, f"<= {bound:g}", middle <= bound)


def _of_lights(found: Sequence[Measured], recipe: Recipe) -> Iterator[Verdict]:
    """Lights from above stand evenly all around, where the recipe and the photos' own lights let them."""
    if recipe.light_sampling.azimuth_range != (0.0, 360.0):
        return
    above = spread([Placed(each.family, each.light_direction, each.source_light) for each in found], recipe)
    images = round(float(above.found.sum()))
    if images >= MANY:
        yield Verdict("lights' azimuth uneven", images, above.off, f"<= {SIGMAS + 1:g} sigma", above.off <= SIGMAS + 1)


def _of_skins(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """No third of all skins, by lightness, fares much worse than all do."""
    thirds = terciles(found)
    if not thirds:
        return
    worse: tuple[_Key, ...] = (
        lambda m: 1 / max(m.identity, 1e-6),
        lambda m: 1 + abs(m.exposure),
        lambda m: 1 + m.chroma,
    )
    everybody = [each for third in thirds for each in third]
    off = max(
        median(badness(each.metrics) for each in third) / median(badness(each.metrics) for each in everybody) - 1
        for badness in worse
        for third in thirds
    )
    most = quality.max_tercile_worse
    yield Verdict("a third of skins worse by", len(everybody), off, f"<= {most:g}", off <= most)


def rejected_of(thirds: Sequence[Sequence[Measured]], rejected: Sequence[float]) -> list[int]:
    """How many of the photos that were turned away, by the lightness of their skin, belong to each of the thirds."""
    starts = [min(each.skin_lightness or 0.0 for each in third) for third in thirds[1:]]
    counts = Counter(sum(lightness >= start for start in starts) for lightness in rejected)
    return [counts[third] for third in range(len(thirds))]


def terciles(found: Sequence[Measured]) -> list[list[Measured]]:
    """The images with a face in thirds by the lightness of its skin, the dark third first; none of too few images."""
    faces = sorted((each for each in found if each.skin_lightness is not None), key=lambda e: e.skin_lightness or 0.0)
    if len(faces) < 3 * SOME:
        return []
    ends = [round(len(faces) * part / 3) for part in range(4)]
    return [faces[start:end] for start, end in pairwise(ends)]
