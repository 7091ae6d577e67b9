import numpy as np
import pytest

from relight_assets.config.recipe.families import ShadowKinds
from relight_assets.core.rng import stream
from relight_assets.stages.degraded import gobos

CUT = ("blinds", "edge", "blob", "fence", "lattice")
THROUGH = ("foliage", "branch", "curtain", "window", "screen_door")
V, U = (plane.astype(np.float32) for plane in np.mgrid[-1:1:192j, -1:1:192j])


def wanted(coverage):
    return gobos.Wanted(coverage, lambda field: float(np.quantile(field, coverage)), np.ones_like(U))


def test_every_kind_of_the_recipe_is_one():
    assert {*CUT, *THROUGH, "none", "custom"} == set(ShadowKinds.model_fields)


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("coverage", [0.3, 0.5, 0.65])
def test_any_coverage_can_be_cut(kind, coverage):
    plane, drawn = gobos.pattern(kind, stream(0, "", 0, kind), (U, V), wanted(coverage))
    assert plane.dtype == np.float32
    assert np.isfinite(plane).all()
    assert drawn
    assert 1 - plane.mean() == pytest.approx(coverage, abs=0.06)
    # An edge, not a fog: most of the image is either lit or not.
    assert ((plane > 0.05) & (plane < 0.95)).mean() < 0.5


@pytest.mark.parametrize("kind", THROUGH)
def test_what_lets_light_through_covers_more_where_more_is_wanted(kind):
    means = []
    for coverage in (0.3, 0.65):
        found = [gobos.pattern(kind, stream(n, "", 0, kind), (U, V), wanted(coverage)) for n in range(6)]
        for plane, drawn in found:
            assert plane.dtype == np.float32
            assert -1e-5 <= plane.min() <= plane.max() <= 1 + 1e-5
            assert plane.max() > 0.8
            assert drawn
        means.append(np.mean([1 - plane.mean() for plane, _ in found]))
    assert 0.1 < means[0] < means[1] < 0.85


def test_a_fence_has_pickets_and_rails_and_a_curtain_folds_along_its_hem():
    fence, drawn = gobos.pattern("fence", stream(1, "", 0, "fence"), (U, V), wanted(0.45))
    lit = fence.mean(axis=1)
    assert lit.min() < 0.4 * lit.max()
    assert len(drawn["pattern_periods"]) == 2
    curtain, _ = gobos.pattern("curtain", stream(1, "", 0, "curtain"), (U, V), wanted(0.5))
    across, down = (np.abs(np.diff(curtain, axis=axis)).mean() for axis in (1, 0))
    assert across > 3 * down
    cloth = curtain[curtain < 0.5]
    assert gobos.FOLDS[0] - 0.01 <= cloth.min() < 0.5 * cloth.max()


@pytest.mark.parametrize("number", range(6))
def test_a_window_is_bright_panes_in_a_dark_wall_and_its_bars_are_no_scratches(number):
    plane, drawn = gobos.pattern("window", stream(number, "", 0, "window"), (U, V), wanted(0.5))
    wide, tall = drawn["pattern_size"]
    outside = (np.abs(U) > wide / 2 + 0.02) | (np.abs(V) > tall / 2 + 0.02)
    assert not outside.any() or plane[outside].max() < 0.01
    # Along the row of pixels through the upper panes: what is dark between two lit ones is a bar.
    across, down = drawn["pattern_panes"]
    pane = tall / down
    row = plane[np.argmin(np.abs(V[:, 0] - (0.5 if down % 2 == 0 else 0.0) * pane))] > 0.5
    ends = np.flatnonzero(np.diff(row.astype(int)))
    lit = ends[1::2] - ends[::2]
    assert len(lit) == across
    for bar in ends[2::2] - ends[1:-1:2]:
        assert bar == pytest.approx(drawn["pattern_bar"] * 192 / 2, abs=1.5)
    assert gobos.WINDOW_BARS[0] <= drawn["pattern_bar"] <= gobos.WINDOW_BARS[1]


def test_the_mesh_of_a_screen_door_is_even_and_its_frame_dark():
    door, _ = gobos.pattern("screen_door", stream(2, "", 0, "door"), (U, V), wanted(0.6))
    assert (door < 0.01).mean() > 0.03
    assert ((door > gobos.MESH[0] - 0.01) & (door < gobos.MESH[1] + 0.01)).mean() > 0.2
    assert (door > 0.99).mean() > 0.3


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
