"""Whether the albedos of a split are what they must be, together: a single one tells little."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from relight_assets.config.quality import Quality
from relight_assets.quality.fairness import terciles
from relight_assets.quality.measured import SOME, WORST, Measured, Verdict


@dataclass(frozen=True)
class _Bound:
    """A metric, and what so many of a split's albedos must keep to."""

    name: str
    bound: str
    """The threshold's name in :class:`~relight_assets.config.quality.Quality`."""
    share: float
    """Of the images: .5 is the median, 1 all."""
    unit: str = ""
    sign: int = 1
    """-1: larger values are better."""
    badness: Callable[[float], float] = float
    in_thirds: bool = False
    """Whether each third of skins, by lightness, must keep to it, where there are so many."""
    shown: bool = True
    """Whether the worst images are named: by one bound of each metric."""

    @property
    def metric(self) -> str:
        words = self.name.replace("_", " ")
        return words if self.shown else f"{words}, {_of(self.share)}"


def _of(share: float) -> str:
    return {0.5: "median", 1.0: "worst"}.get(share, f"{share:.0%}")


def _off_one(ratio: float) -> float:
    return abs(ratio - 1)


_BOUNDS = (
    _Bound("skin_against_rest", "max_skin_against_rest", 0.9, " stops", badness=abs, in_thirds=True),
    _Bound("skin_against_rest", "max_skin_against_rest_worst", 1.0, " stops", badness=abs, shown=False),
    _Bound("mid_contrast", "min_mid_contrast", 0.95, sign=-1),
    _Bound("mid_contrast", "min_mid_contrast_median", 0.5, sign=-1, shown=False),
    _Bound("own_light_left", "max_own_light_left_median", 0.5),
    _Bound("chroma_step", "max_chroma_step", 0.95),
    _Bound("highlight_left", "max_highlight_left_median", 0.5),
    _Bound("dark_lift", "max_dark_lift", 0.95, " stops"),
    _Bound("newly_clipped", "max_newly_clipped", 0.95),
    _Bound("face_chroma", "max_face_chroma_off", 0.95, badness=_off_one),
)


def albedo_verdicts(found: Sequence[Measured], quality: Quality) -> Iterator[Verdict]:
    """Each bound that enough images have a figure for; of an image with several lights the albedo counts once."""
    images = list({each.index: each for each in reversed(found)}.values())[::-1]
    for bound in _BOUNDS:
        verdict = _verdict(images, bound, float(getattr(quality, bound.bound)))
        if verdict is not None:
            yield verdict


def _verdict(images: Sequence[Measured], bound: _Bound, most: float) -> Verdict | None:
    figures = _figures(images, bound)
    if len(figures) < SOME:
        return None
    thirds = terciles(images) if bound.in_thirds else []
    groups = [group for third in thirds if len(group := _figures(third, bound)) >= SOME]
    figure = max(_at(group, bound.share) for group in (figures, *groups))
    worst = figures[:WORST] if bound.shown else []
    return Verdict(
        bound.metric,
        len(figures),
        bound.sign * figure,
        f"{'>=' if bound.sign < 0 else '<='} {most:g}{bound.unit} ({_of(bound.share)})",
        bound.sign * figure >= most if bound.sign < 0 else figure <= most,
        tuple(each.index for each, _ in worst),
        tuple(getattr(each.albedo, bound.name) for each, _ in worst),
        image="albedo",
    )


def _figures(images: Sequence[Measured], bound: _Bound) -> list[tuple[Measured, float]]:
    """The images that have the metric, with how bad each is, the worst first."""
    values = ((each, getattr(each.albedo, bound.name)) for each in images)
    bad = [(each, bound.sign * bound.badness(value)) for each, value in values if value is not None]
    return sorted(bad, key=lambda figure: (-figure[1], figure[0].index))


def _at(figures: Sequence[tuple[Measured, float]], share: float) -> float:
    """The worst figure once the rest of the images, those that may be worse, is left out."""
    return figures[len(figures) - math.ceil(share * len(figures))][1]
