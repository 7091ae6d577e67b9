"""The figures of all methods, as a table."""

from collections.abc import Sequence

from rich.table import Table

from relight_assets.science.measure import Figures

_COLUMNS = (
    ("MIT LMSE", "mit_lmse", 4),
    ("ratio", "mit_lmse_ratio", 2),
    ("si-MSE", "mit_si_mse", 3),
    ("slopes", "mit_slope_shading", 2),
    ("", "mit_slope_albedo", 2),
    ("portrait LMSE", "portrait_lmse", 4),
    ("si-MSE", "portrait_si_mse", 3),
    ("inconsist.", "portrait_inconsistency", 3),
    ("hard LMSE", "hard_lmse", 4),
    ("inconsist.", "hard_inconsistency", 3),
    ("chroma deg", "chroma_error_deg", 2),
    ("slopes", "slope_shading", 2),
    ("", "slope_albedo", 2),
)


def table(found: Sequence[Figures]) -> Table:
    """A row per method; columns of what was not measured are left out."""
    shown = [column for column in _COLUMNS if any(getattr(each, column[1]) is not None for each in found)]
    made = Table("method", *(title for title, *_ in shown), box=None, pad_edge=False, header_style="bold")
    made.columns[0].min_width = max(len(each.method) for each in found)  # in a narrow terminal too
    for each in found:
        made.add_row(each.method, *(f"{getattr(each, name):.{digits}f}" for _, name, digits in shown))
    return made
