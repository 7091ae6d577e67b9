"""The charts: a small image in which the numbers show."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.degradation import family_names
from relight_assets.quality.statistics import statistics_of
from relight_assets.reports.charts import charts
from relight_assets_tests.conftest import PORTRAITS, Bench


def test_they_are_a_small_png_with_something_drawn(finished: Bench) -> None:
    png = charts(statistics_of(finished.recorded()))
    assert png is not None
    assert len(png) < 60_000
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    assert image.shape == (480, 440, 3)
    ink = (image == [0x3B, 0x6E, 0xA5]).all(axis=-1)
    for row in np.array_split(ink, 3, axis=0):
        assert all(half.any() for half in np.array_split(row, 2, axis=1))


def test_a_note_is_a_line_below_all_charts(finished: Bench) -> None:
    statistics = statistics_of(finished.recorded())
    without, noted = (
        cv2.imdecode(np.frombuffer(charts(statistics, note) or b"", np.uint8), cv2.IMREAD_GRAYSCALE)
        for note in (None, "of a random sample of 20,000 of 123,456 images")
    )
    assert without is not None
    assert noted is not None
    assert without.shape == noted.shape
    rows = np.flatnonzero((noted < 128).any(axis=1))
    last = np.flatnonzero((noted[rows[-1] - 6 : rows[-1] + 1] < 128).any(axis=0))
    assert 60 < last[0] < last[-1] < 380, "a line of text in the middle"
    assert np.count_nonzero(noted[rows[-1] - 6 :] < 128) != np.count_nonzero(without[rows[-1] - 6 :] < 128)


def test_nothing_is_cut_off(finished: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    own = "panorama_of_our_own_mirrored_studio_in_december"
    monkeypatch.setattr("relight_assets.reports.charts.family_names", lambda: (*family_names(), own))
    statistics = statistics_of(finished.recorded())
    statistics.values["masks", "coverage"] = dict.fromkeys(range(150_000), 0.5)
    statistics.families.update(dict.fromkeys(range(150_000), "soft_shading"))
    for note in (None, "of a random sample of 20,000 of 123,456 images"):
        image = cv2.imdecode(np.frombuffer(charts(statistics, note) or b"", np.uint8), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        inside = image[1:-1, 1:-1]
        assert image.sum() - inside.sum() == 255 * (image.size - inside.size), "the rim is white"


def test_of_many_lights_one_sees_where_they_are_dense(finished: Bench) -> None:
    statistics = statistics_of(finished.recorded())
    spread = np.random.default_rng(0).normal([0.4, 0.0], 0.15, (20_000, 2))
    statistics.light_directions = [(float(x), float(y), 0.5) for x, y in spread]
    image = cv2.imdecode(np.frombuffer(charts(statistics) or b"", np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    lights = image[20:130, 95:215]
    assert len(np.unique(lights[lights < 250])) > 20


def test_masks_alone_are_enough(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    assert charts(statistics_of(bench.recorded())) is None
    bench.run(stages=["masks"])
    assert charts(statistics_of(bench.recorded())) is not None


def _notebook(_: Path) -> dict[str, str]:
    return {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def _odd_settings(folder: Path) -> dict[str, str]:
    (folder / "matplotlibrc").write_text(
        "backend: nonsense\ntext.usetex: true\nfont.family: No Such Font\nfont.size: 31\naxes.facecolor: ff0000\n"
        "savefig.dpi: 700\nlines.linewidth: 9\n"
    )
    (folder / "stylelib").mkdir()
    (folder / "stylelib" / "broken.mplstyle").write_bytes(b"\xff\xfe: \x00")
    return {"MPLCONFIGDIR": str(folder), "MATPLOTLIBRC": str(folder)}


def _unreadable_settings(folder: Path) -> dict[str, str]:
    (folder / "matplotlibrc").write_bytes(b"\xff\xfe: \x00")
    return {"MPLCONFIGDIR": str(folder)}


def _nowhere_to_write(_: Path) -> dict[str, str]:
    return {
        "MPLCONFIGDIR": "/dev/null/no",
        "HOME": "",
        "XDG_CONFIG_HOME": "/dev/null/no",
        "XDG_CACHE_HOME": "/dev/null/no",
    }


_DRAW = """
import sys
from pathlib import Path
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.reports.charts import charts
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.config.recipe.degradation import family_names
from relight_assets.quality.statistics import statistics_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
csv, out, target = map(Path, sys.argv[1:4])
state = load_split_state(read_split_csv(csv), Recipe(), Settings(csv_dir=csv.parent, output_root=out))
images = recorded_images(state.layout, state.images.values())
target.write_bytes(charts(statistics_of(images)))
"""


@pytest.mark.parametrize("made", [_notebook, _odd_settings, _unreadable_settings, _nowhere_to_write])
def test_they_are_the_same_whatever_the_user_has_set(
    finished: Bench, tmp_path: Path, made: Callable[[Path], dict[str, str]]
) -> None:
    """Even where the folder of the run holds a `matplotlibrc` of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), **made(tmp_path)}
    target = tmp_path / "charts.png"
    paths = (finished.csv_path, finished.settings.output_root, target)
    command = [sys.executable, "-c", _DRAW, *map(str, paths)]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert target.read_bytes() == charts(statistics_of(finished.recorded()))
