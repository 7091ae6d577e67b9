"""A split's numbers as small images: where lights stand, the photos' own and ours, which, how warm, how much person."""

import importlib.util
import io
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from relight_assets.config.recipe.degradation import family_names
from relight_assets.quality.light_distribution import Vector
from relight_assets.quality.statistics import KEY_TEMPERATURE, SOURCE_SOFTNESS, SplitStatistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#3b6ea5"
_SIZE = (4.4, 4.8)
"""Inches; at 100 pixels an inch it is as wide as the contact sheets."""
_PLACES = {"left": 0.18, "right": 0.985, "bottom": 0.1, "top": 0.955, "wspace": 0.3, "hspace": 0.4}
"""Shares of the image, and of a chart, that leave room for names of families, counts of six digits and a note: to have
matplotlib measure all text for a layout of its own takes a third of the time."""
_NAME_WIDTH = 13
"""Characters of a family's name that fit on a line."""


def charts(statistics: SplitStatistics, note: str | None = None) -> bytes | None:
    """A PNG of six charts, with ``note`` as a line below them; None where no image has a mask yet."""
    coverage = list(statistics.values["masks", "coverage"].values())
    if not coverage:
        return None
    with _plain_matplotlib():
        return _drawn(statistics, coverage, note)


def family_counts(statistics: SplitStatistics) -> dict[str, int]:
    """How many images have a light of each family, also of those that none has."""
    counts = Counter(statistics.families.values())
    return {name: counts[name] for name in family_names()}


@contextmanager
def _plain_matplotlib() -> Iterator[None]:
    """Matplotlib with its own defaults, whatever the environment, a matplotlibrc or a notebook has set.

    A backend that it does not know, or a file that it cannot read, would have its import fail.
    """
    # Where its folder in the user's home cannot be written it takes a temporary one, and warns of that.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    # Here, because it takes half a second, and only whoever has finished a run draws.
    with _own_environment():
        import matplotlib as mpl

    # By hand: `rcdefaults` imports `matplotlib.style`, and with it every style file of the user's.
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
    with mpl.rc_context(defaults):
        yield


@contextmanager
def _own_environment() -> Iterator[None]:
    """An environment, and a folder, in which matplotlib finds its own settings alone."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None  # noqa: S101  (it is required)
    assert found.origin is not None  # noqa: S101
    own = {"MPLBACKEND": "agg", "MATPLOTLIBRC": str(Path(found.origin).parent / "mpl-data" / "matplotlibrc")}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    here = os.open(".", os.O_RDONLY) if os.path.lexists("matplotlibrc") else None  # that would be read first
    try:
        if here is not None:
            os.chdir("/")
        yield
    finally:
        if here is not None:
            os.fchdir(here)
            os.close(here)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _drawn(statistics: SplitStatistics, coverage: list[float], note: str | None) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=100)
    figure.subplots_adjust(**_PLACES)
    (directions, own), (kinds, covered), (warmth, softness) = figure.subplots(3, 2)
    _draw_directions(directions, statistics.light_directions)
    directions.set(title="light from")
    _draw_directions(own, list(statistics.source_lights.values()))
    own.set(title="photo's own light from")
    softness.hist(list(statistics.values[SOURCE_SOFTNESS].values()), bins=12, range=(0, 1), color=_INK)
    softness.set(title="photo's own light, softness")
    counts = family_counts(statistics)
    names = ["\n".join(wrap(name.replace("_", " "), _NAME_WIDTH)) for name in counts]
    kinds.barh(names, list(counts.values()), color=_INK)
    kinds.invert_yaxis()
    kinds.set(title="family")
    warmth.hist(list(statistics.values[KEY_TEMPERATURE].values()), bins=12, color=_INK)
    warmth.set(title="key light, kelvin")
    covered.hist(coverage, bins=12, range=(0, 1), color=_INK)
    covered.set(title="mask coverage")
    for histogram in (warmth, softness, covered):
        histogram.set_ylim(bottom=0)
    for chart in figure.axes:
        chart.title.set_fontsize(8)
        chart.tick_params(labelsize=7)
    if note is not None:
        figure.supxlabel(note, fontsize=8)
    image = io.BytesIO()
    FigureCanvasAgg(figure).print_png(image)  # type: ignore[no-untyped-call]
    return image.getvalue()


def _draw_directions(chart: "Axes", lights: Sequence[Vector]) -> None:
    """Draw where lights stand, as seen from the camera."""
    places = np.array(lights).reshape(-1, 3)
    rim = np.linspace(0, 2 * np.pi, 90)
    chart.plot(np.cos(rim), np.sin(rim), color="0.6", linewidth=0.8)
    # Of many lights, where they are dense must not hide how dense they are.
    alpha = min(1.0, 40 / (len(places) + 1) + 0.1 * min(1.0, 1000 / (len(places) + 1)))
    chart.scatter(places[:, 0], -places[:, 1], s=8, color=_INK, alpha=alpha)
    chart.set(aspect="equal", xticks=[], yticks=[], frame_on=False)
