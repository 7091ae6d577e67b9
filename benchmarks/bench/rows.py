"""What large splits cost, by the number of their rows: ``python -m benchmarks.bench --rows N``."""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.bench.hand_out import hand_out, hand_out_by_ray
from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.pipeline_run import run_once, settings_for
from benchmarks.bench.planning import multiply
from benchmarks.bench.portraits import write_portraits
from benchmarks.bench.sizes import QUICK
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.defs.checks.mapping_checks import check_split
from relight_assets.defs.publishing import publish
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.quality.duplicates.near_fingerprints import BITS, nearest
from relight_assets.stages.masks.perceptual_hash import SAME_BITS
from relight_assets.stages.registry import stage_names

ORIGINALS = 8
"""Portraits that are really made, at least; the others are links to their files."""
LINKS = 60_000
"""Of one file; ext4 lets it have 65,000."""
MOST_COMPARED = 100_000
"""Fingerprints, because where they share most bits the time grows with their square."""
SLOTS = (8, 64, 512)
OWN_BITS = (56, 120)
"""Of the fingerprints of photos that share a background, how many are not those of the background."""


@dataclass(frozen=True)
class Cost:
    """What one task took, in a process of its own."""

    task: str
    rows: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    """Resident memory at most, MiB, imports and all."""
    imports_mib: float
    """Of these, what the process had before the task."""


def plan(csv: Path, output_root: Path) -> None:
    """Read the CSV, scan the split and plan."""
    split, recipe, settings = read_split_csv(csv), Recipe(), settings_for(output_root, 1)
    make_plan(load_split_state(split, recipe, settings), digests_of(recipe, settings), stage_names())


def run(csv: Path, output_root: Path) -> None:
    """A whole run; of a finished split it has nothing to do."""
    run_split(read_split_csv(csv), Recipe(), settings_for(output_root, 1), RunOptions())


def check(csv: Path, output_root: Path) -> None:
    """Scan the split, write its mapping, make all ten checks and publish it."""
    loaded, settings = LoadedRecipe(Recipe(), ()), settings_for(output_root, 1)
    checks = partial(check_split, loaded=loaded, settings=settings, before={})
    publish(read_split_csv(csv), loaded, settings, check=checks)


def near_duplicates(count: int, own_bits: int) -> None:
    """Compare so many random fingerprints with one another, all bits of which are the same but ``own_bits``."""
    generator = np.random.default_rng(count)
    bits = np.zeros((count, BITS), np.uint8) + generator.integers(0, 2, BITS, np.uint8)
    bits[:, generator.permutation(BITS)[:own_bits]] = generator.integers(0, 2, (count, own_bits), np.uint8)
    nearest(np.packbits(bits, axis=1), None, np.full(count, SAME_BITS))


def costs(count: int, scratch: Path, report: Callable[[str], object]) -> Iterator[Cost]:
    """Every cost of a split of so many finished rows, which is made in the empty folder ``scratch``."""
    few = scratch / "few"
    few.mkdir(parents=True)
    originals = min(max(ORIGINALS, -(-count // LINKS)), count)
    csv = write_portraits(few, originals, QUICK.side)
    isolated(one_core(), run_once, csv, few / "outputs", originals, 1)
    report(f"{count:,} rows are made")
    many = multiply(csv, few / "outputs", count, scratch / "many")
    outputs = many.parent / "outputs"
    for _ in range(2):  # as before any later run: the folder is this CSV's, then what records say is kept
        isolated(one_core(), run, many, outputs)
    tasks: list[tuple[str, Callable[..., object], tuple[object, ...]]] = [
        ("plan", plan, (many, outputs)),
        ("run with nothing to do", run, (many, outputs)),
        ("mapping and all checks", check, (many, outputs)),
        ("mapping and all checks again", check, (many, outputs)),
        *((f"hand-out to {slots} simulated slots", hand_out, (count, slots)) for slots in SLOTS),
        *((f"hand-out to {slots} simulated Ray actors", hand_out_by_ray, (count, slots)) for slots in SLOTS),
    ]
    compared = min(count, MOST_COMPARED)
    for own_bits in (BITS, *OWN_BITS):
        of_bits = f", {BITS - own_bits} of {BITS} bits shared" if own_bits < BITS else ""
        tasks.append((f"near duplicates{of_bits}", near_duplicates, (compared, own_bits)))
    for name, task, arguments in tasks:
        rows = compared if task is near_duplicates else count
        cost = Cost(name, rows, *isolated(one_core(), _timed, task, *arguments))
        report(f"{rows:,} rows: {name}: {cost.cpu_s:.2f} s CPU, {cost.peak_mib:.0f} MiB")
        yield cost


def _timed(task: Callable[..., object], *arguments: object) -> tuple[float, float, float, float]:
    """CPU and wall seconds of a task, and the process's peak memory in MiB after and before it."""
    before = _peak_mib()
    cpu, wall = time.process_time(), time.perf_counter()
    task(*arguments)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu, wall, _peak_mib(), before


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(found: Sequence[Cost]) -> Table:
    """For the terminal."""
    shown = Table(
        "rows", "task", "CPU", "wall", "peak memory", "of it imports", box=None, pad_edge=False, header_style="bold"
    )
    for cost in found:
        seconds, memory = (cost.cpu_s, cost.wall_s), (cost.peak_mib, cost.imports_mib)
        figures = (*(f"{each:.2f} s" for each in seconds), *(f"{each:.0f} MiB" for each in memory))
        shown.add_row(f"{cost.rows:,}", cost.task, *figures)
    return shown


def measure_rows(counts: Sequence[int], report: Callable[[str], object]) -> list[Cost]:
    """Every cost of splits of so many finished rows, one after the other; ``report`` says what is measured now."""
    found: list[Cost] = []
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="relight-rows-") as scratch:
            found += costs(count, Path(scratch), report)
    return found
