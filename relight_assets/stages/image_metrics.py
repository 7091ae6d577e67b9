"""The numbers of one finished image, from its files.

Logarithms are of base 2, on linear luminance plus :data:`FLOOR`: one unit is a photographic stop.
"""

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Gray8, Mask, Pixels8, Plane, Rgb8, Rgba8
from relight_assets.core.color import decode, every, luminance, planes_of
from relight_assets.stages.degraded.defects import gradient_correlation
from relight_assets.stages.foreground_color import Blend, mix_colors
from relight_assets.stages.quantiles import quantile
from relight_assets.stages.tone_change import tone_of

FLOOR = 0.004
DOWNSAMPLED_SIDE = 256
"""Pixels of the longest side, about, to which an image is reduced."""
SURE = 230
"""Alpha, of 255, above which a pixel is the person's alone (0.9)."""
FRINGE = 7
"""Pixels at the person's edge in which gradients are those of the cut."""
BAND = 0.02
"""Width of the bands at the silhouette, in units of the subject's size (the root of its area)."""
DARK = 30
"""Display levels up to which a colour is mostly rounding."""
HALF, FEW_DARK = 128, 30_000
"""The levels below which combs are looked for, and the samples there below which chance looks like one."""
END, CRUSHED = 254, 3
"""Display levels at which a channel is clipped, and up to which all of them are black."""
BLACK, SPECK, FEW_BLACK = 1, 12, 30
"""Levels up to which an albedo is black, by which a speck is lighter than around it, and pixels that are too few."""


@dataclass(frozen=True)
class ImageMetrics:
    """How the degraded person stands to the photo.

    A metric that the record does not have, of an image that was measured when it was made, is None.
    """

    identity: float | None
    """Correlation of the gradients of log luminance: 1 is the same detail everywhere."""
    strength: float | None
    """Standard deviation of the change, stops: how uneven the new light is against the photo's."""
    exposure: float | None
    """Mean of the change, stops."""
    lit_exposure: float | None
    """The upper quartile of the change, stops: how bright what is lit is."""
    clipping: float | None
    """Share of the person with a channel at its end, beyond the photo's own."""
    crushed: float | None
    """Share of the person that is black, beyond the photo's own."""
    chroma: float | None
    """Mean angle between the colours of albedo and photo, degrees."""
    rim: float | None
    """Brightness of the outermost band against the next one, over the photo's own: 1 is no rim."""
    recomposition: int | None
    """Largest difference, levels, of foreground over background from the photo where both are seen."""
    comb: float | None
    """How far neighbouring dark levels are from evenly filled, beyond the photo's own: 0 none, 1 every second empty."""
    red_green: float | None = None
    """Change of ln of mean red over mean green: above 0 the person is redder than in the photo."""
    blue_green: float | None = None
    """The same of blue."""
    saturation: float | None = None
    """Change of the mean saturation of display values."""
    shadow_contrast: float | None = None
    """Change of the contrast from the tenth percentile of luminance to the median, stops."""
    light_contrast: float | None = None
    """The same from the median to the ninetieth percentile."""
    black_speckle: float | None = None
    """Share of the albedo's black whose pixels are light specks in the degraded person: 0 is clean black."""


def measure(
    photo: Rgb8, foreground: Rgba8, background: Rgba8, albedo: Rgb8, degraded: Rgba8, *, blend: Blend
) -> ImageMetrics | None:
    """Measure one image.

    Args:
        photo: (H, W, 3) uint8 sRGB, ``input``.
        foreground: (H, W, 4) uint8 RGBA.
        background: (H, W, 4) uint8 RGBA.
        albedo: (H, W, 3) uint8 sRGB.
        degraded: (H, W, 4) uint8 RGBA, ``degraded_fg``.
        blend: the space in which foreground and background were made to be laid over each other.

    Returns:
        None for a person of a few pixels.
    """
    alpha = cv2.extractChannel(foreground, 3)
    person = alpha > SURE
    core = cv2.erode(person.astype(np.uint8), np.ones((2 * FRINGE + 1, 2 * FRINGE + 1), np.uint8)) > 0
    if core.sum() < 100:
        return None
    relit = cv2.cvtColor(degraded, cv2.COLOR_RGBA2RGB)
    linear = [decode(image) for image in (photo, relit)]
    before, after = (luminance(image) + np.float32(FLOOR) for image in linear)
    logs = [cv2.log(plane) / np.float32(np.log(2)) for plane in (before, after)]
    change = (logs[1] - logs[0])[person]
    tone = tone_of(relit, linear[1], logs[1], person) - tone_of(photo, linear[0], logs[0], person)
    return ImageMetrics(
        identity=gradient_correlation(logs[0], logs[1], core),
        strength=float(change.std(dtype=np.float64)),
        exposure=float(change.mean(dtype=np.float64)),
        lit_exposure=quantile(change, 0.75),
        clipping=_share(_brightest(relit) >= END, person) - _share(_brightest(photo) >= END, person),
        crushed=_share(_brightest(relit) <= CRUSHED, person) - _share(_brightest(photo) <= CRUSHED, person),
        chroma=_angle(albedo, photo, person),
        rim=_rim(before, after, person),
        recomposition=_recomposition(photo, foreground, background, alpha, blend),
        comb=comb(relit, person) - comb(photo, person),
        black_speckle=black_speckle(albedo, relit, person),
        **asdict(tone),
    )


