"""Depth and normals by networks whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.recipe.networks import ShapeNetwork
from relight_assets.core.color import linear_to_srgb_float32
from relight_assets.errors import ModelAnswerError, ModelFileError
from relight_assets.models.networks.geometry import OnnxShape
from relight_assets_tests.models.runtimes.tiny_onnx import mixer, transformer

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

PLAIN = ShapeNetwork(size=64, multiple=2, mean=(0, 0, 0), std=(1, 1, 1))


def photo(height: int = 64, width: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_depth_is_one_plane_of_any_scale(tmp_path: Path) -> None:
    path = mixer([[0, 500, 0]], [-20]).write(tmp_path / "n.onnx")
    found = OnnxShape(path, "depth", PLAIN).estimate(photo())
    np.testing.assert_allclose(found, photo()[..., 1] / 255 * 500 - 20, atol=0.1)


def test_a_network_is_given_display_values_as_of_imagenet(tmp_path: Path) -> None:
    path = mixer([[1, 0, 0]], [0]).write(tmp_path / "n.onnx")
    found = OnnxShape(path, "depth", ShapeNetwork(size=56)).estimate(np.full((56, 56, 3), 100, np.uint8))
    np.testing.assert_allclose(found, (100 / 255 - 0.485) / 0.229, atol=1e-3)
    assert linear_to_srgb_float32(np.float32([[0.1274]]))[0, 0] == pytest.approx(100 / 255, abs=2e-3)


def test_depth_as_transformers_give_it_for_a_photo_of_any_size(tmp_path: Path) -> None:
    network = OnnxShape(transformer().write(tmp_path / "n.onnx"), "depth", ShapeNetwork(size=70))
    first = network.estimate(photo(300, 211))
    assert first.shape == (70, 56)
    network.estimate(photo(40, 90))
    np.testing.assert_array_equal(network.estimate(photo(300, 211)), first)


def test_normals_have_length_1(tmp_path: Path) -> None:
    path = mixer(np.eye(3) * 4, [0, 0, 1]).write(tmp_path / "n.onnx")
    found = OnnxShape(path, "normals", PLAIN).estimate(photo())
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)
    expected = photo() / 255 * 4 + (0, 0, 1)
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=-1, keepdims=True), atol=1e-3)


def test_other_answers_are_refused(tmp_path: Path) -> None:
    colors = mixer(np.eye(3), [0] * 3).write(tmp_path / "n.onnx")
    with pytest.raises(ModelFileError, match="3 channels; 1 is needed"):
        OnnxShape(colors, "depth", PLAIN)
    none = mixer(np.zeros((3, 3)), [0] * 3).write(tmp_path / "z.onnx")
    with pytest.raises(ModelAnswerError, match="normals of no length"):
        OnnxShape(none, "normals", PLAIN).estimate(photo())
