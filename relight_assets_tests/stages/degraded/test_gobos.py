import numpy as np
import pytest

from relight_assets.core.rng import stream
from relight_assets.stages.degraded import gobos

KINDS = ("foliage", "blinds", "window", "edge", "blob", "lattice")
V, U = (plane.astype(np.float32) for plane in np.mgrid[-1:1:192j, -1:1:192j])


@pytest.mark.parametrize("kind", KINDS)
def test_any_coverage_can_be_cut(kind):
    field, drawn = gobos.pattern(kind, stream(0, "", 0, kind), U, V)
    assert field.dtype == np.float32
    assert np.isfinite(field).all()
    assert drawn
    inside = np.ones_like(field)
    for wanted in (0.3, 0.5, 0.65):
        plane = gobos.cut(field, float(np.quantile(field, wanted)), inside)
        assert 1 - plane.mean() == pytest.approx(wanted, abs=0.06)
        # An edge, not a fog: most of the image is either lit or not.
        assert ((plane > 0.05) & (plane < 0.95)).mean() < 0.5


def test_a_flat_field_is_cut_without_a_fault():
    flat = np.zeros((8, 8), np.float32)
    assert np.isfinite(gobos.cut(flat, 0.0, flat + 1)).all()


def test_an_image_lets_through_what_its_grays_say_and_is_mirrored_beyond_its_edge():
    image = np.zeros((40, 80), np.uint8)
    image[:, 40:], image[:, 20:40] = 255, 128
    through, drawn = gobos.user_image(image, stream(0, "", 0, "picture"), 4 * U, 4 * V, 100.0)
    assert through.dtype == np.float32
    assert 0 <= through.min() <= through.max() <= 1
    shares = [(abs(through - level) < 0.02).mean() for level in (0, 128 / 255, 1)]
    assert shares == pytest.approx([0.25, 0.25, 0.5], abs=0.08)
    assert 0.6 <= drawn["pattern_width"] <= 2.0


def test_a_fine_image_turns_gray_and_does_not_glitter():
    fine = np.indices((400, 400)).sum(axis=0) % 2 * 255
    through, _ = gobos.user_image(fine.astype(np.uint8), stream(0, "", 0, "picture"), U, V, 50.0)
    assert np.ptp(through) < 0.1
