from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import StudioKinds
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.dataset.metrics import misfits
from relight_assets.stages.degraded.families import studio
from relight_assets.stages.degraded.sampler import relight
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit, only


def test_every_kind_of_the_recipe_is_rendered_and_none_else():
    assert tuple(studio.KINDS) == tuple(StudioKinds.model_fields)


@pytest.mark.parametrize("kind", studio.KINDS)
@pytest.mark.parametrize("with_face", [True, False])
def test_a_kind_is_recorded_and_its_light_is_finite_and_the_same_again(kind, with_face):
    scene = face_scene() if with_face else portrait_scene(with_face=False)
    sampled, shading = lit(kind, 3, scene=scene)
    assert sampled.numbers["studio_kind"] == kind
    assert np.linalg.norm(sampled.direction.vector) == pytest.approx(1)
    for image in (shading.light, shading.highlight):
        assert image.shape == (*scene.shape, 3)
        assert np.isfinite(image).all()
        assert image.min() >= 0
    again, same = lit(kind, 3, scene=scene)
    assert again.numbers == sampled.numbers
    assert (same.light == shading.light).all()
    assert (lit(kind, 4, scene=scene)[1].light != shading.light).any()


@pytest.mark.parametrize("kind", studio.KINDS)
def test_what_is_recorded_fits_the_schema_and_no_second_family_is_added(kind):
    degradation = Degradation(mixture_probability=1.0, studio=only(kind, min_strength=0.0)).model_copy(deep=True)
    weights = {name: section.model_copy(update={"weight": 0.001}) for name, section in degradation.families.items()}
    degradation = degradation.model_copy(update=weights | {"studio": only(kind, weight=1e6, min_strength=0.0)})
    found = relight(face_scene(), degradation, LightSampling(), partial(stream, 5, "", 0))
    assert (found.family, found.numbers["mixed_with"]) == ("studio", "")
    numbers = {"degradation_type": found.family, "light_direction": list(found.direction.vector), **found.numbers}
    assert not misfits("degraded", numbers)
