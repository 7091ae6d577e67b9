import numpy as np
import pytest

from relight_assets.stages.draws import stream
from relight_assets.stages.lighting import gobos

KINDS = ("foliage", "blinds", "window", "edge", "blob", "lattice")
V, U = (plane.astype(np.float32) for plane in np.mgrid[-1:1:192j, -1:1:192j])


@pytest.mark.parametrize("kind", KINDS)
def test_any_coverage_can_be_cut(kind):
    field = gobos.pattern(kind, stream(0, "", 0, kind), U, V)
    assert field.dtype == np.float32
    assert np.isfinite(field).all()
    inside = np.ones_like(field)
    for wanted in (0.3, 0.5, 0.65):
        plane = gobos.cut(field, float(np.quantile(field, wanted)), inside)
        assert 1 - plane.mean() == pytest.approx(wanted, abs=0.06)
        # An edge, not a fog: most of the picture is either lit or not.
        assert ((plane > 0.05) & (plane < 0.95)).mean() < 0.5


def test_a_flat_field_is_cut_without_a_fault():
    flat = np.zeros((8, 8), np.float32)
    assert np.isfinite(gobos.cut(flat, 0.0, flat + 1)).all()
