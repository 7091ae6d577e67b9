import numpy as np
import pytest

from relight_assets.core.color import (
    LUMINANCE_WEIGHTS,
    decode,
    decode_planes,
    encode,
    every,
    highlight_rolloff,
    largest_channel,
    linear_to_srgb,
    linear_to_srgb_float32,
    luminance,
    luminance_of_planes,
    peaks,
    planckian,
    planes_of,
    safe_ratio,
    scaled_by_peak,
    shoulder,
    smallest_channel,
    srgb_to_linear,
    srgb_to_linear_float32,
    srgb_to_linear_scalar,
    tinted,
)


def test_all_codes_survive_the_way_there_and_back():
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256)
    assert np.array_equal(encode(decode(codes)), codes)


def test_decoding_is_the_standard():
    assert decode(np.array([[0, 128, 255]], np.uint8)) == pytest.approx(np.array([[0.0, 0.2158605, 1.0]]), abs=1e-6)


def test_encoding_is_within_half_a_code_of_exact():
    linear = np.linspace(0, 1, 100_000, dtype=np.float32).reshape(100, -1)
    codes = srgb_to_linear(np.arange(256) / 255)
    exact = np.interp(linear, codes, np.arange(256))
    # Between two codes the curve is bent, by less than a tenth of a code.
    assert np.abs(encode(linear) - exact).max() < 0.6


def test_encoding_clips():
    assert encode(np.array([[-1.0, 2.0]], np.float32)).tolist() == [[0, 255]]


def test_shapes_are_kept():
    image = np.zeros((5, 7, 3), np.uint8)
    assert decode(image).shape == (5, 7, 3)
    assert encode(decode(image)).shape == (5, 7, 3)
    assert luminance(decode(image)).shape == (5, 7)


def test_luminance_of_white_is_one():
    assert luminance(np.ones((2, 2, 3), np.float32)) == pytest.approx(np.ones((2, 2)))


def test_shoulder_keeps_what_is_below_and_stays_under_the_top():
    values = np.linspace(0, 50, 5001, dtype=np.float32)[None]
    bent = shoulder(values, 0.8, 0.97)
    assert np.array_equal(bent[values <= 0.8], values[values <= 0.8])
    assert bent.max() <= 0.97
    assert np.all(np.diff(bent) >= 0)


@pytest.mark.parametrize("kelvin", [1667, 2222, 2223, 4000, 4001, 6504, 25000])
def test_black_bodies_have_luminance_one(kelvin):
    assert float(planckian(kelvin) @ np.array(LUMINANCE_WEIGHTS)) == pytest.approx(1, abs=1e-6)
    assert planckian(kelvin).min() >= 0


def test_black_bodies_are_red_when_cool_and_blue_when_hot():
    assert planckian(6504) == pytest.approx(np.ones(3), abs=1e-6)
    assert planckian(2700)[0] > 1.5
    assert planckian(2700)[2] < 0.5
    assert planckian(10000)[2] > 1 > planckian(10000)[0]


def test_no_tint_is_white():
    assert tinted(2700, 0.0) == pytest.approx(np.ones(3))


def test_colours_without_a_fit_are_refused():
    with pytest.raises(ValueError, match="1000"):
        planckian(1000)


def test_ratios_have_a_floor():
    over, under = np.array([[1.0, 1.0, 0.0]], np.float32), np.array([[2.0, 0.0, 0.0]], np.float32)
    assert safe_ratio(over, under, 0.1)[0] == pytest.approx([0.5, 10.0, 0.0])


@pytest.mark.parametrize("brightest", [1.0, 7.9, 30.0])
def test_the_table_of_highlights_is_the_shoulder(brightest):
    peak = np.linspace(0, brightest, 20_001, dtype=np.float32)[None]
    factor = highlight_rolloff([peak, peak / 2, peak / 3], 0.8, 0.97)
    assert factor * peak == pytest.approx(shoulder(peak, 0.8, 0.97), abs=2e-4)
    assert np.all(factor[(peak > 1e-3) & (peak <= 0.8)] == pytest.approx(1))


