"""The best pairs of a split, spread over light families, directions and skins."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from relight_assets.config.quality import DEFAULT_QUALITY as BOUNDS

_FAULTS: Mapping[str, float] = {
    "masks_undecided": BOUNDS.max_undecided,
    "masks_cutout_stairs": BOUNDS.max_cutout_stairs,
    "masks_cutout_see_through": BOUNDS.max_cutout_see_through,
    "masks_cutout_rim": BOUNDS.max_cutout_rim,
    "masks_face_clipped": BOUNDS.max_clipping,
    "albedo_skin_against_rest": BOUNDS.max_skin_against_rest,
    "albedo_own_light_left": BOUNDS.max_own_light_left_median,
    "albedo_highlight_left": BOUNDS.max_highlight_left_median,
    "albedo_chroma_step": BOUNDS.max_chroma_step,
    "albedo_dark_lift": BOUNDS.max_dark_lift,
    "degraded_metrics_exposure": BOUNDS.max_exposure,
    "degraded_metrics_clipping": BOUNDS.max_clipping,
    "degraded_metrics_crushed": BOUNDS.max_crushed,
    "degraded_metrics_comb": BOUNDS.max_comb,
    "degraded_mask_rim": BOUNDS.max_mask_rim,
}
"""Columns of samples.csv of which less is better, up or down, with the default bound of each."""
_MERITS: Mapping[str, float] = {
    "albedo_mid_contrast": BOUNDS.min_mid_contrast_median,
    "degraded_metrics_identity": BOUNDS.min_identity_median,
    "degraded_face_light": 0.7,
    "masks_person_evidence": BOUNDS.min_person_evidence,
}
"""Those of which more is better; of the light on a face, stops from which it is seen."""


def quality_of(labels: Mapping[str, Any]) -> float | None:
    """How good a pair is: 0 to 1, .5 where each of its metrics lies at its bound; None where nothing was measured.

    The mean over the metrics that were measured of 1 / (1 + r^2), with r the metric over its bound, or the other way
    round where more is better.
    """
    ratios = [labels[name] / bound for name, bound in _FAULTS.items() if labels.get(name) is not None]
    ratios += [bound / max(labels[name], 1e-6) for name, bound in _MERITS.items() if labels.get(name) is not None]
    return round(sum(1 / (1 + ratio**2) for ratio in ratios) / len(ratios), 6) if ratios else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair that may be taken: who it is, and what of its labels decides."""

    who: Hashable
    family: str | None
    direction: str | None
    skin: float | None
    """Lightness of the skin, CIE L*."""
    quality: float

    @classmethod
    def of(cls, who: Hashable, labels: Mapping[str, Any]) -> "Candidate":
        """From a row of samples.csv."""
        return cls(
            who,
            labels["family"],
            labels["light_direction_word"],
            labels["masks_skin_lightness"],
            labels["quality"] or 0.0,
        )


def third_bounds(skins: Iterable[float]) -> tuple[float, ...]:
    """The lightness, CIE L*, from which skins are in the second and in the last third; none without skins."""
    found = sorted(skins)
    return (found[len(found) // 3], found[2 * len(found) // 3]) if found else ()


def third_of(skin: float | None, bounds: Iterable[float]) -> int | None:
    """0 for a skin in the darkest third, 1, 2; None where there is no skin."""
    return None if skin is None else sum(skin >= bound for bound in bounds)


def best_of(candidates: Iterable[Candidate], count: int) -> frozenset[Hashable]:
    """So many of the best, in turn from each group of one light family, one direction and one third of the skins.

    The best of each group come first, then the second best, and so on; among those of one turn the better ones.
    """
    found = list(candidates)
    bounds = third_bounds(each.skin for each in found if each.skin is not None)
    groups: defaultdict[Hashable, list[Candidate]] = defaultdict(list)
    for each in sorted(found, key=lambda each: -each.quality):  # stable: of equal ones the first rows
        groups[each.family, each.direction, third_of(each.skin, bounds)].append(each)
    turns = ((turn, -each.quality, each.who) for group in groups.values() for turn, each in enumerate(group))
    return frozenset(who for _, _, who in sorted(turns, key=lambda turn: turn[:2])[:count])
