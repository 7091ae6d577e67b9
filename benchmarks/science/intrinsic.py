"""Objects whose albedo and shading were photographed apart: MIT Intrinsic Images (Grosse et al., ICCV 2009).

They are never part of this package: a folder of them is given.  Each object is a folder with ``diffuse.png``,
``reflectance.png``, ``shading.png`` and ``mask.png``, in linear light.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.errors import UserError

_NAMES = ("diffuse", "reflectance", "shading", "mask")


@dataclass(frozen=True)
class Object:
    """One object: (H, W, 3) linear RGB in 0..1, its true albedo likewise, its (H, W) shading, and where it is."""

    name: str
    image: NDArray[np.float32]
    albedo: NDArray[np.float32]
    shading: NDArray[np.float32]
    mask: NDArray[np.bool_]


def read_objects(folder: Path) -> Iterator[Object]:
    """Every object of a folder, by name.

    Raises:
        UserError: there is none, or one of its images cannot be read.
    """
    found = sorted(path.parent for path in folder.glob("*/diffuse.png"))
    if not found:
        raise UserError(f"{folder} has no objects: a folder for each, with {', '.join(f'{n}.png' for n in _NAMES)}")
    for place in found:
        image, albedo, shading, mask = (_read(place / f"{name}.png") for name in _NAMES)
        shading = shading if shading.ndim == 2 else shading.mean(axis=2)
        inside = (mask if mask.ndim == 2 else mask.max(axis=2)) > 0.5
        if not (image.shape == albedo.shape == (*inside.shape, 3) and shading.shape == inside.shape and inside.any()):
            raise UserError(f"{place}: the four images must be of one size, two of them in colour, the mask not empty")
        yield Object(place.name, image, albedo, shading.astype(np.float32), inside)


def _read(path: Path) -> NDArray[np.float32]:
    try:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{path} is no PNG of 8 or 16 bits")
    values = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    return cv2.cvtColor(values[..., :3], cv2.COLOR_BGR2RGB) if values.ndim == 3 else values
