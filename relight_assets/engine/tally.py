"""What a run did, counted as its results come: images by outcome, and the work of each device."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from relight_assets.dataset.metrics import fitted_timings
from relight_assets.engine.execution.messages import ImageResult, StageStatus
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import all_stage_names


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
    """What became of the images of a run: by stage and outcome, and by the code of what holds them up."""

    outcomes: dict[Stage, Counter[StageStatus]] = field(
        default_factory=lambda: {stage: Counter() for stage in all_stage_names()}
    )
    codes: Counter[str] = field(default_factory=Counter)
    computed_images: int = 0

    def add(self, outcomes: Mapping[Stage, StageStatus], code: str | None = None, *, images: int = 1) -> None:
        """Add one image, or several of the same outcomes."""
        if images == 0:
            return
        for stage, outcome in outcomes.items():
            self.outcomes[stage][outcome] += images
        if code is not None:
            self.codes[code] += images
        if "computed" in outcomes.values():
            self.computed_images += images