def measure_downsampled(
    photo: Rgb8, foreground: Rgba8, background: Rgba8, albedo: Rgb8, degraded: Rgba8, *, blend: Blend
) -> ImageMetrics | None:
    """Measure one image by few of its pixels, as :func:`measure` does with all: a fifteenth of the time.

    Of 95 images of 1024 pixels and so, the worst eight by the whole image and at reduced size are the same eight by
    strength, exposure, crushed and chroma, seven of eight by rims, and five by identity, which is of finer detail.
    """
    return measure(*(few_of(image) for image in (photo, foreground, background, albedo, degraded)), blend=blend)


def few_of(image: Pixels8) -> Pixels8:
    """Every so many pixels of an (H, W, C) image, such that its longest side has about 256."""
    step = max(1, round(max(image.shape) / DOWNSAMPLED_SIDE))
    return every(image, step)


def comb(image: Rgb8, person: Mask) -> float:
    """Say how jagged the histogram of a person's dark half is: what rounding leaves where few levels become many.

    Args:
        image: (H, W, 3) uint8 sRGB.
        person: (H, W) bool.

    Returns:
        Mean difference, over all channels, of a level's count from that of itself and its neighbours (1 2 1), in
        units of the mean count: 0 for any smooth histogram, 1 where every second level is empty.  0 of too few pixels.
    """
    inside = person.astype(np.uint8)
    counts = np.stack([cv2.calcHist([plane], [0], inside, [256], [0, 256]).ravel() for plane in planes_of(image)])
    dark = counts[:, 1:HALF].sum(dtype=np.float64)
    if dark < FEW_DARK:
        return 0.0
    even = (counts[:, :-2] + 2 * counts[:, 1:-1] + counts[:, 2:]) / 4
    return float(np.abs(counts[:, 1:-1] - even)[:, : HALF - 1].sum(dtype=np.float64) / dark)


def black_speckle(albedo: Rgb8, relit: Rgb8, person: Mask) -> float:
    """Say how speckled black hair or cloth has become: what is black has nothing that a light could show.

    Args:
        albedo: (H, W, 3) uint8 sRGB.
        relit: (H, W, 3) uint8 sRGB.
        person: (H, W) bool.

    Returns:
        Share of the person's black pixels that are lighter than the median of 3 by 3 around them by more than
        :data:`SPECK` levels.  0 of too few.
    """
    black = (_brightest(albedo) <= BLACK) & person
    if np.count_nonzero(black) < FEW_BLACK:
        return 0.0
    seen = _brightest(relit)
    return _share(cv2.subtract(seen, cv2.medianBlur(seen, 3)) > SPECK, black)


def _brightest(image: Rgb8) -> Gray8:
    red, green, blue = planes_of(image)
    return cv2.max(cv2.max(red, green), blue)


def _share(those: Mask, of: Mask) -> float:
    return float(np.count_nonzero(those & of)) / max(1, int(np.count_nonzero(of)))


def _angle(albedo: Rgb8, photo: Rgb8, person: Mask) -> float:
    # Every second pixel of every second row is enough for a mean; what is nearly black has no colour to speak of.
    some = np.s_[::2, ::2]
    inside = person[some] & (cv2.min(*planes_of(photo[some])[:2]) > DARK) & (photo[some][..., 2] > DARK)
    first, second = (decode(image[some][inside][None])[0] for image in (albedo, photo))
    lengths = np.sqrt(np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second))
    cosine = np.einsum("ij,ij->i", first, second)[lengths > 1e-6] / lengths[lengths > 1e-6]
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()) if cosine.size else 0.0


def _rim(before: Plane, after: Plane, person: Mask) -> float:
    width = max(2.0, BAND * float(np.sqrt(np.count_nonzero(person))))
    distance = cv2.distanceTransform(person.astype(np.uint8), cv2.DIST_L2, 3)
    outer, inner = (distance > 0) & (distance <= width), (distance > width) & (distance <= 2 * width)
    if not (outer.any() and inner.any()):
        return 1.0
    ratios = [float(plane[outer].mean()) / float(plane[inner].mean()) for plane in (after, before)]
    return ratios[0] / ratios[1]


def _recomposition(photo: Rgb8, foreground: Rgba8, background: Rgba8, alpha: Gray8, blend: Blend) -> int:
    edge = (alpha > 0) & (alpha < 255)
    if not edge.any():
        return 0
    share = alpha[edge].astype(np.float32)[:, None] / np.float32(255)
    again = mix_colors(foreground[edge][:, :3], background[edge][:, :3], share, blend)
    return int(cv2.absdiff(again, photo[edge]).max())
