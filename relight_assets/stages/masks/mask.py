"""From a person probability to the two layers of a photo: the person, and what is behind."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.config.recipe.masks import Persons
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Gray8, Mask, Plane, Rgb8, Rgba8
from relight_assets.errors import NoPersonError, SeveralPersonsError
from relight_assets.stages.foreground_color import (
    Blend,
    at_edge,
    blur_fusion,
    layer,
    sample,
    soft_edge,
    split_colors,
    to_blend,
)
from relight_assets.stages.masks import closed_form

CODE_VERSION = "5"

ISLAND_SHARE = 0.10
"""Separate parts smaller than this share of the largest are dropped."""
HOLE_SHARE = 0.005
"""Holes smaller than this share of the mask are filled; larger ones may be the gap under an arm."""
GUIDE_SIDE = 384
UNSURE = (0.1, 0.9)
"""Probabilities between which the segmenter does not know."""
BAND = 2.5
"""Cells around that where it may be wrong: hair and ears are smaller than a cell."""
STRETCH = (0.15, 0.85)
"""Solved alpha that is taken for 0 and 1, because a solved edge is wider than a real one."""


@dataclass(frozen=True)
class PersonNumbers:
    """What tells whether there is a person.

    ``score`` is the mean probability inside the mask (p > .5), 0 when that is empty; ``coverage``
    is the mask's share of the photo.
    """

    score: float
    coverage: float


@dataclass(frozen=True)
class Layers:
    """A photo taken apart.  Both are (H, W, 4) uint8 RGBA, sRGB, straight alpha, RGB 0 where alpha is 0."""

    foreground: Rgba8
    background: Rgba8


def person_numbers(probability: Plane) -> PersonNumbers:
    """Measure a (h, w) float32 person probability in 0..1."""
    inside = probability > 0.5
    count = int(np.count_nonzero(inside))
    if count == 0:
        return PersonNumbers(score=0.0, coverage=0.0)
    total = float(np.sum(probability[inside], dtype=np.float64))
    return PersonNumbers(score=total / count, coverage=count / probability.size)


def require_instances(scores: Sequence[float], best_score: float | None, coverage: float, settings: Recipe) -> None:
    """Raise unless a segmenter that tells persons apart found what the recipe wants.

    Args:
        scores: of the persons that were found, in 0..1.
        best_score: of the best candidate, found or not.
        coverage: the mask's share of the photo.
        settings: ``sam3.min_score``, ``masks.persons`` and ``masks.min_coverage``.

    Raises:
        NoPersonError: nobody, or too small.
        SeveralPersonsError: more than one, and ``masks.persons`` is ``reject``.
    """
    if not scores:
        best = "" if best_score is None else f"; the best candidate scored {best_score:.3f}"
        raise NoPersonError(f"no person scored sam3.min_score {settings.sam3.min_score:g} or more{best}")
    if settings.masks.persons == "reject" and len(scores) > 1:
        raise SeveralPersonsError(
            f"{len(scores)} persons were found (scores {', '.join(f'{score:.2f}' for score in scores[:5])}), and "
            f"masks.persons is `reject`"
        )
    if coverage < settings.masks.min_coverage:
        raise NoPersonError(
            f"the person mask covers {coverage:.1%} of the photo, less than "
            f"masks.min_coverage {settings.masks.min_coverage:.1%}"
        )


def require_one_person(second_person: bool, persons: Persons) -> None:  # noqa: FBT001  (it is all that is known)
    """Raise :class:`SeveralPersonsError` where ``persons`` is ``reject`` and there may be another person."""
    if second_person and persons == "reject":
        raise SeveralPersonsError(
            "the mask has a second large part, or there is a second large face, and masks.persons is `reject`"
        )


def clean_alpha(
    probability: Plane,
    rgb: Rgb8,
    cells: tuple[int, int] | None = None,
    persons: Persons = "union",
) -> Gray8:
    """Turn a coarse person probability into the photo's alpha.

    Small islands go, small holes are filled.  Where the segmenter is unsure, and two and a half of its cells around,
    alpha is solved for from the colours at 384 pixels (:mod:`relight_assets.stages.masks.closed_form`), brought to the
    photo's size by the photo's own colours, and stretched.

    Args:
        probability: (h, w) float32 in 0..1, of any size.
        rgb: (H, W, 3) uint8 sRGB photo.
        cells: rows and columns in which the segmenter answered, if ``probability`` is that enlarged.
        persons: ``largest`` keeps the largest separate part alone; else all that are no small islands.

    Returns:
        (H, W) uint8: 0 outside, 255 inside, soft between.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, GUIDE_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    guide = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    island = 1.0 if persons == "largest" else ISLAND_SHARE
    coarse = _without_islands_and_holes(_shrunk(probability, cells or probability.shape), island)
    prior = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    unknown = _unknown(prior, coarse.shape)
    matte = closed_form.solve(guide, prior, unknown)
    known = np.where(prior > 0.5, np.uint8(255), np.uint8(0))
    alpha = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    # The rest of the way only where it was unknown: nothing else would change.
    near = cv2.resize(unknown.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    soft = np.flatnonzero(near.view(np.bool_))
    if not soft.size:
        return alpha
    models = sample(matte.models, alpha.shape, soft)
    low, high = STRETCH
    found = np.einsum("nc,nc->n", models[:, :3], at_edge(rgb, soft)) + (models[:, 3] - np.float32(low))
    alpha.ravel()[soft] = _bytes(found * np.float32(255 / (high - low)))
    return alpha


def separate(rgb: Rgb8, alpha: Gray8, blend: Blend = "srgb") -> Layers:
    """Take a photo apart so that the foreground over the background gives it back.

    At soft edges foreground colours are estimated, background colours are solved for, and
    whichever was clipped makes the other move.  Where alpha is 0 or 255 the photo's own bytes are
    kept, so there the way back is exact; elsewhere it is within 2 levels.

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        alpha: (H, W) uint8 mask.
        blend: the space in which the layers will be laid over each other.
    """
    planes = cv2.split(rgb)
    foreground, background = layer(planes, alpha), layer(planes, cv2.bitwise_not(alpha))
    edge = soft_edge(alpha)
    if edge.size:
        near_f, near_b = blur_fusion(rgb, alpha)
        back_there, front_there = split_colors(
            decoded=to_blend(at_edge(rgb, edge), blend),
            opacity=at_edge(alpha, edge).astype(np.float32) * np.float32(1 / 255),
            front=to_blend(sample(near_f, alpha.shape, edge), blend),
            back=to_blend(sample(near_b, alpha.shape, edge), blend),
            blend=blend,
        )
        foreground.reshape(-1, 4)[edge, :3] = front_there
        background.reshape(-1, 4)[edge, :3] = back_there
    return Layers(foreground=foreground, background=background)


def _without_islands_and_holes(probability: Plane, island: float) -> Plane:
    cleaned = np.clip(probability, 0, 1).astype(np.float32)
    inside = (cleaned > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return cleaned
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= island * areas.max()]).astype(np.uint8)
    solid = kept[labels]
    # What is grown from a kept part at a lower threshold is its soft edge; all else is dropped, softly.
    near_kept = cv2.dilate(solid, np.ones((9, 9), np.uint8))
    near_dropped = cv2.dilate(inside - solid, np.ones((5, 5), np.uint8))
    cleaned *= np.maximum(near_kept * (1 - near_dropped), solid)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    framed = (left == 0) | (top == 0) | (right == solid.shape[1]) | (bottom == solid.shape[0])
    small = ~framed & (stats[:, cv2.CC_STAT_AREA] < HOLE_SHARE * solid.sum())
    small[0] = False
    if small.any():
        # Grown by one step, so that the soft rim of the hole is filled with it.
        cleaned = np.maximum(cleaned, cv2.dilate(small[labels].astype(np.float32), np.ones((3, 3), np.uint8)))
    return cleaned


def _shrunk(probability: Plane, cells: tuple[int, ...]) -> Plane:
    rows, columns = (min(each) for each in zip(probability.shape, cells, strict=True))
    return cv2.resize(probability, (columns, rows), interpolation=cv2.INTER_AREA)


def _unknown(prior: Plane, cells: tuple[int, ...]) -> Mask:
    unsure = cv2.inRange(prior, *UNSURE)
    # Where a sure person is beside a sure background, too.
    unsure |= cv2.morphologyEx(cv2.inRange(prior, 0.5, 1.0), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    rows, columns = (max(1, round(BAND * side / count)) for side, count in zip(prior.shape, cells, strict=True))
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * columns + 1, 2 * rows + 1))
    return cv2.dilate(unsure, around) > 0


def _bytes(values: Plane) -> Gray8:
    # Rounded half to even and saturated; the last two levels on either side are sure enough.
    levels = np.arange(256, dtype=np.uint8)
    levels[:2], levels[254:] = 0, 255
    return levels[cv2.add(values, 0.0, dtype=cv2.CV_8U).ravel()]
