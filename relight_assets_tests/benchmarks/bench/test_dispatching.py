"""A thousand items through a real worker process that does nothing."""

import os
from pathlib import Path

from benchmarks.bench.dispatching import dispatch_once
from benchmarks.bench.isolated_process import isolated
from relight_assets.engine.execution.messages import ImageResult
from relight_assets.stages.registry import stage_names


def test_every_item_comes_back_and_costs_something(tmp_path: Path) -> None:
    like = ImageResult(0, dict.fromkeys(stage_names(), "computed"), timings_ms={"masks": 4.2})
    cost = isolated(frozenset(os.sched_getaffinity(0)), dispatch_once, like, 1000, 4, tmp_path)
    assert cost.ms_per_item > 0
    assert cost.rss_mib_all > 10
    assert cost.rss_mib_tenth > 10
