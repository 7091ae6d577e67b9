"""All measurements of one bench, in order, and the medians."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bench.dispatching import dispatch_once
from benchmarks.bench.figures import Figures, goals_of
from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.memory import state_bytes_per_row
from benchmarks.bench.pipeline_run import layout_of, record_of, run_once, startup_once
from benchmarks.bench.planning import multiply, plan_once
from benchmarks.bench.portraits import write_portraits
from benchmarks.bench.projection import Assumptions, project
from benchmarks.bench.rounds import Columns, Report, Rounds
from benchmarks.bench.sizes import QUICK, Sizes
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.messages import ImageResult
from relight_assets.engine.hardware.devices import cores
from relight_assets.errors import UserError
from relight_assets.models import registry, store
from relight_assets.stages.registry import stage_names

NOISY_LOAD = 0.5
"""A load average above this at the start is reported: something else is running here."""
_PACKAGES = ("numpy", "opencv-python-headless", "isal", "ai-edge-litert", "pillow")


def measure(sizes: Sizes, scratch: Path, assumed: Assumptions, report: Report) -> Figures:
    """Measure everything in the empty folder ``scratch``; ``report`` receives what is being measured.

    Raises:
        UserError: not Linux, no model files, no demo photos, or a portrait that could not be done.
    """
    _check_possible()
    load = os.getloadavg()[0]
    report(f"{sizes.long} portraits of {sizes.side}x{sizes.side}")
    csv = _portraits(scratch / "portraits", sizes.long, sizes.side)
    measured = Rounds(csv, scratch, sizes, report)
    report("start-up")
    startup = [isolated(one_core(), startup_once, csv, scratch / "startup") for _ in range(sizes.rounds)]
    report(f"{sizes.dispatched} items through a worker that does nothing")
    dispatch = _dispatch(_a_result(csv, measured.outputs), sizes, scratch)
    report(f"planning {sizes.planned} finished images")
    planning = _planning(sizes, scratch)
    rounds = {**measured.rounds, "startup_s": startup, **dispatch, **planning}
    machine = {**_machine(), "load_at_start": load}
    return _figures(rounds, measured, sizes, assumed, machine)


def _check_possible() -> None:
    if sys.platform != "linux":
        raise UserError("the bench reads Linux' own counters and binds processes to cores; it runs on Linux only")
    for model in registry.SHIPPED:
        store.path_of(model.name)


def _portraits(folder: Path, count: int, side: int) -> Path:
    folder.mkdir()
    return write_portraits(folder, count, side)


def _a_result(csv: Path, output_root: Path) -> ImageResult:
    record = record_of(layout_of(csv, output_root), 0)
    return ImageResult(
        index=0,
        outcomes=dict.fromkeys(stage_names(), "computed"),
        timings_ms=record.timings_ms,
    )


def _dispatch(like: ImageResult, sizes: Sizes, scratch: Path) -> Columns:
    columns = Columns(list)
    every = frozenset(os.sched_getaffinity(0))  # parent and worker are at work at the same time
    for _ in range(sizes.rounds):
        usual = isolated(every, dispatch_once, like, sizes.dispatched, Settings().batch, scratch)
        large = isolated(every, dispatch_once, like, sizes.dispatched, 16, scratch)
        columns["dispatch_ms_per_item"].append(usual.ms_per_item)
        columns["dispatch_ms_per_item_batch_16"].append(large.ms_per_item)
        columns["parent_rss_mib_1000"].append(usual.rss_mib_tenth)
        columns["parent_rss_mib_10000"].append(usual.rss_mib_all)
        columns["parent_growth_mib"].append(usual.rss_mib_all - usual.rss_mib_tenth)
    return columns


def _planning(sizes: Sizes, scratch: Path) -> Columns:
    # Small portraits: a plan never looks into an image.
    few, folder = min(sizes.short, sizes.planned), scratch / "few"
    csv = _portraits(folder, few, QUICK.side)
    isolated(one_core(), run_once, csv, folder / "outputs", few, 1)
    many = multiply(csv, folder / "outputs", sizes.planned, scratch / "many")
    columns = Columns(list)
    for _ in range(sizes.rounds):
        cost = isolated(one_core(), plan_once, many, scratch / "many" / "outputs")
        columns["plan_12000_s"].append(cost.wall_s)
        columns["plan_12000_cpu_s"].append(cost.cpu_s)
        columns["noop_run_12000_s"].append(cost.noop_run_s)
        columns["state_bytes_per_row"].append(isolated(one_core(), state_bytes_per_row, many, many.parent / "outputs"))
    return columns


def _figures(
    rounds: Mapping[str, list[float]], measured: Rounds, sizes: Sizes, assumed: Assumptions, machine: dict[str, Any]
) -> Figures:
    middle, stages = _medians(rounds), _medians(measured.stages)
    cpu_s = middle["cpu_s_per_image"]
    # Round by round: a machine's speed drifts, but hardly between two runs in a row.
    speedups = [two / one for two, one in zip(rounds.get("rate_2_workers", ()), rounds["rate_1_worker"], strict=False)]
    known = {entry.name: middle[entry.name] for entry in fields(Figures) if entry.name in middle}
    figures = Figures(
        **{"rate_2_workers": None, **known},  # type: ignore[arg-type]
        cpu_ratio=middle["plain_cpu_s_per_image"] / cpu_s,
        cpu_ratio_by_plane=middle["plain_by_plane_cpu_s_per_image"] / cpu_s,
        stage_cpu_ms=stages,
        other_cpu_ms=1000.0 * cpu_s - sum(stages.values()),
        plain_stage_cpu_ms=_medians(measured.plain_stages),
        speedup_2_workers=median(speedups) if speedups else None,
        projection=project(cpu_s, stages["segment"], middle["mib_per_image"], assumed),
        sizes=asdict(sizes),
        rounds=dict(rounds),
        machine=machine,
        noisy=machine["load_at_start"] > NOISY_LOAD,
        quick=sizes == QUICK,
    )
    return replace(figures, goals=goals_of(figures))


def _medians(columns: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in columns.items()}


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": cores(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # OpenCV comes under other names too
        return None
