"""A photo that stands in several splits is exported by one of them."""

import shutil

import pytest

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.errors import UserError
from relight_assets.exports.rows.other_splits import KeptPhotos
from relight_assets_tests.conftest import Bench
from relight_assets_tests.exports.conftest import Export

ORDER = ExportOptions().split_order


@pytest.fixture
def with_test_split(own: Bench) -> Bench:
    """``train`` and, with its first photo, ``test``."""
    path = own.folder / "test_images.csv"
    path.write_text("\n".join(own.csv_path.read_text().splitlines()[:2]) + "\n")
    run_split(read_split_csv(path), Recipe(), own.settings, RunOptions())
    return own


def test_the_test_split_keeps_its_photos(with_test_split: Bench, export: Export) -> None:
    kept = KeptPhotos(with_test_split.settings, ORDER)
    first = with_test_split.recorded()[0].record.source.sha256
    assert kept.before("train") == {first}
    assert kept.before("test") == frozenset()
    found = export(taken=kept.before("train"))
    assert (found.pairs, found.left_out["in another split"]) == (3, 1)


def test_what_is_not_finished_there_is_kept_as_well(with_test_split: Bench) -> None:
    shutil.rmtree(with_test_split.folder / "out" / "data-test")
    first = with_test_split.recorded()[0].record.source.sha256
    assert KeptPhotos(with_test_split.settings, ORDER).before("train") == {first}
    (with_test_split.folder / "test_images.csv").write_text("image_path\nnone.png\n\n")
    assert KeptPhotos(with_test_split.settings, ORDER).before("train") == frozenset()


def test_a_csv_that_cannot_be_used_refuses(with_test_split: Bench) -> None:
    (with_test_split.folder / "test_images.csv").write_text("nothing\n")
    with pytest.raises(UserError, match=r"test_images\.csv cannot be used, so nobody knows which photos it keeps"):
        KeptPhotos(with_test_split.settings, ORDER).before("train")
    assert KeptPhotos(with_test_split.settings, ORDER).before("test") == frozenset()


def test_order(with_test_split: Bench) -> None:
    assert ORDER == ("test", "val", "train")
    first = with_test_split.recorded()[0].record.source.sha256
    other = KeptPhotos(with_test_split.settings, ("train",))
    assert other.before("train") == frozenset()
    assert first in other.before("test")
