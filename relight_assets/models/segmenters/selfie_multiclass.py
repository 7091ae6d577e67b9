"""Which pixels are a person: a network that tells hair, skin and clothes apart, beside the embedded one.

MediaPipe Selfie Multiclass (model card "MediaPipe Multi-Class Selfie Segmentation", Apache-2.0).  It sees buns, loose
hair and walls between curls that the embedded segmenter does not, but at times drops what a person holds or wears, or
keeps a flag.  So where the two differ over more than an edge, outside of hair, the embedded one decides if it is sure.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Mask, Plane
from relight_assets.models.files import ModelFiles
from relight_assets.models.runtimes.litert import Network
from relight_assets.models.segmenters.selfie import SIDE, SelfieSegmenter, squeezed
from relight_assets.stages.masks.matting.color_votes import is_background, sides_of_colors
from relight_assets.stages.masks.person_mask import PersonMask

BACKGROUND, HAIR, CLASSES = 0, 1, 6
"""Of hair, body skin, face skin, clothes and others the first is needed by itself."""
RANGE = (0.09, 0.97)
"""Its probabilities of sure background and sure person: it never comes nearer to 0 and 1."""
WIDE = 5
"""Side of the square, in cells, that fits into what differs over more than an edge."""
LEAST = 25
"""Cells outside of hair, from which on a difference is settled."""
SURE = 0.95
"""Median probability from which on, or 1 minus which, the embedded segmenter is sure."""
FEATHER = 1.5
"""Sigma in cells of the seam between both answers."""


class MulticlassSegmenter:
    """The probability of "person" for every cell of a 256 by 256 grid over a photo."""

    def __init__(self, path: Path, selfie: SelfieSegmenter) -> None:
        """Load ``selfie_multiclass_256x256.tflite``.  Raises ModelFileError when LiteRT cannot read it."""
        self._network, self._selfie = Network(path), selfie

    def masks(self, images: Sequence[NDArray[np.uint8]], batch: int = 1) -> list[PersonMask]:  # noqa: ARG002
        """Return the answers for some (H, W, 3) uint8 images, which may differ in size; one is taken at a time."""
        return [self._mask(rgb) for rgb in images]

    def _mask(self, rgb: NDArray[np.uint8]) -> PersonMask:
        shown = squeezed(rgb)
        person, hair = self._classes(shown)
        embedded = self._selfie.probability(rgb)
        lab = cv2.cvtColor(np.rint(shown).astype(np.uint8), cv2.COLOR_RGB2LAB)
        # Whether there is a person at all is counted in the embedded segmenter's scores.
        return PersonMask(settled(person, hair, embedded, lab), evidence=embedded)

    def _classes(self, shown: NDArray[np.float32]) -> tuple[Plane, Mask]:
        """(256, 256) float32 probability of a person in 0..1, and whether hair is the likeliest of its classes."""
        (answer,) = self._network(shown * np.float32(1 / 127.5) - np.float32(1))
        logits = answer.reshape(SIDE, SIDE, CLASSES)
        shares = np.exp(logits - logits.max(axis=2, keepdims=True))
        person = 1 - shares[..., BACKGROUND] / shares.sum(axis=2)
        low, high = RANGE
        return np.clip((person - low) / (high - low), 0, 1).astype(np.float32), logits.argmax(axis=2) == HAIR


def settled(person: Plane, hair: Mask, embedded: Plane, lab: NDArray[np.uint8]) -> Plane:
    """Settle where two (h, w) float32 probabilities in 0..1 differ over more than an edge.

    Args:
        person: what is returned elsewhere.
        hair: (h, w) bool, where nothing is settled.
        embedded: what is taken where it is sure, unless it takes for a person what has the background's colors.
        lab: (h, w, 3) uint8 colors, CIE Lab as OpenCV has it.
    """
    differs = ((person > 0.5) != (embedded > 0.5)).astype(np.uint8)
    wide = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((WIDE, WIDE), np.uint8)) > 0
    _, parts = cv2.connectedComponents(differs)
    sure_person, sure_back = np.minimum(person, embedded) > SURE, np.maximum(person, embedded) < 1 - SURE
    of_person, of_back = sides_of_colors(lab, sure_person, sure_back)
    answer = person.copy()
    for number in np.unique(parts[wide]):
        part = (parts == number) & ~hair
        core = part & wide
        if np.count_nonzero(part) < max(LEAST, np.count_nonzero(parts == number) / 2) or not core.any():
            continue
        likely = float(np.median(embedded[core]))
        is_back = is_background(float(of_person[core].mean()), float(of_back[core].mean()))
        if 1 - likely > SURE or (likely > SURE and not is_back):
            weight = _feathered(part) * ~hair
            answer += weight * (embedded - answer)
    return answer


def _feathered(part: Mask) -> Plane:
    """(h, w) float32 in 0..1: 1 inside, falling to 0 within two cells."""
    grown = cv2.dilate(part.astype(np.uint8), np.ones((WIDE, WIDE), np.uint8)).astype(np.float32)
    return np.maximum(cv2.GaussianBlur(grown, (0, 0), FEATHER) * grown, part)


def make(_: Recipe, files: ModelFiles) -> MulticlassSegmenter:
    """Load the segmenter; raises ModelFileError where a file of its two is missing or altered."""
    embedded = SelfieSegmenter(files.path_of("selfie_segmentation"))
    return MulticlassSegmenter(files.path_of("selfie_multiclass"), embedded)
