"""A photo that stands in several splits is exported by one of them."""

import shutil

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.exports.rows.other_splits import KeptPhotos, finished_photos, order
from relight_assets_tests.conftest import Bench
from relight_assets_tests.exports.conftest import Export


@pytest.fixture
def with_test_split(own: Bench) -> Bench:
    """``train`` and, with its first photo, ``test``."""
    path = own.folder / "test_images.csv"
    path.write_text("\n".join(own.csv_path.read_text().splitlines()[:2]) + "\n")
    run_split(read_split_csv(path), Recipe(), own.settings, RunOptions())
    return own


def test_the_test_split_keeps_its_photos(with_test_split: Bench, export: Export) -> None:
    kept = KeptPhotos(with_test_split.settings, lambda _: Recipe())
    first = with_test_split.recorded()[0].record.source.sha256
    assert kept.before("train") == {first}
    assert kept.before("test") == frozenset()
    found = export(taken=kept.before("train"))
    assert (found.pairs, found.left_out["in another split"]) == (3, 1)


def test_an_unfinished_or_broken_split_keeps_nothing(with_test_split: Bench) -> None:
    shutil.rmtree(with_test_split.folder / "out" / "data-test")
    assert KeptPhotos(with_test_split.settings, lambda _: Recipe()).before("train") == frozenset()
    (with_test_split.folder / "test_images.csv").write_text("nothing\n")
    assert KeptPhotos(with_test_split.settings, lambda _: Recipe()).before("train") == frozenset()


def test_only_finished_photos_count(own: Bench) -> None:
    assert len(finished_photos(own.state())) == 4
    own.layout.png(1, "albedo").unlink()
    assert len(finished_photos(own.state())) == 3


def test_order() -> None:
    assert sorted(["train", "b", "val", "a", "test"], key=order) == ["test", "val", "train", "a", "b"]
