"""Made-up portraits whose albedo and shading are known, each under several lights."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import encode
from relight_assets.core.spherical_harmonics import shading

SIZE = (320, 280)
"""Rows and columns."""

Color = tuple[float, float, float]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Paint:
    """What a person is made of, linear RGB."""

    skin: Color
    hair: Color
    shirt: Color
    lips: Color


PAINTS = (
    Paint((0.52, 0.33, 0.24), (0.060, 0.040, 0.030), (0.10, 0.14, 0.32), (0.40, 0.13, 0.12)),
    Paint((0.62, 0.42, 0.32), (0.45, 0.30, 0.13), (0.70, 0.70, 0.68), (0.48, 0.20, 0.18)),
    Paint((0.14, 0.075, 0.045), (0.015, 0.012, 0.010), (0.55, 0.10, 0.08), (0.12, 0.045, 0.040)),
    Paint((0.32, 0.18, 0.11), (0.035, 0.022, 0.016), (0.08, 0.30, 0.16), (0.26, 0.09, 0.08)),
    Paint((0.45, 0.30, 0.21), (0.30, 0.29, 0.28), (0.05, 0.05, 0.06), (0.36, 0.15, 0.13)),
)
LIGHTS: tuple[tuple[Vector, float], ...] = (((0.55, -0.3, 0.78), 0.12), ((-0.5, -0.3, 0.81), 0.22))
"""Two lights for each person: a direction, and the share that comes from everywhere."""
UMBRA = 0.28
"""Light that is left in a hard shadow."""


@dataclass(frozen=True)
class Portrait:
    """A person under a light.

    ``rgb`` is (H, W, 3) uint8 sRGB, ``alpha`` (H, W) uint8; ``albedo`` (H, W, 3) and ``shading`` (H, W) are float32,
    linear, and their product is the image.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    albedo: NDArray[np.float32]
    shading: NDArray[np.float32]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Where there is nobody but the person."""
        return self.alpha == 255


@dataclass(frozen=True)
class _Shape:
    normals: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    head: NDArray[np.float32]
    body: NDArray[np.float32]


def pairs(*, hard: bool) -> Iterator[tuple[Portrait, Portrait]]:
    """Every person under two lights: soft ones, or one with a hard shadow across it."""
    shape = _shape(*SIZE)
    for paint in PAINTS:
        albedo = _painted(shape, paint)
        soft = [_soft(shape, *light) for light in LIGHTS]
        if hard:
            soft[1] = soft[0] * _shadow(shape)
        first, second = (_portrait(shape, albedo, shading) for shading in soft)
        yield first, second


def _shape(height: int, width: int) -> _Shape:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x + np.float32(0.5)) / width, (y + np.float32(0.5)) / height
    head = 1 - ((x - 0.5) / 0.26) ** 2 - ((y - 0.42) / 0.30) ** 2
    body = 1 - ((x - 0.5) / 0.46) ** 2 - ((y - 1.10) / 0.42) ** 2
    bump = np.maximum(np.sqrt(np.maximum(head, 0)) * 0.26, np.sqrt(np.maximum(body, 0)) * 0.30) * width
    nose = 0.035 * width * np.exp(-(((x - 0.5) / 0.035) ** 2) - ((y - 0.47) / 0.05) ** 2)
    bump = cv2.GaussianBlur((bump + nose).astype(np.float32), (0, 0), width / 60)
    normals = np.dstack([-np.gradient(bump, axis=1), -np.gradient(bump, axis=0), np.ones_like(bump)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return _Shape(normals.astype(np.float32), x, y, head, body)


def _painted(shape: _Shape, paint: Paint) -> NDArray[np.float32]:
    x, y, head = shape.x, shape.y, shape.head
    albedo = np.zeros((*x.shape, 3), np.float32)
    albedo[:] = paint.shirt
    albedo[head > 0] = paint.skin
    albedo[(head > 0) & (y < 0.26)] = paint.hair
    for side in (-1, 1):
        albedo[((x - 0.5 - side * 0.10) / 0.035) ** 2 + ((y - 0.42) / 0.018) ** 2 < 1] = (0.05, 0.04, 0.04)
    albedo[((x - 0.5) / 0.07) ** 2 + ((y - 0.57) / 0.02) ** 2 < 1] = paint.lips
    return cv2.GaussianBlur(albedo, (0, 0), 0.7)  # no camera is sharper


def _soft(shape: _Shape, light: Vector, ambient: float) -> NDArray[np.float32]:
    return shading(shape.normals @ (np.array(light, np.float32) / np.float32(np.linalg.norm(light))), ambient)


def _shadow(shape: _Shape) -> NDArray[np.float32]:
    """What a leaf leaves of the light: a hard edge that runs over face and shirt."""
    edge = shape.x + 0.25 * shape.y - 0.62 + 0.05 * np.sin(9 * shape.y)
    lit = cv2.GaussianBlur((edge > 0).astype(np.float32), (0, 0), 1.5)
    return (UMBRA + (1 - UMBRA) * lit).astype(np.float32)


def _portrait(shape: _Shape, albedo: NDArray[np.float32], shading: NDArray[np.float32]) -> Portrait:
    covered = np.clip(np.maximum(shape.head, shape.body) * shape.x.shape[1] / 8 + 0.5, 0, 1).astype(np.float32)
    wall = np.array([0.12, 0.30, 0.14], np.float32)
    image = albedo * shading[..., None] * covered[..., None] + wall * (1 - covered[..., None])
    return Portrait(encode(image), np.rint(covered * 255).astype(np.uint8), albedo, shading)
