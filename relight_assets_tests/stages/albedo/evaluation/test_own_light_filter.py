"""Photos whose own light stays in their albedo."""

import pytest

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.errors import OwnLightError
from relight_assets.stages.albedo.evaluation.own_light_filter import require_own_light_removed
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, recipe_with
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import BAD, Demo


def test_too_much_own_light_is_rejected_with_its_key_and_the_skin_it_was(demo: Demo) -> None:
    left = BAD["own_light_left"](demo).measured().own_light_left
    with pytest.raises(OwnLightError, match=r"1\.000 of the photo's own light.*photo_qa\.max_own_light 0\.8") as caught:
        require_own_light_removed(left, PhotoQa(), demo.foreground, demo.face)
    assert caught.value.rejected
    assert caught.value.skin_lightness is not None
    assert 20 < caught.value.skin_lightness < 90
    require_own_light_removed(left, PhotoQa(max_own_light=10), demo.foreground, demo.face)


@pytest.mark.parametrize("left", [None, 0.8, 0.1, -0.4])
def test_less_of_it_or_none_that_can_be_told_is_let_in(demo: Demo, left: float | None) -> None:
    require_own_light_removed(left, PhotoQa(), demo.foreground, demo.face)


def test_a_run_rejects_the_row_keeps_its_masks_and_lets_it_in_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "relight_assets.stages.albedo.evaluation.albedo_metrics.own_light_left"
    monkeypatch.setattr(module, lambda _view, _triangles: 0.9)
    bench.write_csv(PORTRAITS[:1])
    summary = bench.run()
    assert summary.tally.codes == {"own_light": 1}
    assert computed(summary) == {"masks": 1, "albedo": 0, "degraded": 0, "composites": 0}
    assert summary.state.row_counts()["rejected"] == 1
    assert not bench.layout.png(0, "albedo").exists()
    assert computed(bench.run()) == dict.fromkeys(("masks", "albedo", "degraded", "composites"), 0)
    loose = bench.run(recipe_with(photo_qa={"max_own_light": 10}))
    assert computed(loose) == {"masks": 0, "albedo": 1, "degraded": 1, "composites": 1}
