"""The outcome as text and as JSON."""

import json
from pathlib import Path

from benchmarks.gpu.child import Outcome
from benchmarks.gpu.table import text, write_json

OUTCOMES = [
    Outcome(
        "alone",
        "done",
        seconds=3.25,
        rows=[{"batch": 1, "load_s": 1.23456}, {"fits": False}, {"batch": 16, "load_s": None}],
    ),
    Outcome("sticky error", "left out", "a CPU has none"),
]


def test_rows_of_the_same_figures_stand_below_each_other() -> None:
    assert text(OUTCOMES).splitlines() == [
        "alone  (done, 3.25 s)",
        "  batch  load_s",
        "      1   1.235",
        "     16       -",
        "  fits",
        "    no",
        "",
        "sticky error  (left out, 0 s: a CPU has none)",
    ]


def test_the_file_has_all_of_it(tmp_path: Path) -> None:
    write_json(tmp_path / "figures.json", {"device": "CPU"}, OUTCOMES)
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["machine"] == {"device": "CPU"}
    assert written["checks"][0]["rows"][2] == {"batch": 16, "load_s": None}
    assert written["checks"][1]["why"] == "a CPU has none"
