"""Many finished images out of few: every one current, until a file of it changes."""

from pathlib import Path

import pytest

from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.planning import multiply, plan_once
from relight_assets.dataset.layout import SplitLayout
from relight_assets.errors import UserError
from relight_assets_tests.benchmarks.bench.conftest import Pair


def test_all_are_current_and_one_that_is_not_is_noticed(pair: Pair, tmp_path: Path) -> None:
    many = multiply(pair.csv, pair.outputs, 25, tmp_path / "many")
    outputs = tmp_path / "many" / "outputs"
    layout = SplitLayout(outputs / "data-many")
    assert layout.numbers("metadata.json") == layout.numbers("output.png") == set(range(25))
    cost = isolated(one_core(), plan_once, many, outputs)
    assert min(cost.wall_s, cost.cpu_s, cost.noop_run_s) > 0
    layout.png(17, "albedo").unlink()
    with pytest.raises(UserError, match="1 are not"):
        isolated(one_core(), plan_once, many, outputs)
