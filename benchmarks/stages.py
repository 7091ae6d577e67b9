"""CPU milliseconds of each stage on the demo's portraits, enlarged to 1024x1024, in one process and one thread.

    make bench            a table
    make bench ARGS=--json bench.json

CPU time, not wall time, because it does not depend on who else uses the machine as much; the median over the
portraits, of the best of the repeats of each.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

from relight_assets.demo import write_demo
from relight_assets.engine import worker as worker_module
from relight_assets.engine.local import WORKER_ENVIRONMENT
from relight_assets.engine.work import WorkItem
from relight_assets.engine.worker import PortraitWorker
from relight_assets.recipe import STAGES, Recipe

SIDE = 1024


def portraits(folder: Path) -> list[Path]:
    made = []
    for path in write_demo(folder / "demo").pictures:
        if path.name.startswith(("collins", "hopper")):
            target = folder / f"{path.stem}.png"
            cv2.imwrite(str(target), cv2.resize(cv2.imread(str(path)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
            made.append(target)
    return made


def measure(paths: list[Path], out: Path, repeats: int) -> dict[str, float]:
    worker_module.time.perf_counter = time.process_time  # type: ignore[attr-defined]  # stages report CPU time
    worker = PortraitWorker(folder=out, recipe=Recipe(), max_pixels=SIDE * SIDE, threads=1)
    columns: dict[str, list[float]] = {}
    for path in paths:
        runs = []
        for _ in range(repeats):
            for old in out.iterdir():
                old.unlink()
            start = time.process_time()
            result = worker.process(WorkItem(0, path.name, str(path), STAGES))
            runs.append({**result.timings_ms, "whole image": (time.process_time() - start) * 1000.0})
        for name in runs[0]:
            columns.setdefault(name, []).append(min(run[name] for run in runs))
    return {name: round(statistics.median(values), 1) for name, values in columns.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        out.mkdir()
        paths = portraits(Path(scratch))
        figures = measure(paths, out, options.repeats)
    table = Table(
        "step", "CPU ms", title=f"{len(paths)} portraits at {SIDE}x{SIDE}, median of the best of {options.repeats}"
    )
    for name, milliseconds in figures.items():
        table.add_row(name, f"{milliseconds:.1f}")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if not WORKER_ENVIRONMENT.items() <= os.environ.items():
        # Threads and memory as in a worker; both are read when a process starts.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **WORKER_ENVIRONMENT})  # noqa: S606
    main()
