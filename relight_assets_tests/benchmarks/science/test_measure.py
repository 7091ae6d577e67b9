"""The first row of the table, the photo itself; ``test_main.py`` has the other methods."""

import pytest

from benchmarks.science.measure import measure
from relight_assets.config.recipe.albedo import Retinex


def test_the_photo_itself_keeps_all_its_light() -> None:
    identity = next(measure([], Retinex()))
    assert identity.method == "identity"
    assert identity.slope_shading == pytest.approx(1, abs=0.05)
    assert identity.slope_albedo == pytest.approx(1, abs=0.05)
    assert identity.portrait_inconsistency > 0.2
    assert identity.mit_lmse is None
