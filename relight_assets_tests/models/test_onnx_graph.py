"""What an ONNX file says of its inputs."""

import pytest

from relight_assets.models.onnx_graph import FLOAT32, GraphInput, read_graph
from relight_assets_tests.models import tiny_onnx


def test_the_inputs_are_read_with_their_free_sides() -> None:
    graph = read_graph(tiny_onnx.same().data())
    assert graph.inputs == (GraphInput("x", FLOAT32, (None, 3, None, None)),)
    assert graph.self_contained
    (fixed,) = read_graph(tiny_onnx.same((1, 3, 64, 96)).data()).inputs
    assert fixed.shape == (1, 3, 64, 96)


def test_weights_that_are_listed_as_inputs_are_none() -> None:
    network = tiny_onnx.same()
    network.inputs.append(tiny_onnx.value("y.w", (3, 3, 1, 1)))
    assert [each.name for each in read_graph(network.data()).inputs] == ["x"]
    network.inputs.append(tiny_onnx.value("prompt", (1, 77), tiny_onnx.INT64))
    assert read_graph(network.data()).inputs[1] == GraphInput("prompt", 7, (1, 77))


def test_weights_in_another_file_are_seen() -> None:
    network = tiny_onnx.same()
    network.weights[0] += tiny_onnx.number(14, 1)
    assert not read_graph(network.data()).self_contained


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_a_part_of_a_file_or_none_is_told(cut: int) -> None:
    data = tiny_onnx.same().data()
    with pytest.raises(ValueError, match="no ONNX file"):
        read_graph(data[: min(cut, len(data) - 8)])


@pytest.mark.parametrize("data", [b"not a network", b"\xff" * 40, b"\x3b" * 9, bytes(50)])
def test_other_bytes_are_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="no ONNX file"):
        read_graph(data)
