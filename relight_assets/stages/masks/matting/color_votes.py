"""Colours that only the person has, or only the background, near the edge between them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane
from relight_assets.stages.masks.matting.mixtures import likely_alpha
from relight_assets.stages.masks.matting.sizes import scaled
from relight_assets.stages.masks.matting.surroundings import LIKE, local_colors
from relight_assets.stages.masks.matting.thick_doubt import DECIDED, SURE

RATIO = 15.0
"""How many times more frequent a colour must be on one side than on the other for a vote.  Of 3, 8, 15, 30 and 100 the
error on true alphas is least, and the same, at 15 and 30; at 8 dark shoulders before dark water are voted out."""
DEEP = 10
"""Distance from the edge from which on a sure person is surely one: nearer there is wall between curls."""
REACH_IN, REACH_OUT = 24, 12
"""How far from the edge a vote counts: wedges are deep, strands are near."""
LIKER = (2.0, 2.0, 3.0)
"""Where the person's colours vary much (curls with wall between them), nearly all are like them.  There a colour is the
background's alone within so many standard deviations of it, and if its squared distance from the person is so many
times the one from the background, and so much more."""
RARE = 0.02
"""Share of the sure person up to which a colour is rare: only rare ones are mixtures with the background."""
COARSE, FINE = 8, 4
"""Levels of a and b in a bin; colours that are rare are counted in the fine ones, since hair and wall are both gray."""
SPARSE = 2
"""Of so many rows and columns one is enough to say what is rare."""
MIXED_SIDE = 3
"""Side of the window around mixtures in which alpha is unknown."""
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
    mixed: Plane
    """(h, w) float32 in 0..1: alpha that is likely inside, near the edge, where the colour is a mixture of both sides';
    1 elsewhere."""

    @property
    def unknown(self) -> Mask:
        """(h, w) bool: mixtures, and the pixels around."""
        window = np.ones((MIXED_SIDE, MIXED_SIDE), np.uint8)
        return cv2.dilate((self.mixed < 1).view(np.uint8), window).view(np.bool_)


def color_votes(lab: NDArray[np.uint8], probability: Plane, thick: Mask) -> ColorVotes:
    """Find colours that only one side has, near the edge between them.

    A vote takes three: the colour is like the mean around it of one side, unlike that of the other (or much less like
    it), and ``RATIO`` times more frequent on its side of the whole photo (person: deep inside; background: near the
    edge).

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
    mixed = np.ones(shape, np.float32)
    if not (sure_back.any() and sure_person.any() and places.size):
        return ColorVotes(votes[0], votes[1], votes[2], mixed)
    bins, deep = color_bins(lab), sure_person & (depth > scaled(DEEP, shape))
    here = bins.ravel()[places]
    person_often = color_frequency(bins, deep)[here]
    back_often = color_frequency(bins, sure_back & (distance < reach_in))[here]
    around = local_colors(lab, sure_person, sure_back, places)
    like_person, like_back = around.off_person < LIKE**2, around.off_back < LIKE**2
    within, times, more = LIKER
    liker = (around.off_back < within**2) & (around.off_person > times * around.off_back + more)
    is_inside, is_thick = inside.ravel()[places] > 0, thick.ravel()[places]
    near_out = distance.ravel()[places] < reach_out
    doubted = probability.ravel()[places] > DECIDED[0]
    of_person, of_back = person_often > RATIO * back_often, back_often > RATIO * person_often
    votes[0].ravel()[places] = ~is_inside & near_out & doubted & around.enough & like_person & ~like_back & of_person
    votes[1].ravel()[places] = is_inside & around.enough & ((like_back & ~like_person) | liker) & of_back
    votes[2].ravel()[places] = (
        is_thick & (back_often < ALIKE * person_often) & (person_often < ALIKE * back_often) & like_person & like_back
    )
    some = np.flatnonzero(is_inside & around.enough)
    mixed.ravel()[places[some]] = _of_mixtures(lab, places[some], around.sides_at(some), deep)
    return ColorVotes(votes[0], votes[1], votes[2], mixed)


def _of_mixtures(lab: NDArray[np.uint8], places: NDArray[np.intp], sides: tuple[Plane, Plane], deep: Mask) -> Plane:
    """The likely alphas of some places, (N,): 1 where a colour is not rare deep in the person."""
    colors = lab.reshape(-1, 3)
    likely = likely_alpha(colors.take(places, 0).astype(np.float32), *sides)
    some = np.flatnonzero(likely < 1)
    if some.size:
        every = np.s_[::SPARSE, ::SPARSE]
        of_person = color_frequency(color_bins(lab[every], FINE), deep[every], FINE)
        often = of_person[color_bins(colors.take(places[some], 0), FINE)]
        likely[some[often >= RARE]] = 1
    return likely


def overruled(prior: Plane, votes: ColorVotes) -> Plane:
    """Let votes overrule a (h, w) float32 probability in 0..1, in place."""
    np.minimum(prior, votes.mixed, out=prior)
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


def color_bins(lab: NDArray[np.uint8], chroma: int = COARSE) -> NDArray[np.int32]:
    """Number of each colour's bin: 16 of lightness, and of a and b as many as have ``chroma`` levels (a power of 2)."""
    wide, shift = lab.astype(np.int32), chroma.bit_length() - 1
    bits = 8 - shift
    return ((wide[..., 0] >> 4) << 2 * bits) | ((wide[..., 1] >> shift) << bits) | (wide[..., 2] >> shift)


def color_frequency(bins: NDArray[np.int32], where: Mask, chroma: int = COARSE) -> Plane:
    """Share of the pixels in each bin of :func:`color_bins` and its neighbours, (bins,) float32."""
    kept, count = bins[where], 256 // chroma
    counts = np.bincount(kept, minlength=16 * count * count).reshape(16, count, count).astype(np.float32)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        parts = [np.take(padded, range(start, start + counts.shape[axis]), axis) for start in range(3)]
        counts = parts[0] + parts[1] + parts[2]
    return counts.ravel() * np.float32(1 / max(1, kept.size))


def _distance(inside: NDArray[np.uint8]) -> Plane:
    """Of every pixel from those that are 0, pixels; far where there are none."""
    if inside.all():
        return np.full(inside.shape, np.float32(max(inside.shape)))
    return cv2.distanceTransform(inside, cv2.DIST_L2, 3)
