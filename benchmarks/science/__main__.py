"""``python -m benchmarks.science`` (``make science``)."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.science import table
from benchmarks.science.intrinsic import read_objects
from benchmarks.science.known_lights import measure_lights, read_portraits
from benchmarks.science.mattes import measure_mattes
from benchmarks.science.measure import measure
from relight_assets.cli.errors import SentenceErrors
from relight_assets.cli.files import write_file
from relight_assets.cli.terminal.messages import out
from relight_assets.config.project import ProjectSource


@click.command(cls=SentenceErrors)
@click.option(
    "--intrinsic", type=click.Path(path_type=Path), help="A folder of MIT intrinsic objects; none come along."
)
@click.option(
    "--portraits",
    type=click.Path(path_type=Path),
    help="A finished split's folder, whose faces are lit by known lights.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here, by method.")
def science(intrinsic: Path | None, portraits: Path | None, json_file: Path | None) -> None:
    """Benchmark albedo and matting against ground truth: made-up portraits, and MIT intrinsic objects if given.

    With --portraits also the estimate of a photo's own light.
    """
    retinex = ProjectSource(os.environ).recipe().recipe.albedo_extraction.methods.retinex
    objects = list(read_objects(intrinsic)) if intrinsic is not None else []
    people = list(read_portraits(portraits)) if portraits is not None else []
    found = list(measure(objects, retinex))
    out.print(table.table(found))
    mattes = measure_mattes()
    out.print(table.matte_table(mattes))
    lights = measure_lights(people, retinex) if people else []
    if lights:
        out.print(table.light_table(lights))
    if json_file is not None:
        by_method = {each.method: asdict(each) for each in found}
        figures = {"objects": len(objects), **by_method, "mattes": {each.method: asdict(each) for each in mattes}}
        figures |= {"lights": {each.paint: asdict(each) for each in lights}} if lights else {}
        write_file(json_file, f"{json.dumps(figures, indent=1)}\n".encode())


if __name__ == "__main__":
    science(prog_name="python -m benchmarks.science")
