"""All images of a split compared with the thresholds: each metric, its value, and the worst images."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import fmean, median

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.quality.albedo import albedo_verdicts
from relight_assets.quality.fairness import skin_verdicts
from relight_assets.quality.light_distribution import Placed, spread
from relight_assets.quality.measured import SOME, WORST, Measured, Verdict, values_of
from relight_assets.quality.tone import tone_verdicts

MANY = 200
"""With fewer images, the spread of lights and the families' shares say nothing."""
FAMILY = 60
"""Images of a family, for a median of exposures, which are drawn over .9 stops, that is known to .06 stops."""
SIGMAS = 3.0
_RIM_ON_AVERAGE = "cutout rim"
"""The one metric of cut-outs whose threshold is for the mean of many."""


NEAR = 0.2
"""Of a threshold: as close as that to it, the worst images are worth looking at."""


def verdicts(found: Sequence[Measured], recipe: Recipe, quality: Quality) -> list[Verdict]:
    """Every metric that so many images allow; none where there are none."""
    if not found:
        return []
    return [
        *_of_images(found, quality),
        *_of_medians(found, quality),
        *_of_families(found, recipe, quality),
        *_of_persons(found, quality),
        *_of_cutouts(found, quality),
        *albedo_verdicts(found, quality),
        *_of_eyes(found, quality),
        *_of_rims(found, quality),
        *_of_lights(found, recipe),
        *skin_verdicts(found, quality),
        *tone_verdicts(found, quality),
    ]


def failed_metrics(each: Measured, quality: Quality) -> list[str]:
    """The metrics of one light of an image that are beyond their thresholds, of those that every image must keep."""
    alone = (each,)
    found = (*_of_images(alone, quality), *_of_persons(alone, quality), *_of_cutouts(alone, quality))
    found = (*found, *_of_rims(alone, quality))
    return [verdict.metric for verdict in found if not verdict.passed and verdict.metric != _RIM_ON_AVERAGE]


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
    lit_in_front = [each for each in found if each.light_direction is None or each.light_direction[2] >= 0]
    yield from _worst(lit_in_front, "bright rim", "rim", bright, f"<= {bright:g}")  # from behind rims are meant
    yield from _worst(found, "recomposition", "recomposition", levels, f"<= {levels} levels")
    yield from _worst(found, "comb", "comb", quality.max_comb, f"<= {quality.max_comb:g}")
    speckle = quality.max_black_speckle
    yield from _worst(found, "black speckle", "black_speckle", speckle, f"<= {speckle:g}")


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
    figures = [(each, sign * badness(value)) for each, value in values_of(found, name)]
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
        near_bound=ordered[0][1] > bound - NEAR * abs(bound),
    )


def _of_medians(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    low, high = quality.strength_median_range
    least, most = quality.min_identity_median, quality.max_clipping_mean
    if identities := [value for _, value in values_of(found, "identity")]:
        identity = median(identities)
        yield Verdict("identity, median", len(identities), identity, f">= {least:g}", identity >= least)
    strengths = [value for _, value in values_of(found, "strength")]
    if len(strengths) >= SOME:
        strength, wanted_text = median(strengths), f"{low:g} to {high:g} stops"
        yield Verdict("strength, median", len(strengths), strength, wanted_text, low <= strength <= high)
    if clippings := [value for _, value in values_of(found, "clipping")]:
        clipping = fmean(clippings)
        yield Verdict("clipping, mean", len(clippings), clipping, f"<= {most:g}", clipping <= most)


def _of_families(found: Sequence[Measured], recipe: Recipe, quality: Quality) -> Iterator[Verdict]:
    """Brightness must not give a family away; and each must be as frequent as the recipe says."""
    exposures: dict[str, list[float]] = {}
    for each, value in values_of(found, "lit_exposure"):
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


def _of_cutouts(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Each cut-out must be one that a true alpha could be, whatever the recipe let in."""
    bounds = {
        "undecided": quality.max_undecided,
        "cutout_stairs": quality.max_cutout_stairs,
        "cutout_speckle": quality.max_cutout_speckle,
        "cutout_see_through": quality.max_cutout_see_through,
    }
    for name, most in bounds.items():
        values = [(each, getattr(each, name)) for each in found]
        figures = [(each, value) for each, value in values if value is not None]
        if figures:
            yield _worst_of(figures, name.replace("_", " "), bound=most, wanted_text=f"<= {most:g}")
    rims = [(each, each.cutout_rim) for each in found if each.cutout_rim is not None]
    if rims:  # one image alone tells little: a true alpha that was cut from another background had .72
        most, middle = quality.max_cutout_rim, fmean(rim for _, rim in rims)
        worst = _worst_of(rims, _RIM_ON_AVERAGE, bound=most, wanted_text=f"<= {most:g} on average")
        yield replace(worst, value=middle, passed=middle <= most)


def _of_eyes(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Catch-lights must follow the drawn lights; a single one may stay by chance."""
    overlaps = [overlap for each in found for overlap in each.eye_overlaps]
    if len(overlaps) >= SOME:
        most, middle = quality.max_eye_overlap_median, median(overlaps)
        figures = [(each, max(each.eye_overlaps)) for each in found if each.eye_overlaps]
        worst = _worst_of(figures, "eye overlap, median", bound=most, wanted_text=f"<= {most:g}")
        yield replace(worst, images=len(overlaps), value=middle, passed=middle <= most)


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
        Placed(each.family, each.light_direction, each.source_light, each.patterned)
        for each in found
        if each.family is not None and each.light_direction is not None
    ]
    above = spread(placed, recipe)
    images = round(float(above.found.sum()))
    if images >= MANY:
        yield Verdict("lights' azimuth uneven", images, above.off, f"<= {SIGMAS + 1:g} sigma", above.off <= SIGMAS + 1)


_SKIN_METRICS: dict[str, Callable[[float], float]] = {
    "identity": lambda value: 1 / max(value, 1e-6),
    "exposure": lambda value: 1 + abs(value),
    "chroma": lambda value: 1 + value,
}
"""How bad each metric is that all skins must fare alike by."""
