"""The table shows what was measured and leaves out what was not."""

from dataclasses import replace

from relight_assets.science.measure import Figures
from relight_assets.science.table import table

NONE = Figures("a", None, None, None, None, None, 0.01, 0.1, 0.02, 0.03, 0.04, 0.3, 0.2, 0.8)


def test_columns_without_figures_are_left_out() -> None:
    assert [str(column.header) for column in table([NONE]).columns][:2] == ["method", "portrait LMSE"]
    with_mit = replace(
        NONE, mit_lmse=0.03, mit_lmse_ratio=0.9, mit_si_mse=0.1, mit_slope_shading=0.4, mit_slope_albedo=0.7
    )
    made = table([with_mit, with_mit])
    assert [str(column.header) for column in made.columns][1:3] == ["MIT LMSE", "ratio"]
    assert made.row_count == 2
