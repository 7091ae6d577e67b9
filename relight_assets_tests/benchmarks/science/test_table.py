"""The table shows what was measured and leaves out what was not."""

import io
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from benchmarks.science.known_lights import LightFigures
from benchmarks.science.measure import Figures
from benchmarks.science.table import light_table, table

NONE = Figures("a", None, None, None, None, None, 0.01, 0.1, 0.02, 0.03, 0.04, 0.3, 0.2, 0.8)


def shown(*found: Figures) -> list[str]:
    return printed(table(found))


def printed(made: Table) -> list[str]:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(made)
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


def test_lights_have_a_column_for_each_paint() -> None:
    own = LightFigures("own", 12, 0.75, 9.65, 24.7, 0.93, 0.8, 0.87, 0.071, 0.67, 0.177, 0.426)
    lines = printed(light_table([own, replace(own, paint="one")]))
    assert lines[0].split() == ["known", "lights", "own", "paint", "one", "paint"]
    assert lines[3].split() == ["error,", "degrees", "9.7", "9.7"]
