"""The tone curve of a camera: contrast about the middle tone, and highlights that roll off."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.core.color import peaks, safe_ratio, scaled_by_peak, shoulder
from relight_assets.stages.degraded.defects import LUMINANCE_FLOOR

ROLLOFF_START, ROLLOFF_TOP = 0.8, 0.97
"""Linear light at which highlights begin to be compressed, and which they approach: no channel is ever clipped."""
WIDTH = 3.0
"""Stops from the middle tone at which the curve bends back to a constant gain: deep shadows are not crushed."""
MAX_ODD, MAX_EVEN = 0.45, 0.4
"""Largest parts of a curve.  The slope over a logarithm of light stays above .35, so no curve turns back."""
NEAREST = 0.25
"""Stops from the middle tone within which no point bends the curve."""


def levels(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log2 of linear light, stops, float32; what is nearly black counts as .004."""
    return np.log2(light + LUMINANCE_FLOOR)


@dataclass(frozen=True)
class ToneCurve:
    """Stops that are added to a level, ``WIDTH (odd t + even t^2)`` with ``t = tanh((level - pivot) / WIDTH)``.

    The largest of a pixel's three channels is the level, and all three get the same gain: colors stay.
    """

    pivot: float = 0.0
    odd: float = 0.0
    even: float = 0.0

    @classmethod
    def through(cls, pivot: float, dark: tuple[float, float], light: tuple[float, float]) -> "ToneCurve":
        """The curve that leaves the pivot, a level, and adds to a darker and a lighter level their stops."""
        t_dark = float(np.tanh(min(dark[0] - pivot, -NEAREST) / WIDTH))
        t_light = float(np.tanh(max(light[0] - pivot, NEAREST) / WIDTH))
        below, above = dark[1] / (WIDTH * t_dark), light[1] / (WIDTH * t_light)
        even = (above - below) / (t_light - t_dark)
        odd = below - even * t_dark
        return cls(pivot, min(max(odd, -MAX_ODD), MAX_ODD), min(max(even, -MAX_EVEN), MAX_EVEN))

    def moved(self, stops: float) -> "ToneCurve":
        """The same curve about a lighter or darker tone."""
        return replace(self, pivot=self.pivot + stops)

    def factor(self, planes: Sequence[Plane]) -> Plane:
        """Return the factor (h, w) of three (h, w) planes, linear; after it none exceeds ``ROLLOFF_TOP``."""
        return scaled_by_peak(planes, self._table, self.factor_of)

    def factor_of(self, peak: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the same for two-dimensional values of the largest channel, exactly."""
        t = np.tanh((levels(peak) - np.float32(self.pivot)) * np.float32(1 / WIDTH))
        gain = np.exp2(t * (np.float32(WIDTH * self.odd) + np.float32(WIDTH * self.even) * t))
        return gain * safe_ratio(shoulder(peak * gain, ROLLOFF_START, ROLLOFF_TOP), np.maximum(peak * gain, 1e-6))

    @cached_property
    def _table(self) -> NDArray[np.float32]:
        table = self.factor_of(peaks())
        table[:, 0] = table[:, 1]
        return table
