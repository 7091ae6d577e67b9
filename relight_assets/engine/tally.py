"""Sums over the images of a run, stage by stage: what the UI shows as numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from relight_assets.dataset.metrics import fitted, fitted_timings, lights_of
from relight_assets.engine.execution.messages import ImageResult, Outcome
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names


@dataclass
class StageTally:
    """One stage over all images."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add_numbers(self, numbers: dict[str, Any]) -> None:
        """Add an image's recorded numbers, each that is one; text is left to whoever counts it."""
        for name, value in numbers.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self.sums[name] += value  # type: ignore[assignment]
                self.counts[name] += 1

    def mean(self, name: str) -> float | None:
        """The mean of a number over the images that have it."""
        return self.sums[name] / self.counts[name] if self.counts[name] else None


@dataclass
class DeviceTally:
    """What one worker's place did in a run: if one lags behind, it shows here."""

    images: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    """Thread seconds by step."""
    replaced: int = 0
    """How often its worker died or hung and was replaced."""
    lost: bool = False
    """The device could not be used, or was given up."""
    peak_mib: int = 0
    """Resident memory of its worker at most, MiB."""
    gpu_peak_mib: int = 0
    """Memory of its GPU in use, whoever used it, at most, MiB, looked at once a second; 0 without a GPU."""

    def add(self, result: ImageResult) -> None:
        """Add one image."""
        self.images += 1
        self.peak_mib = max(self.peak_mib, result.peak_mib)
        for step, milliseconds in fitted_timings(result.timings_ms).items():
            self.seconds[step] += milliseconds / 1000.0  # type: ignore[assignment]

    def busy_share(self, wall_s: float, threads: int) -> float:
        """Share of the time of the stage threads in which they worked, 0..1."""
        spent = sum(self.seconds.values()) - self.seconds["segment"] - self.seconds["decode"]
        return spent / (wall_s * threads) if wall_s > 0 else 0.0

    def segmenter_share(self, wall_s: float) -> float:
        """Share of the time in which the segmenter worked, 0..1.  Near 1: it is what one waits for."""
        return self.seconds["segment"] / wall_s if wall_s > 0 else 0.0


@dataclass
class Tally:
    """All stages of a run, the failures by code and the lights by family."""

    stages: dict[Stage, StageTally] = field(default_factory=lambda: {stage: StageTally() for stage in stage_names()})
    codes: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    computed_images: int = 0

    def add(self, result: ImageResult) -> None:
        """Add one image."""
        for stage, outcome in result.outcomes.items():
            self.stages[stage].outcomes[outcome] += 1
        for stage, numbers in result.numbers.items():
            for each in lights_of(fitted(stage, numbers)):
                self.stages[stage].add_numbers(each)
                if stage == "degraded" and each.get("degradation_type") is not None:
                    self.families[each["degradation_type"]] += 1
        if result.code is not None:
            self.codes[result.code] += 1
        self.computed_images += "computed" in result.outcomes.values()

    def add_all(self, results: Iterable[ImageResult]) -> None:
        """Add many images."""
        for result in results:
            self.add(result)
