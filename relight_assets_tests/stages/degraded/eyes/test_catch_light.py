"""What a lamp looks like in an eye, and where."""

from dataclasses import replace

import numpy as np
import pytest

from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.eyes.catch_light import LARGEST, SIZES, LampShape, catch_light, draw_shape, mirrored
from relight_assets.stages.degraded.eyes.cleared import cleared
from relight_assets.stages.degraded.eyes.own_lights import clear_eyes
from relight_assets_tests.stages.made_eyes import photo_of_eye

SHAPE = (160, 200)


def lamp(elevation: float, azimuth: float, size: float = 0.3) -> LampShape:
    return draw_shape(direction(elevation, azimuth), size, np.random.default_rng(3))


def drawn(shape: LampShape, radius: float = 20.0, aperture: float = 0.9) -> np.ndarray:
    photo, points = photo_of_eye(radius, aperture)
    (clear,) = clear_eyes(photo, [points])
    found = catch_light(cleared(np.ascontiguousarray(photo[..., :3]), clear), shape, SHAPE)
    whole = np.zeros(SHAPE, np.float32)
    if found is not None:
        whole[found[0]] = found[1]
    return whole


def centre(light: np.ndarray, radius: float = 20.0) -> tuple[float, float]:
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    weight = light / light.sum()
    return float((x * weight).sum() - 100.25) / radius, float((y * weight).sum() - 80.5) / radius


def test_the_law_of_reflection() -> None:
    assert mirrored(Direction(0, 0, 1)) == pytest.approx((0, 0))
    across, down = mirrored(direction(30, 0)) or (0, 0)
    assert (across, down) == pytest.approx((1.32 * np.sin(np.radians(30)), 0))  # half of 60 degrees from the view
    assert mirrored(direction(30, 90)) == pytest.approx((0, -1.32 * np.sin(np.radians(30))))
    assert mirrored(direction(-20, 0)) is None  # mirrored by the white of the eye
    assert mirrored(Direction(0, 0, -1)) is None


@pytest.mark.parametrize("azimuth", [0.0, 60.0, 180.0, 225.0, 300.0])
def test_a_lamp_shows_where_the_cornea_mirrors_it(azimuth: float) -> None:
    found = drawn(lamp(60, azimuth))
    assert centre(found) == pytest.approx(mirrored(direction(60, azimuth)), abs=0.08)
    assert found.max() > 0.3


def test_a_larger_lamp_is_larger_and_dimmer_up_to_a_bound() -> None:
    sizes = [draw_shape(direction(60, 0), size, np.random.default_rng(3)) for size in (0.05, 0.2, 0.25, 0.6, 2.0)]
    assert [each.radius for each in sizes] == sorted(each.radius for each in sizes)
    assert [each.peak for each in sizes] == sorted((each.peak for each in sizes), reverse=True)
    assert (sizes[0].radius, sizes[-1].radius) == SIZES
    small, large = (drawn(each) for each in (sizes[1], sizes[3]))
    assert np.count_nonzero(large > large.max() / 2) > 1.5 * np.count_nonzero(small > small.max() / 2)


def test_a_ring_is_dark_inside_and_a_window_has_bars() -> None:
    frontal, rng = direction(89, 90), np.random.default_rng
    plain, ring, window = (draw_shape(frontal, 0.6, rng(3), **shape) for shape in ({}, {"hole": 0.6}, {"bars": True}))
    assert ring.radius == window.radius == LARGEST > plain.radius
    found = drawn(ring, radius=40.0)
    rows, columns = np.nonzero(found > 0.5 * found.max())
    middle = round(float(rows.mean())), round(float(columns.mean()))
    assert found[middle] < 0.1 * found.max()
    crossed = drawn(window, radius=40.0)
    rows, columns = np.nonzero(crossed > 0.5 * crossed.max())
    row, column = round(float(rows.mean())), round(float(columns.mean()))
    cross = crossed[row - 4 : row + 5, column - 4 : column + 5].min()
    assert cross < 0.2 * crossed.max()
    quarter = round(0.5 * LARGEST * 40)
    corners = [crossed[row + down, column + across] for down in (-quarter, quarter) for across in (-quarter, quarter)]
    assert min(corners) > 2 * cross


def test_it_is_cut_by_the_lids_and_by_the_white_of_the_eye() -> None:
    high = lamp(20, 90)
    wide, narrow = drawn(high, aperture=1.3), drawn(high, aperture=0.5)
    assert wide.sum() > 0
    assert narrow.sum() < 0.1 * wide.sum()
    beside = drawn(lamp(5, 0))
    assert beside[:, 122:].max(initial=0) < 0.1 * drawn(lamp(60, 0)).max()


def test_its_edge_is_soft_and_uneven() -> None:
    found = drawn(lamp(70, 30, 0.4))
    values = found[found > 0.02]
    assert np.quantile(values, 0.9) - np.quantile(values, 0.1) > 0.2
    assert not np.allclose(found, found[:, ::-1])


def test_in_a_small_eye_it_is_fainter_not_sharper_than_a_pixel() -> None:
    small = drawn(lamp(70, 30, 0.1), radius=5.5)
    assert 0 < small.max() < 1.0
    assert np.count_nonzero(small > 0.05) >= 2


def test_both_eyes_see_one_lamp() -> None:
    shape = lamp(60, 45)
    assert np.array_equal(drawn(shape), drawn(shape))
    other = draw_shape(direction(60, 45), 0.3, np.random.default_rng(4))
    assert not np.array_equal(drawn(shape), drawn(other))
    assert not np.array_equal(drawn(shape), drawn(replace(shape, turn=shape.turn + 1)))
