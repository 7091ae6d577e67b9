"""A word in time about a disk that will be full."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.disk_space import BYTES_OF_LIGHT, BYTES_PER_PIXEL, needed_for, space_warning
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.load import digests_of
from relight_assets.engine.state.plan import make_plan
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The free space that the system tells of."""
    space = SimpleNamespace(free=0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: space)
    return space


def planned(bench: Bench, digests: Digests) -> list[WorkItem]:
    return [WorkItem(number, name, str(bench.photos / name), stage_names()) for number, name in enumerate(PORTRAITS)]


def test_too_little_space_is_reported_in_figures(bench: Bench, disk: SimpleNamespace) -> None:
    bench.write_csv(PORTRAITS)
    work = planned(bench, digests_of(Recipe(), bench.settings))
    warning = space_warning(bench.layout.folder, bench.state(), work, None)
    assert warning is not None
    assert "for 4 images, but 0 MiB are free" in warning
    disk.free = 1 << 40
    assert space_warning(bench.layout.folder, bench.state(), work, None) is None


def test_light_that_is_kept_needs_its_own(bench: Bench, disk: SimpleNamespace) -> None:
    photos = [bench.photos / name for name in PORTRAITS]
    without, kept = (needed_for(photos, 2, None, keep_light=on) for on in (False, True))
    assert kept.size - without.size == pytest.approx(len(photos) * 2 * BYTES_OF_LIGHT)
    assert kept.files - without.files == len(photos) * 2 * 4
    bench.write_csv(PORTRAITS)
    work = planned(bench, digests_of(Recipe(), bench.settings))
    disk.free = int((without.size + kept.size) / 2)
    recipes = (recipe_with(variants=2, keep_light=on) for on in (False, True))
    warnings = [space_warning(bench.layout.folder, bench.state(recipe), work, None) for recipe in recipes]
    assert [warning is not None for warning in warnings] == [False, True]


def test_smaller_outputs_need_less(bench: Bench, disk: SimpleNamespace) -> None:
    bench.write_csv(PORTRAITS)
    work = planned(bench, digests_of(Recipe(), bench.settings))
    disk.free = int(4 * 128 * 128 * BYTES_PER_PIXEL)
    assert space_warning(bench.layout.folder, bench.state(), work, None) is not None
    assert space_warning(bench.layout.folder, bench.state(), work, 128) is None


def test_what_is_written_over_needs_no_more_space(finished: Bench, disk: SimpleNamespace) -> None:
    recipe = Recipe()
    plan = make_plan(finished.state(), digests_of(recipe, finished.settings), stage_names())
    assert space_warning(finished.layout.folder, finished.state(), plan.work, None) is None
    again = [WorkItem(0, PORTRAITS[0], str(finished.photos / PORTRAITS[0]), stage_names())]
    assert space_warning(finished.layout.folder, finished.state(), again, None) is None


def test_the_estimate_is_near_what_a_portrait_really_takes(finished: Bench) -> None:
    for number in range(len(PORTRAITS)):
        written = sum(path.stat().st_size for path in finished.layout.folder.glob(f"{number:05d}_*"))
        pixels = _pixels(finished.layout.png(number, "input"))
        assert 0.5 * BYTES_PER_PIXEL < written / pixels < 2.5 * BYTES_PER_PIXEL


def _pixels(path: Path) -> int:
    from relight_assets.imaging.decode import size_of

    width, height = size_of(path)
    return width * height
