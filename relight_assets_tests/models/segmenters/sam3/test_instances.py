"""Candidates to one mask: who counts as a person, and who is in it."""

from typing import Any

import pytest

from relight_assets.errors import InternalError
from relight_assets.models.segmenters.sam3.instances import SAME_PERSON, enlarged, joined

torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")


def boxes(*places: tuple[int, int, int, int], side: int = 32, inside: float = 6.0) -> Any:
    """Mask logits: ``inside`` in a rectangle (top, left, bottom, right), minus that outside."""
    masks = torch.full((len(places), side, side), -inside)
    for mask, (top, left, bottom, right) in zip(masks, places, strict=True):
        mask[top:bottom, left:right] = inside
    return masks


SMALL, LARGE, AGAIN = (2, 2, 8, 8), (10, 10, 30, 28), (10, 10, 30, 27)


def test_persons_are_scored_best_first_and_the_largest_is_taken() -> None:
    found = joined(torch.tensor([0.6, 0.9, 0.4]), boxes(LARGE, SMALL, (0, 20, 5, 30)), 0.5, "largest")
    assert found.scores == pytest.approx((0.9, 0.6))
    assert found.best_score == pytest.approx(0.9)
    assert float(found.probability[20, 20]) > 0.99
    assert float(found.probability[4, 4]) < 0.01


@pytest.mark.parametrize("persons", ["union", "reject"])
def test_all_persons_are_joined_as_probabilities(persons: Any) -> None:
    found = joined(torch.tensor([0.6, 0.9, 0.4]), boxes(LARGE, SMALL, (0, 20, 5, 30)), 0.5, persons)
    assert len(found.scores) == 2
    assert float(found.probability[20, 20]) == float(found.probability[4, 4]) == pytest.approx(0.9975, abs=1e-3)
    assert float(found.probability[2, 25]) < 0.01  # its candidate was no person


def test_a_candidate_that_repeats_a_better_one_is_no_second_person() -> None:
    found = joined(torch.tensor([0.7, 0.8, 0.9]), boxes(AGAIN, SMALL, LARGE), 0.5, "reject")
    assert found.scores == pytest.approx((0.9, 0.8))


def test_in_a_crowd_too_each_is_compared_with_those_before_it_that_were_kept() -> None:
    generator = torch.Generator().manual_seed(3)
    tops = torch.randint(0, 12, (120, 2), generator=generator)
    places = [(int(top), int(left), int(top) + 16, int(left) + 18) for top, left in tops]
    scores, masks = torch.linspace(0.9, 0.6, 120), boxes(*places)
    kept: list[int] = []
    for number, inside in enumerate(masks > 0):
        others = [masks[other] > 0 for other in kept]
        if all(int((inside & other).sum()) <= SAME_PERSON * int((inside | other).sum()) for other in others):
            kept.append(number)
    assert 10 < len(kept) < 60
    assert joined(scores, masks, 0.5, "union").scores == pytest.approx(scores[kept].tolist())


def test_an_answer_that_is_no_number_is_not_taken_for_nobody() -> None:
    nan = float("nan")
    with pytest.raises(InternalError, match="NaN"):
        joined(torch.tensor([nan, nan]), boxes(SMALL, LARGE), 0.5, "largest")
    for persons in ("largest", "union"):
        with pytest.raises(InternalError, match="NaN"):
            joined(torch.tensor([0.9]), boxes(SMALL) * nan, 0.5, persons)


def test_nobody_is_an_empty_mask_with_the_best_score() -> None:
    found = joined(torch.tensor([0.2, 0.31]), boxes(SMALL, LARGE), 0.5, "largest")
    assert (found.scores, found.best_score) == ((), pytest.approx(0.31))
    assert not found.probability.any()
    assert found.probability.shape == (32, 32)


def test_a_score_of_just_the_threshold_counts() -> None:
    assert joined(torch.tensor([0.5]), boxes(SMALL), 0.5, "largest").scores == (0.5,)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((100, 60), (100, 60)), ((1, 500), (1, 500)), ((4096, 2048), (1024, 512)), ((8000, 9), (1024, 1))],
)
def test_masks_leave_the_device_as_bytes_and_not_larger_than_is_of_use(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    large = enlarged(torch.full((32, 32), 0.5), *shape)
    assert tuple(large.shape) == size
    assert large.dtype == torch.uint8
    assert set(large.flatten().tolist()) == {128}
