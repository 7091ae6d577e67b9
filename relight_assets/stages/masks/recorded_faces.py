"""The face meshes and eyes of a photo as its record holds them: rounded to a small step, as text.

The light is computed with these and not with what the network gave, so that it comes out the same whether the masks
were made just now or long ago, and can be computed again without the photo.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

from relight_assets.core.arrays import Points

FINEST = 1 / 64
"""Pixels.  Steps are powers of two, so that multiples of them are exact in float32."""
_LARGEST = 32767
MESH, EYE = (468, 3), (21, 2)
"""Points of a face, and of an eye, and in how many dimensions."""
_FARTHEST = 1e6
"""Pixels; beyond it no face was ever found."""
_LIMITS = msgspec.Meta(ge=-_FARTHEST, le=_FARTHEST)


def packed(faces: Sequence[Points]) -> dict[str, Any]:
    """The numbers of the record: how many, and for each face its origin (x, y, pixels), step (pixels) and points.

    The points are base64 of little-endian int16 (468, 3): x right, y down, z, in steps from the origin.
    """
    return {"faces": len(faces), "face_meshes": [_packed(points) for points in faces]}


def packed_eyes(eyes: Sequence[Points]) -> dict[str, Any]:
    """The same of eyes, (21, 2) each."""
    return {"eyes": [_packed(points) for points in eyes]}


class FacesUnreadableError(ValueError):
    """A record does not hold the faces that it says were found."""


def unpacked(numbers: Mapping[str, Any]) -> list[Points]:
    """(468, 3) float32 points of each face of a record's numbers, in pixels.

    Raises:
        FacesUnreadableError: there are not as many as ``faces`` says, or they are damaged.
    """
    try:
        found = [_unpacked(face, MESH) for face in numbers["face_meshes"]]
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise FacesUnreadableError("the record's face meshes cannot be read") from error
    if len(found) != numbers.get("faces"):
        raise FacesUnreadableError(f"the record has {len(found)} face meshes and says {numbers.get('faces')}")
    return found


def unpacked_eyes(numbers: Mapping[str, Any]) -> list[Points]:
    """(21, 2) float32 points of each eye of a record's numbers, in pixels.

    Raises:
        FacesUnreadableError: they are damaged, or not there.
    """
    try:
        return [_unpacked(eye, EYE) for eye in numbers["eyes"]]
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise FacesUnreadableError("the record's eyes cannot be read") from error


class _Face(msgspec.Struct):
    """One face or eye of a record."""

    origin: Annotated[list[Annotated[float, _LIMITS]], msgspec.Meta(min_length=2, max_length=2)]
    step: Annotated[float, msgspec.Meta(gt=0, le=_FARTHEST)]
    points: str


msgspec.json.Decoder(_Face)  # has msgspec look at its fields here, and not in several threads at once


def _packed(points: Points) -> dict[str, Any]:
    origin = np.rint(points[:, :2].mean(axis=0))
    centred = points.astype(np.float64) - [*origin, *([0] * (points.shape[1] - 2))]
    reach = float(np.abs(centred).max())
    step = max(FINEST, 2.0 ** math.ceil(math.log2(max(reach, FINEST) / _LARGEST)))
    steps = np.rint(centred / step).astype("<i2")
    return {"origin": origin.tolist(), "step": step, "points": b64encode(steps.tobytes()).decode("ascii")}


def _unpacked(content: object, shape: tuple[int, int]) -> Points:
    face = msgspec.convert(content, _Face)
    steps = np.frombuffer(b64decode(face.points, validate=True), "<i2").reshape(shape)
    return (steps * face.step + [*face.origin, *([0] * (shape[1] - 2))]).astype(np.float32)
