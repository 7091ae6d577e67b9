"""The PNG writer against two independent decoders."""

import io
import struct
import threading
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from relight_assets.errors import ImageCorruptError
from relight_assets.imaging import png
from relight_assets.imaging.png import alpha_png, chunks, decode_png, encode_png, is_minimal_rgb
from relight_assets_tests.conftest import Bench, read_rgb
from relight_assets_tests.imaging.sample_images import chunk, gradient, png_by_hand, saved


def with_pillow(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def with_cv2(data: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        return pixels
    return pixels[..., [2, 1, 0]] if pixels.shape[2] == 3 else pixels[..., [2, 1, 0, 3]]


@settings(deadline=None, max_examples=150)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([1, 3, 4]),
    seed=st.integers(0, 2**32 - 1),
    flat=st.booleans(),
)
def test_round_trip(height: int, width: int, channels: int, seed: int, flat: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = rng.integers(0, 3 if flat else 256, shape, np.uint8)
    data = encode_png(pixels)
    for decoder in (with_pillow, with_cv2, decode_png):
        np.testing.assert_array_equal(decoder(data), pixels)
    assert encode_png(pixels) == data


def test_the_bytes_do_not_depend_on_where_the_encoder_lies_in_memory(finished: Bench) -> None:
    """On this image, one of 250 threads had other bytes when isa-l met a stream's first byte in its fast loop."""
    pixels = read_rgb(finished.layout.png(0, "foreground"))
    together = threading.Barrier(250)
    made: set[bytes] = set()

    def encode() -> None:
        together.wait()  # so that every thread has its stack, and its heap, to itself
        made.add(encode_png(pixels))
        together.wait()

    before = threading.stack_size()
    try:
        for megabytes in range(1, 11):  # other sizes, other places
            threading.stack_size(megabytes << 20)
            threads = [threading.Thread(target=encode) for _ in range(together.parties)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        threading.stack_size(before)
    assert made == {encode_png(pixels)}


ODD_SIZES = [(1, 1), (1, 2), (1, 97), (97, 1), (3, 5), (31, 37), (127, 257), (2, 16384), (16384, 2)]


def modes(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Gray, RGB and RGBA of one image."""
    return [np.ascontiguousarray(rgb[..., 1]), rgb, np.dstack([rgb, 255 - rgb[..., :1]])]


def assert_read_back(pixels: NDArray[np.uint8]) -> None:
    data = encode_png(pixels)
    for decoder in (with_pillow, with_cv2, decode_png):
        found = decoder(data)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("isal", [True, False])
@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("size", ODD_SIZES)
def test_odd_sizes(size: tuple[int, int], mode: int, isal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "HAS_ISAL", isal and png.HAS_ISAL)
    random = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    for rgb in (random, random // 250, gradient(*size), np.full_like(random, 255)):
        assert_read_back(modes(rgb)[mode])


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png"])
def test_real_photos_whole_cropped_and_split(name: str, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = Path(pytest.importorskip("skimage").__file__).with_name("data") / name
    rgb = np.asarray(Image.open(packaged).convert("RGB"))
    pixels = modes(rgb)[mode]
    assert_read_back(pixels)
    for view in (pixels[3:200:2, 7:-5], pixels[::-1, ::-1], pixels.swapaxes(0, 1)):
        assert not view.flags.c_contiguous
        assert_read_back(view)
    large = np.tile(pixels, (3, 2) if mode == 0 else (3, 2, 1))
    whole = encode_png(large)
    if not png.HAS_ISAL:
        return  # OpenCV splits as it likes
    monkeypatch.setattr(png, "_MAX_CHUNK", 32_749)
    assert [kind for kind, _ in chunks(encode_png(large))].count(b"IDAT") > 4
    assert len(encode_png(large)) > len(whole)
    assert_read_back(large)


@pytest.mark.parametrize("isal", [True, False])
def test_strides_do_not_matter(isal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "HAS_ISAL", isal and png.HAS_ISAL)
    pixels = gradient(50, 70)
    for view in (pixels[::-1, ::2], pixels.transpose(1, 0, 2), pixels[..., 1], pixels[5:9, 3:4]):
        np.testing.assert_array_equal(decode_png(encode_png(view)), view)
        np.testing.assert_array_equal(with_pillow(encode_png(view)), view)
    rgba = np.dstack([pixels, pixels[..., :1]])
    np.testing.assert_array_equal(with_pillow(encode_png(rgba)), rgba)


def test_only_three_kinds_of_chunk() -> None:
    data = encode_png(gradient())
    assert [kind for kind, _ in chunks(data)] == [b"IHDR", b"IDAT", b"IEND"]
    assert is_minimal_rgb(data)
    assert not is_minimal_rgb(data + b"\0")
    assert not is_minimal_rgb(saved(gradient(), "PNG", pnginfo=None, dpi=(72, 72)))


def test_long_streams_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_MAX_CHUNK", 1000)
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    data = encode_png(pixels)
    assert [kind for kind, _ in chunks(data)].count(b"IDAT") > 5
    np.testing.assert_array_equal(with_pillow(data), pixels)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4), bool),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
    ],
)
def test_what_is_not_written(bad: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="written from"):
        encode_png(bad)


def test_every_damage_is_noticed() -> None:
    data = encode_png(gradient(20, 20))
    for cut in range(len(data)):
        with pytest.raises(ImageCorruptError):
            decode_png(data[:cut])
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x21
        with pytest.raises(ImageCorruptError):
            decode_png(bytes(damaged))


def test_too_few_rows_behind_a_right_checksum() -> None:
    rows = [bytes(60)] * 9
    with pytest.raises(ImageCorruptError):
        decode_png(png_by_hand((20, 20), rows))


@pytest.mark.parametrize("filters", ["22222", "22220", "02222", "21222", "22234"])
@pytest.mark.parametrize(("channels", "color"), [(1, 0), (3, 2), (4, 6)])
def test_rows_of_any_filter(filters: str, channels: int, color: int) -> None:
    """Those of our writer, for which there is a shorter way, and those of others."""
    rows = np.random.default_rng(3).integers(0, 256, (len(filters), 7 * channels), np.uint8)
    stream = zlib.compress(
        b"".join(
            filter_.encode("latin-1") + row.tobytes()
            for filter_, row in zip((chr(int(each)) for each in filters), rows, strict=True)
        )
    )
    by_hand = png_by_hand((7, len(filters)), [], color=color)
    empty = chunk(b"IDAT", zlib.compress(b""))
    assert empty in by_hand
    data = by_hand.replace(empty, chunk(b"IDAT", stream[:9]) + chunk(b"IDAT", stream[9:]))
    assert np.array_equal(decode_png(data), with_pillow(data))


@pytest.mark.parametrize("height", [1, 2, 3, 4, 15, 16, 17, 40])
@pytest.mark.parametrize("isal", [True, False])
def test_alpha_alone(height: int, isal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "HAS_ISAL", isal and png.HAS_ISAL)
    pixels = np.random.default_rng(height).integers(0, 256, (height, 23, 4), np.uint8)
    data = encode_png(pixels)
    assert np.array_equal(decode_png(data), pixels)
    assert alpha_png(data) == encode_png(pixels[..., 3])
    other = cv2.imencode(".png", pixels)[1].tobytes()  # by another writer
    assert alpha_png(other) == encode_png(pixels[..., 3])
    with pytest.raises(ImageCorruptError, match="no alpha"):
        alpha_png(encode_png(pixels[..., :3]))
    with pytest.raises(ImageCorruptError):
        alpha_png(data[:-20])


@pytest.mark.parametrize("more", [-1, 1])
def test_too_much_or_too_little_behind_a_right_checksum(more: int) -> None:
    raw = b"".join(b"\2" + bytes(21) for _ in range(5))
    stream = zlib.compress(raw + b"x" if more > 0 else raw[:-1])
    by_hand = png_by_hand((7, 5), [])
    data = by_hand.replace(chunk(b"IDAT", zlib.compress(b"")), chunk(b"IDAT", stream))
    if more > 0:  # as libpng has it
        assert not decode_png(data).any()
    else:
        with pytest.raises(ImageCorruptError):
            decode_png(data)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (2**31 - 1, 2**31 - 1), (2**32 - 1, 2**32 - 1)])
def test_a_header_that_no_stream_can_fill(size: tuple[int, int]) -> None:
    with pytest.raises(ImageCorruptError):
        decode_png(png_by_hand(size, [bytes(20)]))


@pytest.mark.parametrize("kind", ["16 bit", "palette", "interlaced", "gray alpha", "no IHDR"])
def test_other_pngs_are_not_ours(kind: str) -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 1)
    stream = zlib.compress(bytes(8 * 25))
    data = {
        "16 bit": png_by_hand((8, 8), [bytes(48)] * 8, depth=16),
        "palette": saved(Image.new("P", (8, 8)), "PNG"),
        "interlaced": png_by_hand((8, 8), [bytes(24)] * 8).replace(header[:-1] + b"\0", header),
        "gray alpha": saved(Image.new("LA", (8, 8)), "PNG"),
        "no IHDR": png.SIGNATURE + png_by_hand((8, 8), [])[33:],
    }[kind]
    assert stream
    with pytest.raises(ImageCorruptError):
        decode_png(data)
