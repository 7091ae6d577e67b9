"""Files of half floats: the same halves come back, and the same content gives the same bytes."""

from io import BytesIO

import numpy as np
import OpenEXR
import pytest

from relight_assets.core.arrays import Layer, Layers
from relight_assets.errors import ConfigError, ImageCorruptError
from relight_assets.imaging import exr
from relight_assets.imaging.exr import decode_exr, encode_exr

RNG = np.random.default_rng(5)


def halves(*shape: int) -> np.ndarray:
    return (RNG.random(shape) * 1000).astype(np.float16)


LAYERS = Layers(
    (640, 480),
    (
        Layer("light", {"ambient": halves(40, 30, 3), "key": halves(40, 30, 3)}, window=(7, 9, 300, 400)),
        Layer("grain", {"factor": halves(11, 13)}, window=(1, 2, 5, 6)),
        Layer("eye.1", {"albedo": halves(4, 6, 3)}, place=(200, 100)),
    ),
)


def assert_same(one: Layers, other: Layers) -> None:
    assert one.size == other.size
    for first, second in zip(one.layers, other.layers, strict=True):
        assert (first.name, first.place, first.window) == (second.name, second.place, second.window)
        assert first.planes.keys() == second.planes.keys()
        for name, plane in first.planes.items():
            assert second.planes[name].dtype == np.float16
            assert np.array_equal(plane, second.planes[name])


def test_the_same_halves_come_back():
    assert_same(LAYERS, decode_exr(encode_exr(LAYERS)))


def test_the_same_content_gives_the_same_bytes():
    assert encode_exr(LAYERS) == encode_exr(LAYERS)


def test_any_reader_finds_the_channels_and_where_they_lie():
    with OpenEXR.File(BytesIO(encode_exr(LAYERS))) as file:
        light, _, eye = file.parts
        assert set(light.channels) == {"ambient", "key"}
        assert np.array_equal(light.channels["key"].pixels, LAYERS.layers[0].planes["key"])
        assert [part.tolist() for part in eye.header["dataWindow"]] == [[200, 100], [205, 103]]
        assert [part.tolist() for part in eye.header["displayWindow"]] == [[0, 0], [639, 479]]


@pytest.mark.parametrize("data", [b"", b"no file", encode_exr(LAYERS)[:500], encode_exr(LAYERS)[:-900]])
def test_what_is_no_such_file_is_one_sentence(data):
    with pytest.raises(ImageCorruptError, match="damaged, or none of ours"):
        decode_exr(data)


def test_other_numbers_than_halves_are_refused():
    file = BytesIO()
    OpenEXR.File({}, {"Z": np.zeros((3, 4), np.float32)}).write(file)
    with pytest.raises(ImageCorruptError, match="other numbers than half floats"):
        decode_exr(file.getvalue())


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(exr, "find_spec", lambda _: None)
    for work in (lambda: encode_exr(LAYERS), lambda: decode_exr(b""), exr.require_exr):
        with pytest.raises(ConfigError, match="its extra `light`"):
            work()
