"""The figures of one bench, by the names that they have in its JSON, and their goals."""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.bench.projection import Projection


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Medians over the rounds.  CPU is user and system time of all processes concerned."""

    cpu_s_per_image: float
    """Parent and workers, everything written; the slope between a short and a long run."""
    plain_cpu_s_per_image: float
    """The plain peer, one thread, masks given."""
    plain_by_plane_cpu_s_per_image: float
    """The same, blurring the channels as separate planes."""
    cpu_ratio: float
    """``plain_cpu_s_per_image / cpu_s_per_image``."""
    cpu_ratio_by_plane: float
    stage_cpu_ms: dict[str, float]
    """CPU of each step of an image in its worker's threads."""
    other_cpu_ms: float
    """What of ``cpu_s_per_image`` is in no step: reading and writing records, hashing, hand-over, the parent."""
    plain_stage_cpu_ms: dict[str, float]
    rate_1_worker: float
    """Images per second, one worker of one thread, all processes on one core."""
    rate_2_workers: float | None
    """The same with two workers on two cores; None where there are no two cores."""
    speedup_2_workers: float | None
    """Median of the rounds' ratios."""
    peak_rss_mib: float
    """High-water mark of one worker's resident memory."""
    parent_rss_mib_1000: float
    """Resident memory of the parent after a tenth of ``dispatch_items``: 1,000 of 10,000."""
    parent_rss_mib_10000: float
    """The same after all of them."""
    parent_growth_mib: float
    dispatch_ms_per_item: float
    """The parent's CPU per item with a worker that does nothing, at the platform's default batch."""
    dispatch_ms_per_item_batch_16: float
    plan_12000_s: float
    """Wall time of scan and plan where all ``planned_images`` are finished."""
    plan_12000_cpu_s: float
    state_bytes_per_row: float
    """Memory of scan and plan at their peak, beyond the CSV, there."""
    noop_run_12000_s: float
    """Wall time of the whole run that finds nothing to do there."""
    startup_s: float
    """Wall time from the call of ``run_split`` until the first worker is ready, models loaded."""
    mib_per_image: float
    """What is written per image."""
    projection: Projection
    sizes: dict[str, int]
    """How much was measured."""
    rounds: dict[str, list[float]]
    """What the medians were taken of."""
    machine: dict[str, Any]
    noisy: bool
    """The machine was busy with something else when the bench began: wall times are not to be quoted."""
    quick: bool
    """A test that the bench works; no figure of it means anything."""
    goals: list["Goal"] = field(default_factory=list)


@dataclass(frozen=True)
class Goal:
    """A figure and its limit; ``met`` is None where it was not measured."""

    key: str
    at_most: float | None
    at_least: float | None
    met: bool | None


_AT_MOST = {
    "cpu_s_per_image": 0.25,
    "dispatch_ms_per_item": 0.3,
    "plan_12000_s": 0.8,
    "state_bytes_per_row": 1000.0,
    "parent_growth_mib": 2.0,
}
_AT_LEAST = {"cpu_ratio": 30.0, "speedup_2_workers": 1.85}


def goals_of(figures: Figures) -> list[Goal]:
    """Each goal, and whether it is met."""
    goals = []
    for key in (*_AT_MOST, *_AT_LEAST):
        value, most, least = getattr(figures, key), _AT_MOST.get(key), _AT_LEAST.get(key)
        met = None
        if value is not None and not figures.quick:
            met = (most is None or value <= most) and (least is None or value >= least)
        goals.append(Goal(key, most, least, met))
    return goals
