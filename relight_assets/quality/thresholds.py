"""All images of a split held against the thresholds: each metric, its figure, and the worst images."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.quality.light_distribution import Placed, Vector, spread
from relight_assets.stages.image_metrics import ImageMetrics

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
    """An image and what was measured of it.  What its record does not have is None, and not counted."""

    index: int
    family: str | None
    light_direction: Vector | None
    skin_lightness: float | None
    metrics: ImageMetrics
    source_light: Vector | None = None
    """Toward the photo's own light, where it is known."""
    mask_rim: float | None = None
    """How steep the light is across the face mesh's outline, against beside it."""
    person_evidence: float | None = None
    """How strong the signs of a person are."""
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
        *_of_persons(found, quality),
        *_of_rims(found, quality),
        *_of_lights(found, recipe),
        *_of_skins(found, quality),
    ]


def _figures(found: Sequence[Measured], name: str) -> list[tuple[Measured, float]]:
    """A metric of the images that have it."""
    values = ((each, getattr(each.metrics, name)) for each in found)
    return [(each, value) for each, value in values if value is not None]


def _of_images(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Metrics of which every image must be good."""
    low, high = quality.strength_range
    dark, bright = quality.rim_range
    exposure, levels = quality.max_exposure, quality.max_recomposition
    least = quality.min_identity
    yield from _worst(found, "identity", "identity", -least, f">= {least:g}", sign=-1)
    yield from _worst(found, "weakest", "strength", -low, f">= {low:g} stops", sign=-1)
    yield from _worst(found, "strongest", "strength", high, f"<= {high:g} stops")
    yield from _worst(found, "exposure", "exposure", exposure, f"<= {exposure:g} stops up or down", badness=abs)
    yield from _worst(found, "clipping", "clipping", quality.max_clipping, f"<= {quality.max_clipping:g}")
    yield from _worst(found, "crushed", "crushed", quality.max_crushed, f"<= {quality.max_crushed:g}")
    yield from _worst(found, "chroma", "chroma", quality.max_chroma, f"<= {quality.max_chroma:g} degrees")
    yield from _worst(found, "dark rim", "rim", -dark, f">= {dark:g}", sign=-1)
    yield from _worst(found, "bright rim", "rim", bright, f"<= {bright:g}")
    yield from _worst(found, "recomposition", "recomposition", levels, f"<= {levels} levels")
    yield from _worst(found, "comb", "comb", quality.max_comb, f"<= {quality.max_comb:g}")


def _worst(
    found: Sequence[Measured],
    metric: str,
    name: str,
    bound: float,
    wanted_text: str,
    *,
    sign: int = 1,
    badness: Callable[[float], float] = float,
) -> Iterator[Verdict]:
    figures = [(each, sign * badness(value)) for each, value in _figures(found, name)]
    if figures:
        yield _worst_of(figures, metric, bound=bound, wanted_text=wanted_text, sign=sign)


def _worst_of(
    figures: Sequence[tuple[Measured, float]], metric: str, *, bound: float, wanted_text: str, sign: int = 1
) -> Verdict:
    """Of images and how bad each is: ``sign`` times its figure."""
    ordered = sorted(figures, key=lambda figure: (-figure[1], figure[0].index, figure[0].variant))
    worst: dict[int, tuple[Measured, float]] = {}
    for each, bad in ordered:
        worst.setdefault(each.index, (each, bad))  # of an image with several lights the worst of them
    shown = list(worst.values())[:WORST]
    value = ordered[0][1]
    return Verdict(
        metric,
        len(figures),
        sign * value,
        wanted_text,
        value <= bound,
        tuple(each.index for each, _ in shown),
        tuple(sign * bad for _, bad in shown),
        tuple(each.variant for each, _ in shown),
    )


def _of_medians(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    low, high = quality.strength_median_range
    least, most = quality.min_identity_median, quality.max_clipping_mean
    if identities := [value for _, value in _figures(found, "identity")]:
        identity = median(identities)
        yield Verdict("identity, median", len(identities), identity, f">= {least:g}", identity >= least)
    strengths = [value for _, value in _figures(found, "strength")]
    if len(strengths) >= SOME:
        strength, wanted_text = median(strengths), f"{low:g} to {high:g} stops"
        yield Verdict("strength, median", len(strengths), strength, wanted_text, low <= strength <= high)
    if clippings := [value for _, value in _figures(found, "clipping")]:
        clipping = fmean(clippings)
        yield Verdict("clipping, mean", len(clippings), clipping, f"<= {most:g}", clipping <= most)


def _of_families(found: Sequence[Measured], recipe: Recipe, quality: Quality) -> Iterator[Verdict]:
    """Brightness must not give a family away; and each must be as frequent as the recipe says."""
    exposures: dict[str, list[float]] = {}
    for each, value in _figures(found, "lit_exposure"):
        if each.family is not None and each.family in recipe.degradation.key_lights:
            exposures.setdefault(each.family, []).append(value)
    lit = {family: median(values) for family, values in exposures.items() if len(values) >= FAMILY}
    if len(lit) > 1:
        apart, most = max(lit.values()) - min(lit.values()), quality.max_lit_apart
        wanted_text = sum(map(len, exposures.values()))
        yield Verdict("families' lit exposure apart", wanted_text, apart, f"<= {most:g} stops", apart <= most)
    counts = Counter(each.family for each in found if each.family is not None)
    images = counts.total()
    if images >= MANY:
        off = max(
            abs(counts[family] / images - share) / math.sqrt(max(share * (1 - share), 1e-9) / images)
            for family, share in recipe.degradation.weights.items()
        )
        yield Verdict("families' shares off", images, off, f"<= {SIGMAS:g} sigma", off <= SIGMAS)


def _of_persons(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Each image must be of a person, whatever the recipe let in."""
    signs = [(each, -each.person_evidence) for each in found if each.person_evidence is not None]
    if signs:
        least = quality.min_person_evidence
        yield _worst_of(signs, "person evidence", bound=-least, wanted_text=f">= {least:g}", sign=-1)


def _of_rims(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """The face's outline must not show in the light as the rim of a mask would."""
    rims = [(each, each.mask_rim) for each in found if each.mask_rim is not None]
    if not rims:
        return
    most, middle = quality.max_mask_rim, median(rim for _, rim in rims)
    yield _worst_of(rims, "mask rim", bound=most, wanted_text=f"<= {most:g}")
    if len(rims) >= SOME:
        bound = quality.max_mask_rim_median
        yield Verdict("mask rim, median", len(rims), middle, f"<= {bound:g}", middle <= bound)


def _of_lights(found: Sequence[Measured], recipe: Recipe) -> Iterator[Verdict]:
    """Lights from above stand evenly all around, where the recipe and the photos' own lights let them."""
    if recipe.light_sampling.azimuth_range != (0.0, 360.0):
        return
    placed = [
        Placed(each.family, each.light_direction, each.source_light)
        for each in found
        if each.family is not None and each.light_direction is not None
    ]
    above = spread(placed, recipe)
    images = round(float(above.found.sum()))
    if images >= MANY:
        yield Verdict("lights' azimuth uneven", images, above.off, f"<= {SIGMAS + 1:g} sigma", above.off <= SIGMAS + 1)


def _of_skins(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """No third of all skins, by lightness, fares much worse than all do."""
    thirds = terciles(found)
    if not thirds:
        return
    everybody = [each for third in thirds for each in third]
    off = [
        worse
        for name, badness in _SKIN_METRICS.items()
        if (worse := _third_worse_by(thirds, name, badness)) is not None
    ]
    if off:
        most = quality.max_tercile_worse
        yield Verdict("a third of skins worse by", len(everybody), max(off), f"<= {most:g}", max(off) <= most)


_SKIN_METRICS: dict[str, Callable[[float], float]] = {
    "identity": lambda value: 1 / max(value, 1e-6),
    "exposure": lambda value: 1 + abs(value),
    "chroma": lambda value: 1 + value,
}
"""How bad each metric is that all skins must fare alike by."""


def _third_worse_by(thirds: Sequence[Sequence[Measured]], name: str, badness: Callable[[float], float]) -> float | None:
    """By which share a third is worse than all; None where a third does not have the metric."""
    bad = [[badness(value) for _, value in _figures(third, name)] for third in thirds]
    if not all(bad):
        return None
    middle = median(value for third in bad for value in third)
    return max(median(third) for third in bad) / middle - 1


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
