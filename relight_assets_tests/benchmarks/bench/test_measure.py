"""`make bench ARGS=--quick`, as a user types it: everything is measured for real, no time is judged."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.bench.__main__ import bench as command
from benchmarks.bench.figures import Figures, goals_of
from benchmarks.bench.table import BEGIN, END

NUMBERS = (
    "cpu_s_per_image",
    "plain_cpu_s_per_image",
    "cpu_ratio",
    "rate_1_worker",
    "peak_rss_mib",
    "parent_rss_mib_1000",
    "parent_rss_mib_10000",
    "dispatch_ms_per_item",
    "plan_12000_s",
    "noop_run_12000_s",
    "startup_s",
    "mib_per_image",
)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> tuple[dict[str, Any], str, str]:
    """The JSON, the Markdown and what was printed."""
    folder = tmp_path_factory.mktemp("bench")
    page = folder / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    arguments = ["--quick", "--json", str(folder / "bench.json"), "--markdown", str(page)]
    result = CliRunner().invoke(command, [*arguments, "--sam3-ms", "20"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads((folder / "bench.json").read_text()), page.read_text(), result.output


def test_every_figure_is_there_and_positive(quick: tuple[dict[str, Any], str, str]) -> None:
    figures, _, _ = quick
    for key in NUMBERS:
        assert isinstance(figures[key], float), key
        assert math.isfinite(figures[key]) and figures[key] > 0, key  # noqa: PT018
    two = figures["rate_2_workers"]
    assert two is None if figures["machine"]["cores"] < 2 else two is None or two > 0
    for steps in (figures["stage_cpu_ms"], figures["plain_stage_cpu_ms"]):
        assert all(isinstance(value, float) and value >= 0 for value in steps.values())
    assert list(figures["stage_cpu_ms"])[:2] == ["decode", "segment"]
    assert figures["cpu_ratio"] == pytest.approx(figures["plain_cpu_s_per_image"] / figures["cpu_s_per_image"])
    assert set(figures) == set(Figures.__dataclass_fields__)


def test_quick_figures_are_held_against_no_goal(quick: tuple[dict[str, Any], str, str]) -> None:
    figures, _, printed = quick
    assert figures["quick"] is True
    assert isinstance(figures["noisy"], bool)
    assert [goal["met"] for goal in figures["goals"]] == [None] * 7
    assert "QUICK" in printed


def test_the_projection_is_labelled_wherever_it_stands(quick: tuple[dict[str, Any], str, str]) -> None:
    figures, page, printed = quick
    assert figures["projection"]["label"].startswith("PROJECTION")
    assert figures["projection"]["assumptions"]["sam3_ms"] == 20
    assert "PROJECTION, not measured: on 8 GPUs" in page
    assert "PROJECTION, not measured: on 8 GPUs" in printed


def test_the_table_goes_between_the_marks_of_a_page(quick: tuple[dict[str, Any], str, str]) -> None:
    _, page, _ = quick
    assert page.startswith(f"before\n{BEGIN}\n| figure |")
    assert page.endswith(f"\n{END}\nafter\n")
    assert "old" not in page


def figures_with(**values: Any) -> Figures:
    empty: dict[str, Any] = dict.fromkeys(Figures.__dataclass_fields__, 0.0)
    return Figures(**{**empty, **values})


def test_goals_are_met_up_to_their_limits() -> None:
    met = figures_with(cpu_s_per_image=0.25, cpu_ratio=30.0, speedup_2_workers=None, plan_12000_s=2.1, quick=False)
    by_key = {goal.key: goal.met for goal in goals_of(met)}
    assert by_key == {
        "cpu_s_per_image": True,
        "cpu_ratio": True,
        "speedup_2_workers": None,
        "plan_12000_s": False,
        "state_bytes_per_row": True,
        "dispatch_ms_per_item": True,
        "parent_growth_mib": True,
    }
