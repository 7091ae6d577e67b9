"""Made-up heads of hair before made-up backgrounds: alpha is known exactly; a segmenter's answer is made up."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, CELLS = 512, 128
"""Pixels of an image and cells of the segmenter: four pixels a cell, as the embedded one has at 1024."""
FINER = 4
"""Everything is drawn so many times larger, without soft edges, and shrunk."""
STRANDS = 260

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Head:
    """``rgb`` is (512, 512, 3) uint8, ``alpha`` (512, 512) float32 in 0..1, ``probability`` (128, 128) float32."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    probability: NDArray[np.float32]


@dataclass(frozen=True)
class _HairStyle:
    hair: Color
    shirt: Color
    curls: float
    """Rounds of a strand."""
    wall: tuple[Color, Color]
    """Colours that the background runs between."""
    waves: int
    """How often it does so; 0 is a plain wall."""


_SKIN: Color = (190, 140, 115)
_HAIR_STYLES = (
    _HairStyle((60, 40, 28), (40, 70, 140), 0.3, ((205, 205, 210), (170, 172, 180)), 0),
    _HairStyle((30, 24, 22), (150, 40, 50), 2.0, ((150, 170, 190), (70, 110, 60)), 2),
    _HairStyle((48, 36, 30), (35, 35, 40), 1.2, ((22, 24, 28), (44, 42, 46)), 1),
    _HairStyle((190, 150, 95), (230, 230, 225), 0.6, ((120, 40, 40), (215, 215, 210)), 7),
)


def heads() -> Iterator[Head]:
    """Fair and dark, straight and curled hair, before a plain wall, blurred colours, a dark room and stripes."""
    for number, style in enumerate(_HAIR_STYLES):
        random = np.random.Generator(np.random.Philox(number))
        colors, alpha = _person(style, random)
        image = colors + _background(style) * (1 - alpha[..., None]) + random.normal(0, 1.2, colors.shape)
        rgb = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        yield Head(rgb, alpha, _segmented(alpha))


def _person(style: _HairStyle, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colours times alpha, in 0..255, and alpha."""
    large = SIDE * FINER
    drawn = np.zeros((large, large, 4), np.uint8)
    unit = large / 100

    def ellipse(x: float, y: float, across: float, down: float, color: Color) -> None:
        center, axes = (round(x * unit), round(y * unit)), (round(across * unit), round(down * unit))
        cv2.ellipse(drawn, center, axes, 0, 0, 360, (*color, 255), -1)

    ellipse(50, 108, 40, 34, style.shirt)
    ellipse(50, 42, 23, 27, style.hair)
    along = np.linspace(0, 1, 40)
    for angle in random.uniform(-np.pi, 0, STRANDS):
        length, turn, width = random.uniform(3, 12), random.uniform(0, 2 * np.pi), random.uniform(0.12, 0.35)
        outward = 0.9 + along * length / 23
        swing = 2.2 * np.sin(2 * np.pi * style.curls * along + turn) * along
        x = 50 + 23 * np.cos(angle) * outward + swing * np.sin(angle)
        y = 42 + 27 * np.sin(angle) * outward + swing * np.cos(angle) + 6 * along**2
        points = np.rint(np.stack([x, y], axis=1) * unit).astype(np.int32)
        light = random.uniform(0.8, 1.25)
        shade = tuple(int(channel * light) for channel in style.hair)
        cv2.polylines(drawn, [points], False, (*shade, 255), max(1, round(width * unit)))
    ellipse(50, 48, 17, 22, _SKIN)
    small = cv2.resize(drawn.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small[..., :3], small[..., 3] / 255


def _background(style: _HairStyle) -> NDArray[np.float32]:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    share = 0.5 + 0.5 * np.sin(2 * np.pi * style.waves * (x + 0.35 * y)) if style.waves else 0.6 * y + 0.4 * x
    first, second = (np.array(color, np.float32) for color in style.wall)
    return (first + (second - first) * share[..., None]).astype(np.float32)


def _segmented(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """A segmenter that knows where the head is and sees no single hair."""
    cells = cv2.resize(alpha, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(cells, (0, 0), 1.5)
    return np.clip((blurred - 0.5) * np.float32(1.6) + 0.5, 0, 1).astype(np.float32)
