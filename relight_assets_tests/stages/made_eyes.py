"""Made-up eyes whose iris, lids and catch-light are known."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import encode

SKIN, WHITE, IRIS = (0.42, 0.26, 0.19), (0.5, 0.48, 0.46), (0.06, 0.04, 0.03)


def eye_points(x: float, y: float, radius: float, aperture: float = 0.8) -> NDArray[np.float32]:
    """The (21, 2) points of an eye; ``aperture`` is the height of its opening in widths of the iris."""
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    lids = np.column_stack([2.3 * radius * np.cos(around), 1.0 * aperture * radius * np.sin(around)])
    iris = np.array([[0, 0], [radius, 0], [0, -radius], [-radius, 0], [0, radius]])
    return (np.concatenate([iris, lids]) + np.array([x, y])).astype(np.float32)


def draw_eye(
    image: NDArray[np.uint8], points: NDArray[np.float32], catch_light: tuple[float, float] | None = None
) -> None:
    """Draw an eye into an (H, W, 3) uint8 sRGB image; ``catch_light``: where it mirrors a lamp, radii of the iris."""
    radius = float(points[1, 0] - points[0, 0])
    center = np.rint(points[0] * 16).astype(int).tolist()
    drawn = np.zeros_like(image)
    drawn[:] = display(WHITE)
    cv2.circle(drawn, center, round(radius * 16), display(IRIS), -1, cv2.LINE_AA, 4)
    cv2.circle(drawn, center, round(radius * 5), (4, 4, 4), -1, cv2.LINE_AA, 4)
    if catch_light is not None:
        place = np.rint((points[0] + radius * np.array(catch_light)) * 16).astype(int).tolist()
        cv2.circle(drawn, place, round(0.18 * radius * 16), (250, 250, 250), -1, cv2.LINE_AA, 4)
    opening = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.rint(points[5:] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    share = opening[..., None].astype(np.float32) / 255
    image[:] = np.rint(drawn * share + image * (1 - share)).astype(np.uint8)


def display(linear: tuple[float, float, float]) -> list[int]:
    """A linear colour as sRGB levels."""
    return encode(np.array(linear, np.float32).reshape(1, 1, 3)).ravel().tolist()


def face_of_skin(height: int = 160, width: int = 200) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 RGBA: nothing but skin."""
    image = np.empty((height, width, 4), np.uint8)
    image[:] = [*display(SKIN), 255]
    return image


def photo_of_eye(
    radius: float = 20.0, aperture: float = 0.8, catch_light: tuple[float, float] | None = (0.3, -0.2)
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(160, 200, 4) uint8 RGBA of one eye in the middle, and its points."""
    image, points = face_of_skin(), eye_points(100.25, 80.5, radius, aperture)
    rgb = np.ascontiguousarray(image[..., :3])
    draw_eye(rgb, points, catch_light)
    image[..., :3] = rgb
    return image, points
