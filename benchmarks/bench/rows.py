"""What large splits cost, by the number of their rows: ``python -m benchmarks.bench.rows``."""

import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
from rich.table import Table

from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.pipeline_run import run_once, settings_for
from benchmarks.bench.planning import multiply
from benchmarks.bench.portraits import write_portraits
from benchmarks.bench.sizes import QUICK
from relight_assets.cli.files import write_file
from relight_assets.cli.terminal.messages import out, print_line
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.defs.checks.mapping_checks import check_split
from relight_assets.defs.publishing import publish
from relight_assets.engine.execution import dispatch
from relight_assets.engine.execution.base import Events, Ready
from relight_assets.engine.execution.messages import ImageResult, Item, WorkItem
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.quality.duplicates.near_fingerprints import BITS, nearest
from relight_assets.stages.masks.perceptual_hash import SAME_BITS
from relight_assets.stages.registry import stage_names

ORIGINALS = 8
"""Portraits that are really made; the others are links to their files."""
SLOTS = (8, 64, 512)
OWN_BITS = 56
"""Of the fingerprints of photos that share their background, those that do not."""


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


class _EchoPool:
    """Slots whose workers are done with each item as soon as they have it, within the coordinator's process."""

    threads, start_s = 1, 120.0

    def __init__(self, slots: int):
        self.slots: Sequence[str] = [f"slot {number}" for number in range(slots)]

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> "_EchoHandle":  # noqa: ARG002  (its name is the protocol's)
        events.put((slot, generation, Ready()))
        return _EchoHandle(slot, generation, events)

    def usage(self, slot: int) -> None:  # noqa: ARG002
        return None

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class _EchoHandle:
    slot: int
    generation: int
    events: Events

    def submit(self, items: list[Item]) -> None:
        for item in items:
            result = ImageResult(item.index, dict.fromkeys(stage_names(), "computed"))
            self.events.put((self.slot, self.generation, result))

    def kill(self) -> None:
        pass


def hand_out(count: int, slots: int) -> int:
    """Hand ``count`` items out to so many slots; how many came back."""
    items = (WorkItem(number, f"{number}.png", f"/{number}.png", stage_names()) for number in range(count))
    events = dispatch.run(items, _EchoPool(slots), batch=4, start_s=120, hang_s=120)
    return sum(isinstance(event, dispatch.Finished) for event in events)


def costs(count: int, scratch: Path, report: Callable[[str], object]) -> Iterator[Cost]:
    """Every cost of a split of so many finished rows, which is made in the empty folder ``scratch``."""
    few = scratch / "few"
    few.mkdir(parents=True)
    originals = min(ORIGINALS, count)
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
        ("near duplicates", near_duplicates, (count, BITS)),
        (f"near duplicates, {BITS - OWN_BITS} of {BITS} bits shared", near_duplicates, (count, OWN_BITS)),
        *((f"hand-out to {slots} simulated slots", hand_out, (count, slots)) for slots in SLOTS),
    ]
    for name, task, arguments in tasks:
        report(f"{count:,} rows: {name}")
        yield Cost(name, count, *isolated(one_core(), _timed, task, *arguments))


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


@click.command()
@click.option("--rows", "counts", multiple=True, type=click.IntRange(min=1), help="Finished rows; may be repeated.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here.")
def main(counts: tuple[int, ...], json_file: Path | None) -> None:
    """Make splits of finished rows (10,000 and 100,000), and say what each task takes; some ten minutes."""
    found: list[Cost] = []
    for count in counts or (10_000, 100_000):
        with tempfile.TemporaryDirectory(prefix="relight-rows-") as scratch:
            found += costs(count, Path(scratch), print_line)
    out.print(table(found))
    if json_file is not None:
        write_file(json_file, f"{json.dumps([asdict(cost) for cost in found], indent=1)}\n".encode())


if __name__ == "__main__":
    main()
