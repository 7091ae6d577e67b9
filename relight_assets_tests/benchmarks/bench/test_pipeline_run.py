"""Costs of real runs."""

import pytest

from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.pipeline_run import STEPS, layout_of, record_of, run_once, slope, startup_once
from relight_assets.errors import UserError
from relight_assets_tests.benchmarks.bench.conftest import Pair
from relight_assets_tests.conftest import ALL_FILES


def test_a_run_makes_every_file_and_says_what_it_cost(pair: Pair) -> None:
    layout = layout_of(pair.csv, pair.outputs)
    assert layout.numbers("metadata.json") == {0, 1}
    assert all(layout.png(number, name).is_file() for number in (0, 1) for name in ALL_FILES)
    assert pair.cost.images == 2
    assert min(pair.cost.cpu_s, pair.cost.wall_s, pair.cost.mib_per_image) > 0
    assert pair.cost.worker_peak_mib > 50
    assert tuple(pair.cost.stage_cpu_ms) == STEPS
    assert min(pair.cost.stage_cpu_ms.values()) > 0


def test_steps_are_cpu_times(pair: Pair) -> None:
    """On one core, by CPU time, all threads' steps together fit into what the processes took."""
    records = [record_of(layout_of(pair.csv, pair.outputs), number) for number in (0, 1)]
    assert sum(sum(record.timings_ms.values()) for record in records) < 1000 * pair.cost.cpu_s


def test_a_portrait_that_fails_is_reported(pair: Pair, tmp_path: object) -> None:
    csv = pair.csv.with_name("cup_images.csv")
    csv.write_text("image_path\ndemo/images/coffee_cup.png\n", encoding="utf-8")
    with pytest.raises(UserError, match="no_person"):
        isolated(one_core(), run_once, csv, pair.csv.parent / "cup", 1, 1)


def test_start_up_ends_before_the_run(pair: Pair) -> None:
    assert 0 < isolated(one_core(), startup_once, pair.csv, pair.csv.parent / "startup") < 120


def test_slope_leaves_start_and_end_out() -> None:
    assert slope(5.0 + 2 * 0.25, 5.0 + 10 * 0.25, 2, 10) == 0.25
    assert slope(5.0, 4.0, 2, 10) == 0.4  # noise: rather too much than nothing
