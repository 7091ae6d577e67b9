"""The segmenter that tells hair from skin and clothes, on real images, and how it is settled with the embedded one."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.models import store
from relight_assets.models.files import ModelFiles
from relight_assets.models.segmenters.selfie import SelfieSegmenter
from relight_assets.models.segmenters.selfie_multiclass import MulticlassSegmenter, make, settled
from relight_assets_tests.conftest import PORTRAITS, Bench

Image = NDArray[np.uint8]
SHAPE = (64, 64)
RECIPE = Recipe(segmenter="selfie_multiclass")


@pytest.fixture(scope="module")
def segmenter(model_paths: dict[str, Path]) -> MulticlassSegmenter:
    assert model_paths
    # Only a file that is not there is a reason to skip: one that is altered or cannot be loaded is a failure.
    if {row.name: row.state for row in store.listing()}["selfie_multiclass"] == "missing":
        pytest.skip("the optional model is not fetched")
    return make(RECIPE, ModelFiles())


def test_the_person_is_found_and_the_background_is_not(
    segmenter: MulticlassSegmenter, model_paths: dict[str, Path], hopper: Image
) -> None:
    (answer,) = segmenter.masks([hopper])
    assert answer.probability.shape == (256, 256)
    assert answer.probability.dtype == np.float32
    assert (answer.probability.min(), answer.probability.max()) == (0, 1)
    assert answer.probability[80:140, 110:150].min() > 0.95  # the face
    assert answer.probability[:60, 200:].max() < 0.05  # the sky
    embedded = SelfieSegmenter(model_paths["selfie_segmentation"]).probability(hopper)
    assert answer.evidence is not None
    assert np.array_equal(answer.evidence, embedded)
    assert np.mean((answer.probability > 0.5) != (embedded > 0.5)) < 0.02


def test_images_of_any_shape_are_answered_one_by_one(
    segmenter: MulticlassSegmenter, collins: Image, hopper: Image
) -> None:
    together = segmenter.masks([collins, hopper, np.full((64, 2000, 3), 128, np.uint8)])
    assert np.array_equal(together[1].probability, segmenter.masks([hopper])[0].probability)
    assert all(np.isfinite(each.probability).all() for each in together)
    assert segmenter.masks([]) == []


def test_a_run_with_it_is_recorded(segmenter: MulticlassSegmenter, bench: Bench) -> None:
    assert segmenter
    bench.write_csv(PORTRAITS[:1])
    done = run_split(bench.split(), RECIPE, bench.settings, RunOptions())
    assert done.state.row_counts() == {"done": 1}
    (recorded,) = bench.recorded(RECIPE)
    numbers = recorded.record.stages["masks"].numbers
    assert numbers["segmenter"] == "selfie_multiclass"
    assert numbers["segmenter_sha256"] == store.shipped("selfie_multiclass").sha256
    assert run_split(bench.split(), RECIPE, bench.settings, RunOptions()).tally.computed_images == 0
    assert run_split(bench.split(), Recipe(), bench.settings, RunOptions()).tally.computed_images == 1


# -- where the two differ --------------------------------------------------------------------------------------

INSIDE = np.s_[16:48, 16:48]
PART = np.s_[30:42, 30:42]


def planes() -> tuple[NDArray[np.float32], NDArray[np.float32], Image]:
    """Two equal answers, a square person, and its colors before others."""
    person = np.zeros(SHAPE, np.float32)
    person[INSIDE] = 1
    lab = np.full((*SHAPE, 3), (60, 128, 128), np.uint8)
    lab[INSIDE] = (180, 150, 150)
    return person, person.copy(), lab


def settle(person: NDArray[np.float32], embedded: NDArray[np.float32], lab: Image, *, hair: bool = False) -> float:
    """The mean answer in the part, for a part that is hair or not."""
    is_hair = np.zeros(SHAPE, np.bool_)
    is_hair[PART] = hair
    return float(settled(person, is_hair, embedded, lab)[PART].mean())


def test_what_the_embedded_one_is_sure_of_is_kept() -> None:
    person, embedded, lab = planes()
    person[PART] = 0  # a helmet in the hands
    lab[PART] = (250, 128, 128)
    assert settle(person, embedded, lab) > 0.99
    assert settle(person, embedded, lab, hair=True) == 0
    embedded[PART] = 0.9
    assert settle(person, embedded, lab) == 0


def test_what_has_the_backgrounds_colors_is_background() -> None:
    person, embedded, lab = planes()
    person[PART] = 0  # wall between hair and neck
    lab[PART] = (60, 128, 128)
    assert settle(person, embedded, lab) == 0


def test_a_flag_that_the_embedded_one_is_sure_is_none_goes() -> None:
    person, embedded, lab = planes()
    flag = np.s_[2:14, 50:62]
    person[flag] = 0.8
    assert settled(person, np.zeros(SHAPE, np.bool_), embedded, lab)[flag].max() == 0
    embedded[flag] = 0.2
    assert settled(person, np.zeros(SHAPE, np.bool_), embedded, lab)[flag].min() == pytest.approx(0.8)


def test_edges_are_those_of_the_sharper_one() -> None:
    person, embedded, lab = planes()
    person[16:19] = 0  # three cells: no part
    assert np.array_equal(settled(person, np.zeros(SHAPE, np.bool_), embedded, lab), person)
    assert np.array_equal(settled(embedded, np.zeros(SHAPE, np.bool_), embedded, lab), embedded)