@pytest.mark.parametrize("brightest", [1.0, 30.0])
def test_a_function_of_the_largest_channel_comes_from_its_table_or_exactly(brightest):
    planes = list(np.random.default_rng(3).uniform(0.01, brightest, (3, 20, 30)).astype(np.float32))
    table = 1 / (1 + peaks())
    factor = scaled_by_peak(planes, table, lambda peak: 1 / (1 + peak))
    assert factor == pytest.approx(1 / (1 + np.max(planes, axis=0)), abs=2e-4)
    assert table.shape == (1, 65536)


@pytest.mark.parametrize("brightest", [1.0, 30.0])
def test_what_is_darker_than_black_gets_the_factor_of_black(brightest):
    dark = np.array([[-3e-4, -1e-6, 0.0, 1e-7, brightest]], np.float32)  # a dithered black, beside a bright lamp
    factor = highlight_rolloff([dark, dark, dark], 0.8, 0.97)
    assert factor[0, :4] == pytest.approx(1)


def test_planes_are_worked_on_as_pixels_are():
    image = np.random.default_rng(2).integers(0, 256, (30, 40, 3), np.uint8)
    planes = decode_planes(image)
    assert np.array_equal(np.dstack(planes), decode(image))
    assert luminance_of_planes(planes) == pytest.approx(luminance(decode(image)), abs=1e-6)
    half = np.full((30, 40), 0.5, np.float32)
    assert np.array_equal(encode(planes[0], half), encode(planes[0] * half))


def test_all_three_precisions_of_srgb_agree():
    values = np.linspace(0, 1, 1001)
    linear = srgb_to_linear(values)
    assert [srgb_to_linear_scalar(value) for value in values.tolist()] == pytest.approx(linear, rel=1e-15)
    single = values.astype(np.float32)[:, None]
    assert srgb_to_linear_float32(single).dtype == linear_to_srgb_float32(single).dtype == np.float32
    assert srgb_to_linear_float32(single)[:, 0] == pytest.approx(linear, abs=1e-6)
    assert linear_to_srgb_float32(single)[:, 0] == pytest.approx(linear_to_srgb(values), abs=1e-6)
    assert linear_to_srgb(linear) == pytest.approx(values, abs=1e-7)


@pytest.mark.parametrize("shape", [(0, 3), (50, 3), (4, 5, 3)])
@pytest.mark.parametrize("kind", [np.float32, np.uint8, np.int16])
def test_the_largest_and_the_smallest_channel(shape, kind):
    colors = (np.random.default_rng(1).random(shape) * 200).astype(kind)
    assert (largest_channel(colors).dtype, smallest_channel(colors).dtype) == (kind, kind)
    assert np.array_equal(largest_channel(colors), colors.max(axis=-1))
    assert np.array_equal(smallest_channel(colors), colors.min(axis=-1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_planes_are_the_channels(dtype: type[np.generic], channels: int) -> None:
    image = np.arange(5 * 7 * channels, dtype=dtype).reshape(5, 7, channels)
    planes = planes_of(image)
    assert len(planes) == channels
    for number, plane in enumerate(planes):
        assert plane.dtype == dtype
        assert plane.flags.c_contiguous
        assert np.array_equal(plane, image[..., number])


@pytest.mark.parametrize("part", [np.s_[1:, 2:], np.s_[::2, ::3]])
def test_a_part_of_an_image_has_planes_of_its_own(part: tuple[slice, ...]) -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    planes = planes_of(image[part])
    assert np.array_equal(np.stack(planes, axis=-1), image[part])
    for plane in planes:
        plane[...] = 0
    assert np.array_equal(image.ravel(), np.arange(5 * 7 * 3))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("step", [1, 2, 3, 9])
def test_every_so_many_pixels_are_taken_from_the_first_on(channels: int, step: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 8, channels), dtype=np.uint8)
    found = every(image, step)
    assert found.flags.c_contiguous
    assert np.array_equal(found, image[::step, ::step])
    found[...] = 0
    assert image.any()
