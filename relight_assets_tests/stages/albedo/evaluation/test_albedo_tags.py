"""Tags of an albedo."""

import pytest

from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.stages.albedo.evaluation import albedo_tags
from relight_assets.stages.albedo.evaluation.albedo_metrics import NOT_MEASURED, AlbedoMetrics
from relight_assets.stages.albedo.evaluation.albedo_tags import MEANINGS, NAMES, tags
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import BAD, Demo

TAG_OF = {
    "skin_against_rest": "skin_shifted",
    "mid_contrast": "skin_flattened",
    "own_light_left": "own_light_kept",
    "chroma_step": "color_seam",
    "highlight_left": "highlights_kept",
    "dark_lift": "dark_lifted",
    "newly_clipped": "albedo_clipped",
    "face_chroma": "skin_color_changed",
}


def test_a_good_albedo_has_no_tag_and_what_was_not_measured_neither(demo: Demo) -> None:
    assert tags(demo.good().measured()) == tags(NOT_MEASURED) == dict.fromkeys(NAMES, False)
    assert set(TAG_OF.values()) == set(MEANINGS)


@pytest.mark.parametrize("metric", BAD)
def test_each_albedo_that_is_bad_in_one_way_has_its_tag(demo: Demo, metric: str) -> None:
    assert tags(BAD[metric](demo).measured())[TAG_OF[metric]]


def test_up_is_as_bad_as_down() -> None:
    for change in ({"skin_against_rest": 0.4}, {"skin_against_rest": -0.4}, {"face_chroma": 1.2}, {"face_chroma": 0.8}):
        assert sum(tags(AlbedoMetrics(**change)).values()) == 1


def test_bounds_that_hold_for_splits_too_are_the_same() -> None:
    assert DEFAULT_QUALITY.max_skin_against_rest_worst == albedo_tags.SKIN_SHIFT
    assert DEFAULT_QUALITY.min_mid_contrast == albedo_tags.FLAT
    assert DEFAULT_QUALITY.max_chroma_step == albedo_tags.COLOR_SEAM
    assert DEFAULT_QUALITY.max_dark_lift == albedo_tags.LIFT
    assert DEFAULT_QUALITY.max_newly_clipped == albedo_tags.CLIPPED
    assert DEFAULT_QUALITY.max_face_chroma_off == albedo_tags.CHROMA_CHANGE
    assert PhotoQa().max_own_light == albedo_tags.OWN_LIGHT
