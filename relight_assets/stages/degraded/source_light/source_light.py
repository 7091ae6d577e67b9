"""The photo's own light: from where it comes, how soft it is, and how much warmer than its fill."""

from dataclasses import dataclass

from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.source_light.catch_lights import MirroredLamp
from relight_assets.stages.degraded.source_light.direction_fit import fit_direction
from relight_assets.stages.degraded.source_light.face_points import FacePoints
from relight_assets.stages.degraded.source_light.key_color import fit_warmth

MIN_RELIABILITY = 0.5
"""Reliability, 0..1, below which a value is not used."""


@dataclass(frozen=True)
class SourceLight:
    """The photo's own light; each value is None where its reliability, 0..1, is under .5."""

    direction: Direction | None
    reliability: float
    """Probability that the light stands within 25 degrees of that."""
    softness: float | None = None
    """Share of what comes from all around in the light on what faces the lamp, 0..1."""
    softness_reliability: float = 0.0
    warmth: float | None = None
    """Ln R/B of the key light over that of the fill: positive where the key is warmer."""
    warmth_reliability: float = 0.0


UNKNOWN = SourceLight(None, 0.0)


def estimate(points: FacePoints | None, eyes: MirroredLamp | None = None) -> SourceLight:
    """Estimate the light of a photo from the skin of a face, and from what its eyes mirror."""
    if points is None:
        return UNKNOWN
    found = fit_direction(points, eyes)
    reliability = rounded(found.reliability)
    known = reliability >= MIN_RELIABILITY
    softness_reliability = rounded(found.fill_reliability)
    warmth, of_warmth = fit_warmth(points, found)
    warmth_reliability = rounded(of_warmth * found.reliability)
    return SourceLight(
        Direction(*found.direction) if known else None,
        reliability,
        rounded(found.fill_share) if softness_reliability >= MIN_RELIABILITY else None,
        softness_reliability,
        rounded(warmth) if warmth_reliability >= MIN_RELIABILITY else None,
        warmth_reliability,
    )
