"""How images are prepared for a network, and what comes back."""

from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.recipe.networks import Network as Options
from relight_assets.core.color import linear_to_srgb_float32, srgb_to_linear_float32
from relight_assets.errors import ModelFileError
from relight_assets.models.networks.dense import DenseNetwork
from relight_assets_tests.models.runtimes.tiny_onnx import TinyNetwork, mixer, same, transformer

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def test_display_values_and_back() -> None:
    linear = np.linspace(0, 1, 1001, dtype=np.float32)[None]
    assert linear_to_srgb_float32(np.float32([[0.2140]]))[0, 0] == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_allclose(srgb_to_linear_float32(linear_to_srgb_float32(linear)), linear, atol=1e-5)


def test_the_network_is_given_what_the_recipe_says(tmp_path: Path) -> None:
    path = same().write(tmp_path / "n.onnx")
    image = np.random.default_rng(0).random((64, 96, 3), np.float32)
    linear = DenseNetwork(path, Options(input="linear"), channels=(3,))
    np.testing.assert_allclose(linear(image), image, atol=1e-6)
    options = Options(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    display = DenseNetwork(path, options, channels=(3,))
    np.testing.assert_allclose(display(image), (linear_to_srgb_float32(image) - options.mean) / options.std, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        ({"size": 512, "multiple": 32}, (512, 384)),
        ({"size": 518, "multiple": 14}, (518, 392)),
        ({"size": 256, "square": True}, (256, 256)),
        ({"size": 64, "multiple": 64}, (64, 64)),
    ],
)
def test_sides_are_multiples_and_keep_the_aspect(options: dict[str, object], sides: tuple[int, int]) -> None:
    assert Options.model_validate(options).sides(1200, 900) == sides
    assert Options.model_validate(options).sides(900, 1200) == sides[::-1]
    assert min(Options.model_validate(options).sides(3, 4000)) > 0


def test_an_answer_of_patches_is_brought_to_the_image(tmp_path: Path) -> None:
    network = DenseNetwork(transformer().write(tmp_path / "n.onnx"), Options(size=56, multiple=14), channels=(1,))
    image = network.reduced(np.random.default_rng(0).random((200, 300, 3), np.float32))
    assert image.shape == (42, 56, 3)
    assert network(image).shape == (42, 56, 1)


def test_what_a_network_cannot_do_is_reported_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"tried on a gray image.*3 channels; 1 is needed"):
        DenseNetwork(same().write(tmp_path / "n.onnx"), Options(), channels=(1,))
    broken = TinyNetwork()
    broken.add("Sub", ["x", "x"], "z")
    broken.add("Log", ["z"], "y")
    with pytest.raises(ModelFileError, match=r"tried on a gray image.*NaN or infinity"):
        DenseNetwork(broken.write(tmp_path / "nan.onnx"), Options(), channels=(3,))
    with pytest.raises(ModelFileError, match="`size: 64`"):
        DenseNetwork(mixer(np.eye(3), [0] * 3, (1, 3, 64, 64)).write(tmp_path / "s.onnx"), Options(), channels=(3,))
