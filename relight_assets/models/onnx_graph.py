"""What an ONNX file says of itself: its inputs, read before anything runs.

A runtime that is given three channels where a network has weights for four may read beyond them, so the shape is
looked at here.  The file is a Protocol Buffers message (``onnx.proto`` of ONNX, IR version 3 and later), of which only
the few fields that are needed are walked through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

_GRAPH = 7
_INITIALIZER, _INPUT = 5, 11
_TENSOR_NAME, _DATA_LOCATION, _EXTERNAL = 8, 14, 1
_VALUE_NAME, _VALUE_TYPE, _TENSOR_TYPE = 1, 2, 1
_ELEMENT, _SHAPE, _DIMENSION, _SIZE = 1, 2, 1, 1
FLOAT32 = 1
"""Number of float32 among ONNX's element types."""

_Field = tuple[int, int | memoryview]


@dataclass(frozen=True)
class GraphInput:
    """One input of a graph: its element type by ONNX's number, and its sides, None where they are free."""

    name: str
    element: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """The inputs of a graph that a caller must give, and whether all of its weights are in the file."""

    inputs: tuple[GraphInput, ...]
    self_contained: bool


def read_graph(data: bytes) -> Graph:
    """Read an ONNX file's graph.

    Raises:
        ValueError: it is no ONNX file, or only a part of one.
    """
    graph = next((value for number, value in _fields(memoryview(data)) if number == _GRAPH), None)
    if not isinstance(graph, memoryview):
        _damaged()
    weights: set[str] = set()
    inputs: list[GraphInput] = []
    self_contained = True
    for number, value in _fields(graph):
        if number == _INITIALIZER:
            tensor = dict(_fields(_message(value)))
            weights.add(_text(tensor.get(_TENSOR_NAME, memoryview(b""))))
            self_contained &= tensor.get(_DATA_LOCATION) != _EXTERNAL
        elif number == _INPUT:
            inputs.append(_input(_message(value)))
    return Graph(tuple(each for each in inputs if each.name not in weights), self_contained)


def _input(value: memoryview) -> GraphInput:
    fields = dict(_fields(value))
    kind = dict(_fields(_message(fields.get(_VALUE_TYPE, memoryview(b"")))))
    tensor = dict(_fields(_message(kind.get(_TENSOR_TYPE, memoryview(b"")))))
    found = tensor.get(_ELEMENT, 0)
    element = found if isinstance(found, int) else 0
    sides = [dict(_fields(_message(each))) for number, each in _fields(_message(tensor.get(_SHAPE, memoryview(b""))))]
    known = (side.get(_SIZE) for side in sides)
    shape = tuple(side if isinstance(side, int) and side > 0 else None for side in known)
    return GraphInput(_text(fields.get(_VALUE_NAME, memoryview(b""))), element, shape)


def _fields(message: memoryview) -> Iterator[_Field]:
    """Number and value of each field: whole numbers as they are, all else as bytes."""
    place = 0
    while place < len(message):
        key, place = _whole_number(message, place)
        kind = key & 7
        if kind == 0:
            number, place = _whole_number(message, place)
            yield key >> 3, number
            continue
        if kind == 2:
            size, place = _whole_number(message, place)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            _damaged()
        if place + size > len(message):
            _damaged()
        yield key >> 3, message[place : place + size]
        place += size


def _whole_number(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            _damaged()
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    return _damaged()


def _message(value: int | memoryview) -> memoryview:
    return value if isinstance(value, memoryview) else _damaged()


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")


def _damaged() -> NoReturn:
    raise ValueError("it is no ONNX file, or only a part of one")
