"""Small networks in ONNX files, written field by field: no package that writes them is needed.

The numbers of the fields are those of ``onnx.proto``.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FLOAT32, INT64 = 1, 7
Shape = Sequence[int | str]
ANY = ("n", 3, "h", "w")


def number(field_: int, value: int) -> bytes:
    return _whole(field_ << 3) + _whole(value)


def message(field_: int, *parts: bytes | str) -> bytes:
    content = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return _whole(field_ << 3 | 2) + _whole(len(content)) + content


def _whole(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def tensor(name: str, values: np.ndarray) -> bytes:
    kind = INT64 if values.dtype == np.int64 else FLOAT32
    sides = b"".join(number(1, side) for side in values.shape)
    return sides + number(2, kind) + message(8, name) + message(9, np.ascontiguousarray(values).tobytes())


def value(name: str, shape: Shape, element: int = FLOAT32) -> bytes:
    sides = b"".join(message(1, message(2, s) if isinstance(s, str) else number(1, s)) for s in shape)
    return message(1, name) + message(2, message(1, number(1, element) + message(2, sides)))


def node(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    named = b"".join(message(1, name) for name in inputs)
    return named + message(2, output) + message(4, kind) + b"".join(message(5, each) for each in attributes)


def whole_numbers(name: str, *values: int) -> bytes:
    return message(1, name) + b"".join(number(8, each) for each in values) + number(20, 7)


def whole_number(name: str, content: int) -> bytes:
    return message(1, name) + number(3, content & (2**64 - 1)) + number(20, 2)


def text(name: str, content: str) -> bytes:
    return message(1, name) + message(4, content) + number(20, 3)


def real(name: str, content: float) -> bytes:
    return message(1, name) + _whole(2 << 3 | 5) + struct.pack("<f", content) + number(20, 1)


@dataclass
class TinyNetwork:
    """A graph from ``x`` to ``y`` in the making."""

    shape: Shape = ANY
    element: int = FLOAT32
    nodes: list[bytes] = field(default_factory=list)
    weights: list[bytes] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)

    def add(self, kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> None:
        self.nodes.append(node(kind, inputs, output, *attributes))

    def weight(self, name: str, values: object, dtype: type = np.float32) -> str:
        self.weights.append(tensor(name, np.asarray(values, dtype)))
        return name

    def conv(self, source: str, output: str, kernel: np.ndarray, bias: Sequence[float]) -> None:
        side = kernel.shape[-1]
        names = [source, self.weight(f"{output}.w", kernel), self.weight(f"{output}.b", bias)]
        pads = whole_numbers("pads", *[side // 2] * 4)
        self.add("Conv", names, output, whole_numbers("kernel_shape", side, side), pads)

    def data(self, output_shape: Shape = ANY) -> bytes:
        graph = b"".join(message(1, each) for each in self.nodes) + message(2, "tiny")
        graph += b"".join(message(5, each) for each in self.weights)
        graph += message(11, value("x", self.shape, self.element)) + b"".join(message(11, e) for e in self.inputs)
        graph += message(12, value("y", output_shape))
        return number(1, 8) + message(7, graph) + message(8, message(1, "") + number(2, 17))

    def write(self, path: Path, output_shape: Shape = ANY) -> Path:
        path.write_bytes(self.data(output_shape))
        return path


def mixer(matrix: object, bias: Sequence[float], shape: Shape = ANY) -> TinyNetwork:
    """Each pixel's channels times a matrix (out, in), plus a bias."""
    made = TinyNetwork(shape)
    made.conv("x", "y", np.asarray(matrix, np.float32)[..., None, None], bias)
    return made


def same(shape: Shape = ANY) -> TinyNetwork:
    """The image itself."""
    return mixer(np.eye(3), [0, 0, 0], shape)


def u_net(seed: int = 0, channels: int = 3) -> TinyNetwork:
    """Random weights, half size and back, with a skip: what the public ones are made of."""
    rng = np.random.default_rng(seed)
    made = TinyNetwork()

    def layer(source: str, output: str, before: int, after: int) -> None:
        kernel = rng.standard_normal((after, before, 3, 3)) * np.sqrt(2 / (9 * before))
        made.conv(source, f"{output}.c", kernel.astype(np.float32), rng.standard_normal(after).tolist())
        made.add("Relu", [f"{output}.c"], output)

    layer("x", "a", 3, 8)
    made.add("MaxPool", ["a"], "p", whole_numbers("kernel_shape", 2, 2), whole_numbers("strides", 2, 2))
    layer("p", "b", 8, 8)
    scales = made.weight("scales", [1, 1, 2, 2])
    half = text("coordinate_transformation_mode", "half_pixel")
    made.add("Resize", ["b", "", scales], "u", text("mode", "linear"), half)
    made.add("Concat", ["a", "u"], "k", whole_number("axis", 1))
    kernel = rng.standard_normal((channels, 16, 3, 3)) * 0.05
    made.conv("k", "s", kernel.astype(np.float32), [0.0] * channels)
    made.add("Sigmoid", ["s"], "y")
    return made


def transformer(seed: int = 0, patch: int = 14, width: int = 16, heads: int = 2) -> TinyNetwork:
    """Patches, one block with attention at any number of patches, and back to (n, h, w): as depth networks are."""
    rng = np.random.default_rng(seed)
    made = TinyNetwork()

    def matmul(source: str, output: str, before: int, after: int) -> None:
        weights = made.weight(f"{output}.w", rng.standard_normal((before, after)) / np.sqrt(before))
        made.add("MatMul", [source, weights], output)

    kernel = made.weight("patch", rng.standard_normal((width, 3, patch, patch)) / patch)
    sides = whole_numbers("kernel_shape", patch, patch), whole_numbers("strides", patch, patch)
    made.add("Conv", ["x", kernel], "t0", *sides)
    made.add("Shape", ["t0"], "grid")
    made.add("Reshape", ["t0", made.weight("flat", [0, width, -1], np.int64)], "t1")
    made.add("Transpose", ["t1"], "t", whole_numbers("perm", 0, 2, 1))
    norm = made.weight("scale", np.ones(width)), made.weight("shift", np.zeros(width))
    made.add("LayerNormalization", ["t", *norm], "n", whole_number("axis", -1), real("epsilon", 1e-6))
    split = made.weight("split", [0, -1, heads, width // heads], np.int64)
    for name in "qkv":
        matmul("n", f"{name}0", width, width)
        made.add("Reshape", [f"{name}0", split], f"{name}1")
        order = (0, 2, 3, 1) if name == "k" else (0, 2, 1, 3)
        made.add("Transpose", [f"{name}1"], name, whole_numbers("perm", *order))
    made.add("MatMul", ["q", "k"], "s0")
    made.add("Softmax", ["s0"], "s", whole_number("axis", -1))
    made.add("MatMul", ["s", "v"], "o0")
    made.add("Transpose", ["o0"], "o1", whole_numbers("perm", 0, 2, 1, 3))
    made.add("Reshape", ["o1", made.weight("join", [0, -1, width], np.int64)], "o")
    made.add("Add", ["t", "o"], "r")
    made.add("Transpose", ["r"], "r1", whole_numbers("perm", 0, 2, 1))
    made.add("Reshape", ["r1", "grid"], "m")
    made.conv("m", "d", rng.standard_normal((1, width, 1, 1)).astype(np.float32), [0.0])
    made.add("Squeeze", ["d", made.weight("channel", [1], np.int64)], "y")
    return made
