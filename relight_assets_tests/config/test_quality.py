"""Thresholds: those that somebody gave, over those of the platform."""

import pytest
from pydantic import ValidationError

from relight_assets.config.quality import DEFAULT_QUALITY, Quality


def test_what_is_given_goes_first_and_what_is_not_stays() -> None:
    platform = Quality(min_identity=0.4, max_comb=0.2)
    both = platform.with_given(Quality(min_identity=0.55, max_crushed=0.1))
    assert (both.min_identity, both.max_comb, both.max_crushed) == (0.55, 0.2, 0.1)  # .55 is also the default
    assert platform.with_given(DEFAULT_QUALITY) == platform


def test_what_was_given_is_known_after_several_times() -> None:
    given = DEFAULT_QUALITY.with_given(Quality(max_comb=0.2)).with_given(Quality(max_chroma=3))
    assert given.model_dump(exclude_unset=True) == {"max_comb": 0.2, "max_chroma": 3}


@pytest.mark.parametrize("wrong", [{"min_identity": 2}, {"rim_range": (2, 1)}, {"max_comb": -1}, {"max_combs": 1}])
def test_what_no_image_could_be_held_against_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Quality.model_validate(wrong)
