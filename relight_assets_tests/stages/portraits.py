"""A made-up portrait whose albedo, shading and mask are known."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import encode
from relight_assets.stages.foreground_color import with_alpha

NO_TRIANGLES = np.zeros((0, 3), np.int32)


@dataclass(frozen=True)
class Portrait:
    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    probability: NDArray[np.float32]
    albedo: NDArray[np.float32]
    shading: NDArray[np.float32]

    @property
    def foreground(self) -> NDArray[np.uint8]:
        return with_alpha(self.rgb, self.alpha)


def portrait(height: int = 192, width: int = 160, light: tuple[float, float, float] = (0.75, -0.25, 0.6)) -> Portrait:
    """Head, hair and shirt of different paint, lit from one side, before a green wall."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x + 0.5) / width, (y + 0.5) / height
    head = 1 - ((x - 0.5) / 0.26) ** 2 - ((y - 0.42) / 0.30) ** 2
    body = 1 - ((x - 0.5) / 0.46) ** 2 - ((y - 1.10) / 0.42) ** 2
    bump = np.maximum(np.sqrt(np.maximum(head, 0)) * 0.26, np.sqrt(np.maximum(body, 0)) * 0.30) * width
    bump = cv2.GaussianBlur(bump, (0, 0), width / 60)
    n = np.dstack([-np.gradient(bump, axis=1), -np.gradient(bump, axis=0), np.ones_like(bump)])
    n /= np.linalg.norm(n, axis=2, keepdims=True)
    shading = (0.18 + 0.82 * np.maximum(n @ np.array(light), 0)).astype(np.float32)
    albedo = np.zeros((height, width, 3), np.float32)
    albedo[:] = (0.10, 0.14, 0.32)
    albedo[head > 0] = (0.52, 0.33, 0.24)
    albedo[(head > 0) & (y < 0.26)] = (0.060, 0.040, 0.030)
    for side in (-1, 1):
        albedo[((x - 0.5 - side * 0.10) / 0.035) ** 2 + ((y - 0.42) / 0.018) ** 2 < 1] = (0.05, 0.04, 0.04)
    albedo[((x - 0.5) / 0.07) ** 2 + ((y - 0.57) / 0.02) ** 2 < 1] = (0.40, 0.13, 0.12)
    coverage = np.clip(np.maximum(head, body) * width / 8 + 0.5, 0, 1)
    wall = np.array([0.12, 0.30, 0.14], np.float32)
    image = albedo * shading[..., None] * coverage[..., None] + wall * (1 - coverage[..., None])
    alpha = np.rint(coverage * 255).astype(np.uint8)
    probability = cv2.resize(coverage.astype(np.float32), (96, 96), interpolation=cv2.INTER_AREA)
    return Portrait(encode(image.astype(np.float32)), alpha, probability, albedo, shading)


def face_mesh(
    height: int = 192, width: int = 160, *, rows: int = 18, columns: int = 26
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A bowl of 468 points with a nose where the head of :func:`portrait` is, and its triangles."""
    v, u = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    radius = 0.20 * width
    x = 0.5 * width + radius * u * np.sqrt(np.maximum(1 - v * v / 2, 0))
    y = 0.44 * height + radius * 1.3 * v * np.sqrt(np.maximum(1 - u * u / 2, 0))
    z = radius * (0.8 * (u * u + v * v) / 2 - 0.45 * np.exp(-(u * u) / 0.03 - v * v / 0.1))
    points = np.column_stack([x.ravel(), y.ravel(), z.ravel()]).astype(np.float32)
    # Two named points of the real mesh, its long axis, are read from it.
    points[10], points[152] = (
        (0.5 * width, 0.44 * height - radius * 1.3, 0),
        (0.5 * width, 0.44 * height + radius * 1.3, 0),
    )
    at = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]))
    return points, np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])]).astype(np.int32)
