"""Made-up people before a wall, whose true alpha and whose thick doubt are known."""

import cv2
import numpy as np

SIZE = 384
SKIN, WALL = (200, 150, 120), (40, 90, 160)


def with_brim(person=SKIN, wall=WALL, noise=4.0):
    """A head with a brim that the segmenter cannot place: sRGB, alpha in 0..1, and the probability of 128 cells."""
    alpha = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(alpha, (192, 220), 90, 1.0, -1)
    cv2.rectangle(alpha, (60, 110), (324, 150), 1.0, -1)
    probability = np.zeros_like(alpha)
    cv2.circle(probability, (192, 220), 90, 1.0, -1)
    probability[90:160, 40:344] = np.maximum(probability[90:160, 40:344], np.float32(0.45))
    cells = cv2.resize(probability, (128, 128), interpolation=cv2.INTER_AREA)
    random = np.random.Generator(np.random.Philox(11))
    rgb = alpha[..., None] * person + (1 - alpha[..., None]) * wall + noise * random.normal(size=(SIZE, SIZE, 3))
    return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8), alpha, cells


def at_guide(rgb, cells):
    """CIE Lab, and the probability at its size."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), cv2.resize(cells, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
