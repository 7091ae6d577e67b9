"""What the state of a finished split takes in memory, by the row: ``python -m benchmarks.bench.memory``."""

import ctypes
import gc
import re
import tempfile
from pathlib import Path

import click

from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.pipeline_run import run_once, settings_for
from benchmarks.bench.planning import multiply
from benchmarks.bench.portraits import write_portraits
from benchmarks.bench.sizes import QUICK
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.stages.registry import stage_names

ORIGINALS = 8
"""Portraits that are really made; ext4 takes 65,000 hard links to a file, so for 500,000 rows."""


def state_bytes_per_row(csv: Path, output_root: Path) -> float:
    """What scan and plan of a finished split take at their peak, beyond the CSV.  In a process of its own."""
    split, recipe, settings = read_split_csv(csv), Recipe(), settings_for(output_root, 1)
    digests = digests_of(recipe, settings)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what reading the CSV left free must not hide what the state takes
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    state = load_split_state(split, recipe, settings)
    make_plan(state, digests, stage_names())
    return (_status("VmHWM") - before) / len(state.keys)


def _status(name: str) -> int:
    """One of this process's counters of memory, in bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None  # noqa: S101  (the bench runs on Linux alone)
    return 1024 * int(found[1])


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="Finished rows.")
def main(rows: int) -> None:
    """Make a split of finished rows, and say what its state takes by the row."""
    with tempfile.TemporaryDirectory() as scratch:
        few = Path(scratch) / "few"
        few.mkdir()
        csv = write_portraits(few, ORIGINALS, QUICK.side)
        isolated(one_core(), run_once, csv, few / "outputs", ORIGINALS, 1)
        many = multiply(csv, few / "outputs", rows, Path(scratch) / "many")
        taken = isolated(one_core(), state_bytes_per_row, many, many.parent / "outputs")
        click.echo(f"{rows:,} finished rows: {taken:,.0f} bytes a row beyond the CSV")


if __name__ == "__main__":
    main()
