"""A perceptual hash of a photo, by which nearly the same photo is found again."""

import cv2

from relight_assets.core.arrays import Rgb8

HASH_SIDE = 16
"""The hash has the square of it in bits.

64 bits, as is common, say too little here: all portraits have something bright in the middle.  Of 23 portraits no two
differed in fewer than 79 of 256 bits; compressed, halved, brightened or blurred they stayed within 10, and within 37
when a fiftieth was cut off at each side.
"""
SAME_BITS = 24
"""Photos that differ in no more bits than this are nearly the same."""


def fingerprint(rgb: Rgb8) -> str:
    """The difference hash of a photo: is it brighter to the right?

    Args:
        rgb: (H, W, 3) uint8 sRGB.

    Returns:
        64 hexadecimal digits, 256 bits (dHash, Krawetz 2013, as the library ``imagehash`` has it).
    """
    # Not with the stages, of whose metrics and versions every command knows.
    import imagehash  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    # The library's own reduction of a photo takes ten times as long.
    small = cv2.resize(gray, (4 * HASH_SIDE, 4 * HASH_SIDE), interpolation=cv2.INTER_AREA)
    return str(imagehash.dhash(Image.fromarray(small), hash_size=HASH_SIDE))
