"""Whether images of dark and of light skin fare alike: thirds of a split by the lightness of the skin."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from relight_assets.config.quality import Quality
from relight_assets.quality.measured import SOME, Measured, Verdict, values_of


def skin_verdicts(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """That no third of all skins, by lightness, fares much worse than all do."""
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
    bad = [[badness(value) for _, value in values_of(third, name)] for third in thirds]
    if not all(bad):
        return None
    middle = median(value for third in bad for value in third)
    return max(median(third) for third in bad) / middle - 1


def rejected_of(thirds: Sequence[Sequence[Measured]], rejected: Sequence[float]) -> list[int]:
    """How many of the photos that were rejected, by the lightness of their skin, belong to each of the thirds."""
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
