"""Thumbnails of a split: one that is of an earlier time is none."""

import numpy as np

from relight_assets.dataset.derived.thumbnails import of_photo, of_record, read_thumbnail, shown_files, write_thumbnail
from relight_assets.dataset.records import known_stamps
from relight_assets_tests.conftest import Bench

PICTURE = np.zeros((64, 64, 3), np.uint8)


def test_of_a_record_are_its_photo_and_its_outputs(finished: Bench) -> None:
    record = known_stamps(finished.layout, 1)
    assert record is not None
    assert [name for name, _ in shown_files(record)] == ["input", "output"]
    made_of = of_record(record)
    assert (made_of.source_sha256, made_of.cells) == (record.source.sha256, 2)


def test_it_is_read_only_as_what_it_is_of(own: Bench) -> None:
    first, other = of_photo("a" * 64), of_photo("b" * 64)
    data = write_thumbnail(own.layout, 7, [PICTURE], first)
    assert own.layout.thumbnail(7).name == "00007.jpg"
    assert read_thumbnail(own.layout, 7, first) == data
    assert read_thumbnail(own.layout, 7, other) is None
    assert read_thumbnail(own.layout, 8, first) is None
    own.layout.thumbnail(7).write_bytes(data[:50])
    assert read_thumbnail(own.layout, 7, first) is None
    assert 7 in own.layout.thumbnail_numbers()
    assert 7 not in own.layout.numbers()  # it is no output
