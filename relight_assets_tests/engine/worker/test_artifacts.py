import numpy as np

from relight_assets.core.arrays import Layer, Layers
from relight_assets.engine.worker.artifacts import encoded, encoded_files
from relight_assets.imaging.exr import decode_exr
from relight_assets.imaging.png import decode_png

PIXELS = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
LAYERS = Layers((5, 4), (Layer("light", {"key": np.ones((4, 5, 3), np.float16)}),))


def test_pixels_become_a_png_halves_an_exr_and_bytes_stay():
    assert np.array_equal(decode_png(encoded(PIXELS)), PIXELS)
    assert decode_exr(encoded(LAYERS)).layers[0].name == "light"
    assert encoded(b"as it is") == b"as it is"


def test_what_several_files_hold_is_encoded_once():
    found = dict(encoded_files({"a": PIXELS, "b": LAYERS, "c": PIXELS, "d": LAYERS, "e": PIXELS.copy()}))
    assert list(found) == ["a", "b", "c", "d", "e"]
    assert found["a"] is found["c"]
    assert found["b"] is found["d"]
    assert found["e"] == found["a"]
    assert found["e"] is not found["a"]
