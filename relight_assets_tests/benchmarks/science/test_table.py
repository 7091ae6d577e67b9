"""The table shows what was measured and leaves out what was not."""

import io
from dataclasses import replace

from rich.console import Console

from benchmarks.science.measure import Figures
from benchmarks.science.table import table

NONE = Figures("a", None, None, None, None, None, 0.01, 0.1, 0.02, 0.03, 0.04, 0.3, 0.2, 0.8)


def shown(*found: Figures) -> list[str]:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table(found))
    return console.export_text().splitlines()


def test_what_was_not_measured_is_left_out() -> None:
    lines = shown(NONE)
    assert lines[0].split() == ["a"]
    assert lines[1].split() == ["LMSE", "0.0100"]
    assert not any("MIT" in line for line in lines)


def test_every_method_is_whole_on_eighty_characters() -> None:
    mit = replace(NONE, mit_lmse=0.03, mit_lmse_ratio=0.9, mit_si_mse=0.1, mit_slope_shading=0.4, mit_slope_albedo=0.7)
    names = ["identity", "color_retinex", "msr_classic", "retinex_fast", "retinex"]
    lines = shown(*(replace(mit, method=name) for name in names))
    assert lines[0].split() == names
    assert lines[1].split() == ["MIT", "LMSE", *["0.0300"] * 5]
    assert lines[-1].split() == ["albedo", "left", *["0.80"] * 5]
    assert len(lines) == 14
