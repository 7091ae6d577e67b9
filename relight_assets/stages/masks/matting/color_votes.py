"""Colours that only the person has, or only the background, near the edge between them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane
from relight_assets.stages.masks.matting.sizes import scaled
from relight_assets.stages.masks.matting.surroundings import local_likeness
from relight_assets.stages.masks.matting.thick_doubt import DECIDED, SURE

RATIO = 15.0
"""How many times more frequent a colour must be on one side than on the other for a vote.  Of 3, 8, 15, 30 and 100 the
error on true alphas is least, and the same, at 15 and 30; at 8 dark shoulders before dark water are voted out."""
DEEP = 10
"""Distance from the edge from which on a sure person is surely one: nearer there is wall between curls."""
REACH_IN, REACH_OUT = 24, 12
"""How far from the edge a vote counts: wedges are deep, strands are near."""
BETWEEN = 5
"""Side of the window whose closing joins votes for the background."""
ALIKE = 3.0
"""Colours less than so many times more frequent on one side cannot be told apart."""

OFTEN = 5.0
"""How many times more frequent a color must be on one side to be that side's."""
BACK_SHARE, MOST = 0.3, 10.0
"""Share of a part that must have the background's colors for it to be background, and how many times the share with the
person's.  Walls between hair and neck have .4 to .8, helmets and gloves .05 at most."""


@dataclass(frozen=True)
class ColorVotes:
    """What colours say near the edge, at the size of the guide."""

    person: Mask
    """(h, w) bool: outside, near the edge, in a colour that only the person has."""
    background: Mask
    """(h, w) bool: inside, near the edge, in a colour that only the background has."""
    alike: Mask
    """(h, w) bool: in a colour that both sides have; measured in thick doubt alone."""


def color_votes(lab: NDArray[np.uint8], probability: Plane, thick: Mask) -> ColorVotes:
    """Find colours that only one side has, near the edge between them.

    A vote takes three: the colour is like the mean around it of one side, unlike that of the other, and ``RATIO``
    times more frequent on its side of the whole photo (person: deep inside; background: near the edge).

    Args:
        lab: (h, w, 3) uint8 CIE Lab as OpenCV has it.
        probability: (h, w) float32 in 0..1, of the same size.
        thick: (h, w) bool, thick doubt.
    """
    shape = probability.shape
    inside = cv2.inRange(probability, 0.5, 1.0) & 1
    depth, distance = _distance(inside), _distance(1 - inside)
    reach_in, reach_out = (scaled(reach, shape) for reach in (REACH_IN, REACH_OUT))
    sure_back, sure_person = (probability < SURE[0]) & ~thick, (probability > SURE[1]) & ~thick
    ring = ((depth < reach_in) & (distance < reach_out)) | thick
    places = np.flatnonzero(ring)
    votes = [np.zeros(shape, np.bool_) for _ in range(3)]
    if not (sure_back.any() and sure_person.any() and places.size):
        return ColorVotes(*votes)
    bins = color_bins(lab)
    often_person = color_frequency(bins, sure_person & (depth > scaled(DEEP, shape)))
    often_back = color_frequency(bins, sure_back & (distance < reach_in))
    here = bins.ravel()[places]
    person_often, back_often = often_person[here], often_back[here]
    enough, like_person, like_back = local_likeness(lab, sure_person, sure_back, places)
    is_inside, is_thick = inside.ravel()[places] > 0, thick.ravel()[places]
    near_out = distance.ravel()[places] < reach_out
    doubted = probability.ravel()[places] > DECIDED[0]
    votes[0].ravel()[places] = (
        ~is_inside & near_out & doubted & enough & like_person & ~like_back & (person_often > RATIO * back_often)
    )
    votes[1].ravel()[places] = is_inside & enough & like_back & ~like_person & (back_often > RATIO * person_often)
    votes[2].ravel()[places] = (
        is_thick & (back_often < ALIKE * person_often) & (person_often < ALIKE * back_often) & like_person & like_back
    )
    return ColorVotes(*votes)


def overruled(prior: Plane, votes: ColorVotes) -> Plane:
    """Let votes overrule a (h, w) float32 probability in 0..1, in place."""
    # Between votes for the background, where strands cross it, nothing is likely: matting decides.
    window = np.ones((BETWEEN, BETWEEN), np.uint8)
    between = cv2.morphologyEx(votes.background.view(np.uint8), cv2.MORPH_CLOSE, window).view(np.bool_)
    inside = prior > 0.5
    prior[between & inside] = 0.5
    prior[votes.background & inside] = DECIDED[0]
    prior[votes.person & ~inside] = DECIDED[1]
    return prior


def sides_of_colors(lab: NDArray[np.uint8], sure_person: Mask, sure_back: Mask) -> tuple[Mask, Mask]:
    """Where colors are more frequent in the sure person, and where in the sure background: (h, w) bool each."""
    bins = color_bins(lab)
    person, back = color_frequency(bins, sure_person)[bins], color_frequency(bins, sure_back)[bins]
    return person > OFTEN * back, back > OFTEN * person


def is_background(of_person: float, of_back: float) -> bool:
    """Whether a part is background, by the shares of it that have the colors of either side alone, 0..1."""
    return of_back > BACK_SHARE and of_back > MOST * of_person


def color_bins(lab: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number of each colour's bin: 16 of lightness, 32 each of a and b."""
    wide = lab.astype(np.int32)
    return ((wide[..., 0] >> 4) << 10) | ((wide[..., 1] >> 3) << 5) | (wide[..., 2] >> 3)


def color_frequency(bins: NDArray[np.int32], where: Mask) -> Plane:
    """Share of the pixels in each bin and its neighbours, (16384,) float32."""
    counts = np.bincount(bins[where], minlength=1 << 14).reshape(16, 32, 32).astype(np.float32)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        parts = [np.take(padded, range(start, start + counts.shape[axis]), axis) for start in range(3)]
        counts = parts[0] + parts[1] + parts[2]
    return counts.ravel() * np.float32(1 / max(1, int(np.count_nonzero(where))))


def _distance(inside: NDArray[np.uint8]) -> Plane:
    """Of every pixel from those that are 0, pixels; far where there are none."""
    if inside.all():
        return np.full(inside.shape, np.float32(max(inside.shape)))
    return cv2.distanceTransform(inside, cv2.DIST_L2, 3)
