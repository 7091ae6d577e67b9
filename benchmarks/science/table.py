"""The figures of all methods, as tables."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks.science.known_lights import LightFigures
from benchmarks.science.mattes import MatteFigures
from benchmarks.science.measure import Figures

_ROWS = (
    ("MIT LMSE", "mit_lmse", 4),
    ("over colour retinex", "mit_lmse_ratio", 2),
    ("MIT si-MSE", "mit_si_mse", 3),
    ("MIT shading left", "mit_slope_shading", 2),
    ("MIT albedo left", "mit_slope_albedo", 2),
    ("LMSE", "portrait_lmse", 4),
    ("si-MSE", "portrait_si_mse", 3),
    ("inconsistency", "portrait_inconsistency", 3),
    ("hard LMSE", "hard_lmse", 4),
    ("hard inconsistency", "hard_inconsistency", 3),
    ("chroma, degrees", "chroma_error_deg", 2),
    ("shading left", "slope_shading", 2),
    ("albedo left", "slope_albedo", 2),
)
_LIGHT_ROWS = (
    ("lights", "lights", 0),
    ("reliable", "reliable", 2),
    ("error, degrees", "error_deg", 1),
    ("worst tenth, degrees", "worst_tenth_deg", 1),
    ("within 25 degrees, sure", "sure_near", 2),
    ("within 25 degrees, less sure", "unsure_near", 2),
    ("softness reliable", "softness_reliable", 2),
    ("softness error", "softness_error", 3),
    ("warmth reliable", "warmth_reliable", 2),
    ("warmth error", "warmth_error", 3),
    ("warmth error of a guess", "warmth_guess", 3),
)


def table(found: Sequence[Figures]) -> Table:
    """A column per method, a row per figure; what was not measured is left out."""
    made = Table("", *(each.method for each in found), box=None, pad_edge=False, header_style="bold")
    for title, name, digits in _ROWS:
        figures = [getattr(each, name) for each in found]
        if all(figure is not None for figure in figures):
            made.add_row(title, *(f"{figure:.{digits}f}" for figure in figures))
    return made


def matte_table(found: Sequence[MatteFigures]) -> Table:
    """The mattes' errors, likewise."""
    made = Table("matte error x1000", *(each.method for each in found), box=None, pad_edge=False, header_style="bold")
    made.add_row("image", *(f"{each.matte_mad:.1f}" for each in found))
    made.add_row("20-pixel band", *(f"{each.matte_band:.1f}" for each in found))
    return made


def light_table(found: Sequence[LightFigures]) -> Table:
    """The estimates of known lights: a column per paint of the face."""
    titles = (f"{each.paint} paint" for each in found)
    made = Table("known lights", *titles, box=None, pad_edge=False, header_style="bold")
    for title, name, digits in _LIGHT_ROWS:
        made.add_row(title, *(f"{getattr(each, name):.{digits}f}" for each in found))
    return made
