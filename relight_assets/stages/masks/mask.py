"""Whether the segmenter found the person, or persons, that the recipe wants."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relight_assets.config.recipe.masks import Persons
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Plane
from relight_assets.errors import NoPersonError, SeveralPersonsError


@dataclass(frozen=True)
class PersonNumbers:
    """What tells whether there is a person.

    ``score`` is the mean probability inside the mask (p > .5), 0 when that is empty; ``coverage``
    is the mask's share of the photo.
    """

    score: float
    coverage: float


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
