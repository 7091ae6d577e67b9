"""Albedo by networks whose answers are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.config.recipe.networks import LearnedAlbedo
from relight_assets.core.color import linear_to_srgb_float32, srgb_to_linear_float32
from relight_assets.models.networks.albedo import OnnxAlbedo
from relight_assets_tests.models.runtimes.tiny_onnx import TinyNetwork, mixer, u_net

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

Image = NDArray[np.float32]


@pytest.fixture
def person() -> tuple[Image, Image]:
    rng = np.random.default_rng(0)
    alpha = np.zeros((128, 96), np.float32)
    alpha[20:110, 16:80] = 1
    linear = cv2.GaussianBlur(rng.random((128, 96, 3), np.float32), (0, 0), 2) * alpha[..., None]
    return linear, alpha


def options(**given: object) -> LearnedAlbedo:
    return LearnedAlbedo.model_validate({"size": 128, "multiple": 8} | given)


@pytest.mark.parametrize("output", ["srgb", "linear"])
def test_at_its_own_size_the_answer_is_the_network_s(tmp_path: Path, person: tuple[Image, Image], output: str) -> None:
    linear, alpha = person
    # Half of the value that it is given: of the display's, or of linear light.
    path = mixer(np.eye(3) * 0.5, [0, 0, 0]).write(tmp_path / "n.onnx")
    found = OnnxAlbedo(path, options(input=output, output=output)).albedo(linear, alpha)
    expected = (
        linear * 0.5 if output == "linear" else srgb_to_linear_float32(linear_to_srgb_float32(linear) * np.float32(0.5))
    )
    inside = (alpha > 0) & (linear.min(axis=-1) > 0.2)
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-4)


def test_the_range_of_the_answers(tmp_path: Path, person: tuple[Image, Image]) -> None:
    linear, alpha = person
    path = mixer(np.eye(3) * 2, [-1] * 3).write(tmp_path / "n.onnx")
    found = OnnxAlbedo(path, options(input="linear", output_range=[-1, 1])).albedo(linear, alpha)
    np.testing.assert_allclose(found[alpha > 0], linear[alpha > 0], atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_logarithm_of_the_shading_is_taken_off(tmp_path: Path, person: tuple[Image, Image], channels: int) -> None:
    linear, alpha = person
    path = mixer(np.zeros((channels, 3)), [np.log(0.25)] * channels).write(tmp_path / "n.onnx")
    found = OnnxAlbedo(path, options(output="log_shading")).albedo(linear, alpha)
    np.testing.assert_allclose(found[alpha > 0], 4 * linear[alpha > 0], rtol=1e-4)


def test_a_larger_image_keeps_its_detail(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    linear = 0.2 + 0.6 * rng.random((512, 384, 3), np.float32)
    path = mixer(np.eye(3) * 0.5, [0, 0, 0]).write(tmp_path / "n.onnx")
    found = OnnxAlbedo(path, options(input="linear")).albedo(linear, np.ones((512, 384), np.float32))
    np.testing.assert_allclose(found, 0.5 * linear, atol=0.02)


def test_what_stands_beside_the_person_does_not_reach_the_edge(tmp_path: Path, person: tuple[Image, Image]) -> None:
    linear, alpha = person
    linear, alpha = cv2.resize(linear, None, fx=3, fy=3), cv2.resize(alpha, None, fx=3, fy=3)
    linear = np.where(alpha[..., None] > 0, np.maximum(linear, 0.3), 0).astype(np.float32)
    # It answers .1 everywhere, so what it gives is the image's detail on one level.
    path = mixer(np.zeros((3, 3)), [0.1] * 3).write(tmp_path / "n.onnx")
    found = OnnxAlbedo(path, options(input="linear", size=64)).albedo(linear, alpha)
    assert np.ptp(found[alpha > 0.5]) < 0.08


def test_a_network_without_an_albedo_gives_finite_numbers(tmp_path: Path, person: tuple[Image, Image]) -> None:
    linear, alpha = person
    huge = TinyNetwork()
    huge.conv("x", "m", np.full((3, 3, 1, 1), 1e30, np.float32), [0.0] * 3)
    huge.add("Neg", ["m"], "y")
    for given in ({"output": "log_shading"}, {}, {"output": "srgb"}):
        found = OnnxAlbedo(huge.write(tmp_path / "n.onnx"), options(**given)).albedo(linear, alpha)
        assert np.isfinite(found).all()
        assert found.min() >= 0
    found = OnnxAlbedo(u_net().write(tmp_path / "u.onnx"), options()).albedo(linear * 0, alpha * 0)
    assert np.isfinite(found).all()


def test_the_same_answer_twice_from_images_of_any_size(tmp_path: Path, person: tuple[Image, Image]) -> None:
    linear, alpha = person
    extractor = OnnxAlbedo(u_net().write(tmp_path / "n.onnx"), options(size=64))
    first = extractor.albedo(linear, alpha)
    extractor.albedo(linear[:50, :33], alpha[:50, :33])
    np.testing.assert_array_equal(extractor.albedo(linear, alpha), first)
