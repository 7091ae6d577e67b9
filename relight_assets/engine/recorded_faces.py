"""The face meshes of a photo as its record holds them: rounded to a small step, as text.

The light is computed with these and not with what the network gave, so that it comes out the same whether the masks
were made just now or long ago, and can be computed again without the photo.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight_assets.models.face_mesh import FaceMesh

Points = NDArray[np.float32]
FINEST = 1 / 64
"""Pixels.  Steps are powers of two, so that multiples of them are exact in float32."""
_LARGEST = 32767


def packed(faces: Sequence[FaceMesh]) -> dict[str, Any]:
    """The numbers of the record: for each face its origin (x, y, pixels), step (pixels) and points.

    The points are base64 of little-endian int16 (468, 3): x right, y down, z, in steps from the origin.
    """
    return {"face_meshes": [_packed(face.points) for face in faces]}


def unpacked(numbers: Mapping[str, Any]) -> list[Points]:
    """(468, 3) float32 points of each face of a record's numbers, in pixels."""
    return [_unpacked(face) for face in numbers.get("face_meshes", [])]


def _packed(points: Points) -> dict[str, Any]:
    origin = np.rint(points[:, :2].mean(axis=0))
    centred = points.astype(np.float64) - [*origin, 0]
    reach = float(np.abs(centred).max())
    step = max(FINEST, 2.0 ** math.ceil(math.log2(max(reach, FINEST) / _LARGEST)))
    steps = np.rint(centred / step).astype("<i2")
    return {"origin": origin.tolist(), "step": step, "points": b64encode(steps.tobytes()).decode("ascii")}


def _unpacked(face: Mapping[str, Any]) -> Points:
    steps = np.frombuffer(b64decode(face["points"]), "<i2").reshape(-1, 3)
    return (steps * face["step"] + [*face["origin"], 0]).astype(np.float32)
