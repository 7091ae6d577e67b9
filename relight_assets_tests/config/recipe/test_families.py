"""The sections of the light families: what their display values mean in linear light."""

import pytest
from pydantic import ValidationError

from relight_assets.config.recipe.families import PATTERN_ELEVATION, Families, HardShadow, ShadowKinds
from relight_assets.config.recipe.family_options import MAX_GAIN, gain_range


def test_the_defaults_are_the_linear_ranges_of_the_specification() -> None:
    light = Families()
    assert light.soft_shading.ambient_linear == pytest.approx((0.04, 0.1), abs=0.002)
    assert light.soft_shading.specular_gain == pytest.approx((0.28, 0.66), abs=0.01)
    assert light.soft_shading.roughness == pytest.approx((0.44, 0.54), abs=0.01)
    assert light.hard_shadow.shadow_level == pytest.approx((0.073, 0.264), abs=0.002)
    assert light.specular.gain == pytest.approx((1.03, 1.64), abs=0.01)
    assert light.specular.roughness == pytest.approx((0.34, 0.46), abs=0.01)
    assert light.specular.ambient_linear == pytest.approx((0.05, 0.1), abs=0.003)


def test_lamps_behind_patterns_stand_high_as_far_as_the_range_allows() -> None:
    assert HardShadow().even_elevations == (PATTERN_ELEVATION, 65.0)
    assert HardShadow(elevation_range=(50.0, 60.0)).even_elevations == (50.0, 60.0)
    assert HardShadow(elevation_range=(10.0, 20.0)).even_elevations == (20.0, 20.0)


def test_gains_are_bounded_and_no_highlight_has_none() -> None:
    assert gain_range((0.0, 1.0)) == (0.0, MAX_GAIN)


def test_some_kind_of_shadow_can_be_drawn_and_own_patterns_have_a_folder() -> None:
    with pytest.raises(ValidationError, match="no kind of shadow could be drawn"):
        ShadowKinds(**dict.fromkeys(ShadowKinds.model_fields, 0.0))
    with pytest.raises(ValidationError, match="`gobo_dir` must name the folder"):
        HardShadow(kinds=ShadowKinds(custom=1.0))


def test_without_files_leaves_take_the_place_of_own_patterns() -> None:
    own = HardShadow(kinds=ShadowKinds(custom=0.5), gobo_dir="patterns")
    kinds = own.without_files().model_dump()["kinds"]
    assert (kinds["custom"], kinds["foliage"]) == (0.0, pytest.approx(0.63))
