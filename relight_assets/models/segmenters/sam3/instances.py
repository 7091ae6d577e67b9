"""From a network's candidates to one person mask, on the network's device.

Everything is done at the network's own resolution, where a candidate takes a third of a megabyte; what is enlarged
is one mask.  Tensors are torch's, and torch is imported by whoever makes them.
"""

from dataclasses import dataclass
from math import isnan
from typing import Any

from relight_assets.config.recipe.masks import Persons
from relight_assets.errors import InternalError

SAME_PERSON = 0.7
"""Intersection over union above which two candidates are one person: the network does not promise not to repeat."""
LONGEST_SIDE = 1024
"""Of the mask that leaves the device; the edge is refined from the photo afterwards."""


@dataclass(frozen=True, eq=False)
class Joined:
    """One mask of those that are wanted."""

    probability: Any
    """(h, w) float tensor in 0..1; 0 where nobody was found."""
    scores: tuple[float, ...]
    """Of every person that was found, best first."""
    best_score: float
    """Of the best candidate, found or not."""


def joined(scores: Any, logits: Any, min_score: float, persons: Persons) -> Joined:
    """Join the candidates of one image.

    Args:
        scores: (Q,) float tensor in 0..1.
        logits: (Q, h, w) float tensor, a mask each.
        min_score: candidates below are no persons.
        persons: ``largest`` takes the person with the largest mask; ``union`` all; so does ``reject``, for whoever
            rejects sees by the scores whether there are several.

    Raises:
        InternalError: the network's answer holds NaN, which would pass for nobody.
    """
    best = float(scores.max())  # NaN if any is
    _require_numbers(best)
    found = scores.argsort(descending=True, stable=True)
    found = found[scores[found] >= min_score]
    if len(found) == 0:
        return Joined(logits.new_zeros(logits.shape[1:]), (), best)
    masks = logits[found].sigmoid()
    kept = _different(masks > 0.5)
    masks, found = masks[kept], found[kept]
    if persons == "largest":
        largest = (masks > 0.5).sum(dim=(1, 2)).argmax()
        probability = masks[largest]
    else:
        probability = masks.amax(dim=0)
    _require_numbers(float(probability.sum()))
    return Joined(probability, tuple(scores[found].tolist()), best)


def _require_numbers(number: float) -> None:
    if isnan(number):
        raise InternalError("the segmenter answered with what is no number (NaN): its weights may be damaged")


def _different(inside: Any) -> list[int]:
    # Each against those before it that were kept.  All overlaps come from the device at once: asked for one by one
    # they would hold it up thousands of times in a crowd.  Sums of so few ones are exact in float32, as in TF32.
    flat = inside.flatten(1).float()
    common = flat @ flat.T
    areas = common.diagonal()
    overlaps = (common / (areas[:, None] + areas - common).clamp(min=1)).tolist()
    kept: list[int] = []
    for number, row in enumerate(overlaps):
        if all(row[other] <= SAME_PERSON for other in kept):
            kept.append(number)
    return kept


def enlarged(probability: Any, height: int, width: int) -> Any:
    """Enlarge a mask to an image's shape, ``LONGEST_SIDE`` at most: (h, w) uint8 tensor, 255 is surely a person."""
    from torch.nn.functional import interpolate

    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    large = interpolate(probability[None, None], size=size, mode="bilinear", align_corners=False)
    return (large[0, 0].clamp(0, 1) * 255).round().byte()
