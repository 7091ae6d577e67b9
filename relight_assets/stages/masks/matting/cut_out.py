"""From a coarse person probability to a photo's alpha: decide what is yes or no, solve for what is fine, enlarge.

1. Thick doubt (a brim, an ear, a wedge between hair and neck) is decided by grabCut, in boxes
   (:mod:`relight_assets.stages.masks.matting.thick_doubt`).
2. Islands go and holes are filled.
3. Colours that only one side has overrule the segmenter near the edge: wall between curls goes, a strand of hair comes
   back (:mod:`relight_assets.stages.masks.matting.color_votes`).  Colours between those of both sides are mixtures:
   their shares say what alpha is likely (:mod:`relight_assets.stages.masks.matting.mixtures`), then matting decides.
4. Closed form matting at 384 pixels, two of the segmenter's cells around what is unsure; then once more at
   512, close to the edge that the first found.
5. To the photo's size by the photo's own colours (:mod:`relight_assets.stages.masks.matting.full_size`), and smooth
   where the photo is flat (:mod:`relight_assets.stages.masks.matting.smooth`).

Everything is deterministic: grabCut's k-means is seeded before each call, and OpenCV keeps one generator per thread.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.config.recipe.masks import Persons
from relight_assets.core.arrays import Gray8, Mask, Plane, Rgb8
from relight_assets.stages.masks.matting import closed_form
from relight_assets.stages.masks.matting.color_votes import color_votes, overruled
from relight_assets.stages.masks.matting.full_size import enlarged
from relight_assets.stages.masks.matting.islands import ISLAND_SHARE, without_islands_and_holes
from relight_assets.stages.masks.matting.sizes import FIRST_SIDE, SECOND_SIDE, disc, shrunk
from relight_assets.stages.masks.matting.smooth import smooth_where_flat
from relight_assets.stages.masks.matting.thick_doubt import decided, thick_doubt

UNSURE = (0.1, 0.9)
"""Probabilities between which the segmenter does not know."""
BAND = 2.0
"""Cells around that where it may be wrong: hair and ears are smaller than a cell."""
FIRST_PULL, SECOND_PULL = 0.1, 0.02
"""Weight of what is likely, against a window's: at first the segmenter's word, then the first alpha, which is near."""
FIRST_STRETCH = (0.15, 0.75)
"""Alpha of the first solution that is taken for 0 and 1: a solved edge is wider than a real one, and lies inside it."""
NARROW = (0.02, 0.98)
GROWN = 3
"""The second band: where the first alpha is between these, and pixels around, at 512."""


@dataclass(frozen=True)
class CutOut:
    """An alpha, and how sure it is."""

    alpha: Gray8
    """(H, W) uint8: 0 outside, 255 inside, soft between."""
    undecided: float
    """Thick doubt in which both sides have the same colours, as a share of the person's area, 0..1."""


def cut_out(probability: Plane, rgb: Rgb8, cells: tuple[int, int] | None = None, persons: Persons = "union") -> CutOut:
    """Turn a coarse person probability into the photo's alpha, and say what could not be decided.

    Args:
        probability: (h, w) float32 in 0..1, of any size.
        rgb: (H, W, 3) uint8 sRGB photo.
        cells: rows and columns in which the segmenter answered, if ``probability`` is that enlarged.
        persons: ``largest`` keeps the largest separate part alone; else all that are no small islands.
    """
    grid = _shrunk(np.clip(probability, 0, 1).astype(np.float32), cells or probability.shape)
    second_guide, guide = shrunk(rgb, SECOND_SIDE), shrunk(rgb, FIRST_SIDE)
    lab = cv2.cvtColor(guide, cv2.COLOR_RGB2LAB)
    doubted = cv2.resize(grid, guide.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    thick = thick_doubt(doubted)
    decision = decided(lab, doubted, thick)
    if decision is not doubted:
        grid = cv2.resize(decision, grid.shape[1::-1], interpolation=cv2.INTER_AREA)
    island = 1.0 if persons == "largest" else ISLAND_SHARE
    coarse = without_islands_and_holes(grid, island)
    prior = cv2.resize(coarse, guide.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    votes = color_votes(lab, prior, thick)
    prior = overruled(prior, votes)
    first = closed_form.solve(guide, prior, _unknown(prior, coarse.shape) | votes.unknown, FIRST_PULL)
    near = _stretched(cv2.resize(first, second_guide.shape[1::-1], interpolation=cv2.INTER_LINEAR), FIRST_STRETCH)
    narrow = cv2.dilate(cv2.inRange(near, *NARROW), disc(GROWN)).view(np.bool_)
    second = closed_form.solve_with_models(second_guide, near, narrow, SECOND_PULL)
    alpha = smooth_where_flat(enlarged(second, rgb, near > 0.5, narrow), rgb)
    area = max(1, int(np.count_nonzero(prior > 0.5)))
    return CutOut(alpha, min(1.0, int(np.count_nonzero(votes.alike)) / area))


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


def _stretched(alpha: Plane, ends: tuple[float, float]) -> Plane:
    low, high = ends
    return np.clip((alpha - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
