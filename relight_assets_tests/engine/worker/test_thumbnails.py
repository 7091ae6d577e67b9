"""Workers leave a thumbnail of every image, which decides nothing."""

import shutil

from relight_assets.dataset.derived.thumbnails import of_photo, of_record, read_thumbnail
from relight_assets.dataset.records import known_failure, known_stamps
from relight_assets.dataset.tombstones import add_tombstones
from relight_assets.stages.registry import stage_names
from relight_assets.storage.local import LOCAL
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, recipe_with


def is_of_its_record(bench: Bench, index: int) -> bool:
    record = known_stamps(bench.layout, index)
    assert record is not None
    return read_thumbnail(bench.layout, index, of_record(record)) is not None


def test_a_finished_image_and_a_photo_without_a_person_have_one_and_a_broken_file_has_none(finished: Bench) -> None:
    assert all(is_of_its_record(finished, index) for index in range(4))
    cat = known_failure(finished.layout, 4)
    assert cat is not None
    assert cat.source is not None
    assert read_thumbnail(finished.layout, 4, of_photo(cat.source.sha256)) is not None
    assert finished.layout.thumbnail_numbers() == {0, 1, 2, 3, 4}


def test_another_light_makes_another_and_their_loss_makes_no_work(own: Bench) -> None:
    own.run(recipe_with(seed=3))
    assert is_of_its_record(own, 2)
    shutil.rmtree(own.layout.thumbnails)
    assert computed(own.run(recipe_with(seed=3))) == dict.fromkeys(stage_names(), 0)
    assert own.layout.thumbnail_numbers() == set()


def test_where_none_can_be_written_the_image_is_done_all_the_same(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.layout.folder.mkdir(parents=True)
    bench.layout.thumbnails.write_text("a file in its place")
    bench.run()
    assert bench.state().row_counts() == {"done": 1}


def test_a_worker_that_meets_a_forgotten_photo_leaves_nothing_of_it(own: Bench) -> None:
    record = known_stamps(own.layout, 0)
    assert record is not None
    add_tombstones(own.settings.output_root, {record.source.sha256: "requested"}, LOCAL)
    own.layout.record(0).unlink()  # so that its photo must be read to know
    own.run()
    assert own.state().row_counts()["rejected"] == 2  # the blank cell, too
    assert 0 not in own.layout.thumbnail_numbers()
