"""A thousand items through a real worker process that does nothing."""

import os
from pathlib import Path

from benchmarks.bench.dispatching import dispatch_once
from benchmarks.bench.isolated_process import isolated
from relight_assets.config.recipe.recipe import STAGES
from relight_assets.engine.execution.messages import ImageResult


def test_every_item_comes_back_and_costs_something(tmp_path: Path) -> None:
    like = ImageResult(0, dict.fromkeys(STAGES, "computed"), numbers={"masks": {"score": 0.99}})
    cost = isolated(frozenset(os.sched_getaffinity(0)), dispatch_once, like, 1000, 4, tmp_path)
    assert cost.ms_per_item > 0
    assert cost.rss_mib_all > 10
    assert cost.rss_mib_tenth > 10
