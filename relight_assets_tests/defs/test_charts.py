"""The charts: a small picture in which the numbers show."""

import cv2
import numpy as np

from relight_assets.defs.charts import charts
from relight_assets_tests.conftest import PORTRAITS, Bench

FAMILIES = ("soft_shading", "hard_shadow", "specular", "none")


def test_they_are_a_small_png_with_something_drawn(finished: Bench) -> None:
    png = charts(finished.survey(), FAMILIES)
    assert png is not None
    assert len(png) < 60_000
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    assert picture.shape == (190, 670, 3)
    ink = (picture == [0x3B, 0x6E, 0xA5]).all(axis=-1)
    for quarter in np.array_split(ink, 4, axis=1):
        assert quarter.any()


def test_masks_alone_are_enough(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    assert charts(bench.survey(), FAMILIES) is None
    bench.run(stages=["masks"])
    assert charts(bench.survey(), FAMILIES) is not None
