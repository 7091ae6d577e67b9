"""Speed, in rounds of: one worker, the plain peer, two workers.  So whatever the machine does meets all three."""

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench.isolated_process import isolated, one_core, two_cores
from benchmarks.bench.pipeline_run import RunCost, layout_of, run_once, slope
from benchmarks.bench.plain_peer import plain_once, write_masks
from benchmarks.bench.sizes import Sizes

Report = Callable[[str], None]
Columns = defaultdict[str, list[float]]
"""The values of each figure, one per round."""


class Rounds:
    """The rounds over the portraits of a CSV, and what came out so far."""

    def __init__(self, csv: Path, scratch: Path, sizes: Sizes, report: Report):
        self.rounds, self.stages, self.plain_stages = Columns(list), Columns(list), Columns(list)
        self.outputs = scratch / "pipeline"
        """The outputs of the last run with one worker."""
        self._csv, self._scratch, self._sizes = csv, scratch, sizes
        self._one, self._two = one_core(), two_cores()
        for number in range(sizes.rounds):
            report(f"round {number + 1} of {sizes.rounds}: one worker on one core")
            self._one_worker()
            report(f"round {number + 1} of {sizes.rounds}: the plain peer")
            self._plain(number)
            if self._two is not None:
                report(f"round {number + 1} of {sizes.rounds}: two workers on two cores")
                self._two_workers(self._two)

    def _one_worker(self) -> None:
        short, long = self._pair(self._one, self.outputs, workers=1)
        self.rounds["cpu_s_per_image"].append(slope(short.cpu_s, long.cpu_s, short.images, long.images))
        self.rounds["rate_1_worker"].append(1.0 / slope(short.wall_s, long.wall_s, short.images, long.images))
        self.rounds["peak_rss_mib"].append(long.worker_peak_mib)
        self.rounds["mib_per_image"].append(long.mib_per_image)
        for name, spent in long.stage_cpu_ms.items():
            self.stages[name].append(spent)

    def _two_workers(self, cores: frozenset[int]) -> None:
        out = self._scratch / "two"
        short, long = self._pair(cores, out, workers=2)
        self.rounds["rate_2_workers"].append(1.0 / slope(short.wall_s, long.wall_s, short.images, long.images))
        shutil.rmtree(out)

    def _pair(self, cores: frozenset[int], out: Path, workers: int) -> tuple[RunCost, RunCost]:
        short = isolated(cores, run_once, self._csv, out, self._sizes.short, workers)
        return short, isolated(cores, run_once, self._csv, out, self._sizes.long, workers)

    def _plain(self, number: int) -> None:
        """On other photos each round, of those that the one worker has just finished."""
        photos = sorted(path for path in self._csv.parent.iterdir() if path.stem.isdigit())
        start, masks = number * self._sizes.plain, self._scratch / "masks"
        chosen = photos[start : start + self._sizes.plain]
        write_masks(chosen, layout_of(self._csv, self.outputs), masks)
        out = self._scratch / "plain"
        cost = isolated(self._one, plain_once, chosen, masks, out, by_plane=False)
        shutil.rmtree(out)
        planes = isolated(self._one, plain_once, chosen[:1], masks, out, by_plane=True)
        shutil.rmtree(out)
        self.rounds["plain_cpu_s_per_image"].append(cost.cpu_s_per_image)
        self.rounds["plain_by_plane_cpu_s_per_image"].append(planes.cpu_s_per_image)
        for name, spent in cost.stage_cpu_ms.items():
            self.plain_stages[name].append(spent)
