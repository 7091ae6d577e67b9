"""Is a photo worth training on?  What can be measured of it and its mask, and the filters that turn it away."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.core.arrays import Gray8, Mask, Points, Rgb8
from relight_assets.core.color import decode, luminance
from relight_assets.core.rounding import rounded
from relight_assets.errors import (
    BadMatteError,
    BlurredError,
    FaceTooSmallError,
    FlatLightError,
    ImageError,
    MonochromeError,
    OverexposedError,
    PersonTooLargeError,
    PersonTooSmallError,
    UnderexposedError,
    UnsureCutoutError,
)
from relight_assets.stages.masks.photo_detail import (
    bare_face,
    color_spread,
    face_crop,
    is_monochrome,
    light_contrast,
    person_crop,
    sharpness,
)
from relight_assets.stages.quantiles import median

CLIPPED_LEVEL = 254
"""Display level from which a channel has nothing left to tell."""
LOST_CHANNELS = 2
"""Channels that must be clipped for a color to be lost.  Of warm skin red alone is clipped first, and the two others
still tell its shape: of the people whose faces that alone turned away, two thirds were fine."""
SAMPLED_SIDE = 128
"""Pixels of the longest side that shares and medians are taken of, at least."""
SOFT_ALPHA = (5, 250)
"""Alpha between which an edge is soft (0.02 and 0.98)."""


@dataclass(frozen=True)
class PhotoMetrics:
    """What the record says of a photo, rounded to 6 decimals.  The person is where alpha is above 127."""

    coverage: float
    """Share of the photo that is the person."""
    subject_size: float
    """Root of the person's area, pixels."""
    soft_edge: float
    """Share of the photo in which alpha is neither 0 nor 1."""
    undecided: float
    """Thick doubt in which person and background have the same colours, as a share of the person."""
    touches_top: float
    """Share of the photo's upper edge that is the person: a head that is cut off."""
    clipped: float
    """Share of the person of which a channel is at its end."""
    face_clipped: float | None
    """Share of the largest face of which two channels or all are clipped; None where there is none."""
    skin_lightness: float | None
    """Median CIE L* of the largest face, 0..100."""
    lightness: float
    """Median CIE L* of the person."""
    chroma: float
    """Mean CIE chroma of the person."""
    color_spread: float | None
    """How far the person's colors are from one tint, CIE units; None where there are too few."""
    face_size: float | None
    """Half of the largest face's height, from brow to chin, pixels."""
    sharpness: float | None
    """Of the largest face, or of the person where there is none; None where there are too few pixels."""
    light_contrast: float
    """How uneven the light is on the face's skin, or on the person, stops."""

    def plain(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


def measure_photo(rgb: Rgb8, alpha: Gray8, face: Points | None, *, undecided: float = 0.0) -> PhotoMetrics:
    """Measure a photo.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8, of the person.
        face: (N, 2 or more) float32 points of the largest face, x right and y down in pixels.
        undecided: share of the person, 0..1, that :func:`~relight_assets.stages.masks.matting.cut_out.cut_out` found.
    """
    # Some pixels are enough for shares and medians.
    step = max(1, max(alpha.shape) // SAMPLED_SIDE)
    size = (max(1, alpha.shape[1] // step), max(1, alpha.shape[0] // step))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST)
    person = cv2.resize(alpha, size, interpolation=cv2.INTER_NEAREST) > 127
    skin = _outline(face, size, alpha.shape) & person if face is not None else np.zeros_like(person)
    channels = np.count_nonzero(small >= CLIPPED_LEVEL, axis=2)
    of_person, region = small[person], skin if skin.any() else person
    area = cv2.countNonZero(cv2.compare(alpha, 127, cv2.CMP_GT))
    lit = small[::2, ::2], region[::2, ::2]
    if face is not None and skin.any():
        lit = bare_face(rgb, alpha, face)
    found = PhotoMetrics(
        coverage=area / alpha.size,
        subject_size=float(np.sqrt(area)),
        soft_edge=cv2.countNonZero(cv2.inRange(alpha, SOFT_ALPHA[0] + 1, SOFT_ALPHA[1] - 1)) / alpha.size,
        undecided=undecided,
        touches_top=float((alpha[0] > 127).mean()),
        clipped=_share(channels > 0, person),
        face_clipped=_share(channels >= LOST_CHANNELS, skin) if skin.any() else None,
        skin_lightness=_lightness(small[skin]) if skin.any() else None,
        lightness=_lightness(of_person) if len(of_person) else 0.0,
        chroma=_chroma(of_person) if len(of_person) else 0.0,
        color_spread=color_spread(small, person),
        face_size=float(np.ptp(face[:, 1])) / 2 if face is not None else None,
        sharpness=sharpness(*(face_crop(rgb, face) if face is not None else person_crop(rgb, alpha))),
        light_contrast=light_contrast(*lit),
    )
    return PhotoMetrics(**rounded(asdict(found)))


def require(numbers: PhotoMetrics, wanted: PhotoQa) -> None:
    """Turn a photo away that would teach the wrong thing.

    Raises:
        PersonTooLargeError, PersonTooSmallError, FaceTooSmallError: rejected.
        BadMatteError, UnsureCutoutError, MonochromeError: rejected.
        OverexposedError, UnderexposedError, BlurredError, FlatLightError: rejected.
    """
    try:
        _require_all(numbers, wanted)
    except ImageError as error:
        error.skin_lightness = numbers.skin_lightness
        raise


def _require_all(numbers: PhotoMetrics, wanted: PhotoQa) -> None:
    _require_size(numbers, wanted)
    if numbers.soft_edge > wanted.max_soft_edge:
        raise BadMatteError(
            f"{numbers.soft_edge:.2%} of the photo is neither person nor background, more than "
            f"photo_qa.max_soft_edge {wanted.max_soft_edge:.2%}"
        )
    if numbers.undecided > wanted.max_undecided:
        raise UnsureCutoutError(
            f"{numbers.undecided:.2%} of the person's area may be person or background, which have the same colours "
            f"there, more than photo_qa.max_undecided {wanted.max_undecided:.2%}: take a photo before a background "
            f"unlike the person's hair and clothes, or raise photo_qa.max_undecided"
        )
    if wanted.monochrome == "reject" and is_monochrome(numbers.chroma, numbers.color_spread):
        raise MonochromeError(
            f"the photo is black and white, or toned in one color: the person's colors differ from one tint by "
            f"{numbers.color_spread or 0.0:.2f} CIE units (mean chroma {numbers.chroma:.1f}), those of color photos by "
            f"4 and more. To let it in, set photo_qa.monochrome: take"
        )
    _require_light(numbers, wanted)
    if numbers.sharpness is not None and numbers.sharpness < wanted.min_sharpness:
        raise BlurredError(
            f"the {_who(numbers)} is blurred: the variance of its Laplacian is {numbers.sharpness:.4f} of its own, "
            f"less than photo_qa.min_sharpness {wanted.min_sharpness:g}"
        )


def _require_size(numbers: PhotoMetrics, wanted: PhotoQa) -> None:
    if numbers.coverage > wanted.max_coverage:
        raise PersonTooLargeError(
            f"the person covers {numbers.coverage:.2%} of the photo, more than photo_qa.max_coverage "
            f"{wanted.max_coverage:.2%}: most likely the mask took the background along"
        )
    if numbers.subject_size < wanted.min_subject:
        raise PersonTooSmallError(
            f"the person is {numbers.subject_size:.1f} pixels in size (root of the area), less than "
            f"photo_qa.min_subject {wanted.min_subject:g}"
        )
    if numbers.face_size is not None and numbers.face_size < wanted.min_face:
        raise FaceTooSmallError(
            f"the largest face has a radius of {numbers.face_size:.1f} pixels, less than "
            f"photo_qa.min_face {wanted.min_face:g}"
        )


def _require_light(numbers: PhotoMetrics, wanted: PhotoQa) -> None:
    if (numbers.face_clipped or 0.0) > wanted.max_face_clipped:
        raise OverexposedError(
            f"{numbers.face_clipped:.2%} of the face is clipped in two channels or all, more than "
            f"photo_qa.max_face_clipped {wanted.max_face_clipped:.2%}: there is nothing to recover"
        )
    darkness = numbers.lightness if numbers.skin_lightness is None else numbers.skin_lightness
    if darkness < wanted.min_lightness:
        raise UnderexposedError(
            f"the {_who(numbers)} has a lightness (CIE L*) of {darkness:.1f}, less than photo_qa.min_lightness "
            f"{wanted.min_lightness:g}"
        )
    if numbers.light_contrast < wanted.min_light_contrast:
        raise FlatLightError(
            f"the light on the {_who(numbers)} varies by {numbers.light_contrast:.3f} stops, less than "
            f"photo_qa.min_light_contrast {wanted.min_light_contrast:g}: there is little to learn from it"
        )


def _who(numbers: PhotoMetrics) -> str:
    return "person" if numbers.skin_lightness is None else "face"


def _outline(face: Points, size: tuple[int, int], shape: tuple[int, ...]) -> Mask:
    scale = np.array([size[0] / shape[1], size[1] / shape[0]], np.float32)
    hull = cv2.convexHull(np.ascontiguousarray(face[:, :2], np.float32) * scale)
    drawn = cv2.fillConvexPoly(np.zeros((size[1], size[0]), np.uint8), np.rint(hull).astype(np.int32), 1)
    return drawn > 0


def _share(those: Mask, of: Mask) -> float:
    return int(np.count_nonzero(those & of)) / max(1, int(np.count_nonzero(of)))


def _lightness(colors: Rgb8) -> float:
    """CIE L* of the median luminance of (N, 3) sRGB colours."""
    light = float(median(luminance(decode(colors[None]))))
    return 116 * light ** (1 / 3) - 16 if light > 0.008856 else 903.3 * light


def _chroma(colors: Rgb8) -> float:
    lab = cv2.cvtColor(colors[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    return float(np.hypot(lab[:, 1], lab[:, 2]).mean())
