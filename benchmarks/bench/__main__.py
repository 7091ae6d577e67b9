"""``python -m benchmarks.bench`` (``make bench``)."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.bench import rows, table
from benchmarks.bench.measure import measure
from benchmarks.bench.projection import Assumptions
from benchmarks.bench.sizes import FULL, QUICK
from relight_assets.cli.errors import SentenceErrors
from relight_assets.cli.files import write_file
from relight_assets.cli.terminal.messages import out, print_line

_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command(cls=SentenceErrors)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the table here, between its marks if it has.")
@click.option(
    "--rows",
    "counts",
    multiple=True,
    type=click.IntRange(min=1),
    help="Measure a split of so many finished rows, and nothing else; may be repeated.",
)
@click.option("--quick", is_flag=True, help="Only see that it works: tiny sizes, figures that mean nothing.")
@click.option(
    "--sam3-ms", type=_POSITIVE, default=30.0, show_default=True, help="For the projection: SAM3's GPU time per image."
)
@click.option("--cores-per-gpu", type=click.IntRange(min=1), default=16, show_default=True, help="For the projection.")
@click.option("--model-load-s", type=_POSITIVE, default=60.0, show_default=True, help="For the projection.")
def bench(
    json_file: Path | None,
    markdown: Path | None,
    counts: tuple[int, ...],
    quick: bool,
    sam3_ms: float,
    cores_per_gpu: int,
    model_load_s: float,
) -> None:
    """CPU, rates, memory and overheads, side by side with a plain script; some ten minutes.

    With --rows: what large splits cost to plan, run, check and hand out; 100,000 rows take some ten minutes.
    """
    if counts:
        if markdown is not None:
            raise click.UsageError("--markdown is of the other figures, not of --rows")
        found = rows.measure_rows(counts, print_line)
        out.print(rows.table(found))
        _write(json_file, [asdict(cost) for cost in found])
        return
    assumed = Assumptions(sam3_ms=sam3_ms, cores_per_gpu=cores_per_gpu, model_load_s=model_load_s)
    with tempfile.TemporaryDirectory(prefix="relight-bench-") as scratch:
        figures = measure(QUICK if quick else FULL, Path(scratch), assumed, report=print_line)
    out.print(table.terminal_table(figures))
    for note in table.notes(figures):
        print_line(note)
    _write(json_file, asdict(figures))
    if markdown is not None:
        table.write_markdown(figures, markdown)


def _write(json_file: Path | None, figures: object) -> None:
    if json_file is not None:
        write_file(json_file, f"{json.dumps(figures, indent=1)}\n".encode())


if __name__ == "__main__":
    bench(prog_name="python -m benchmarks.bench")
