"""The sample that statistics of a large split are of."""

import tracemalloc

import pytest

from relight_assets.dataset.layout import MAX_NUMBER
from relight_assets.quality import sample as module
from relight_assets.quality.sample import SAMPLE_IMAGES, Sample


def test_of_few_images_all_are_taken_and_nothing_is_said() -> None:
    sample = Sample.of([7, 3, 3])
    assert (sample.numbers, sample.images, sample.scale, sample.note) == ({3, 7}, 2, 1.0, None)
    assert Sample.of(range(SAMPLE_IMAGES)).note is None
    assert Sample.of([]).scale == 1.0


def test_of_many_a_sample_is_taken_that_is_the_same_every_time() -> None:
    numbers = range(10, 60_010)
    sample = Sample.of(numbers)
    assert sample == Sample.of(reversed(numbers))
    assert len(sample.numbers) == SAMPLE_IMAGES
    assert sample.numbers <= set(numbers)
    assert sample.scale == 3.0
    assert sample.note == "of a random sample of 20,000 of 60,000 images"
    assert sum(number < 30_010 for number in sample.numbers) == pytest.approx(10_000, rel=0.03)


def test_images_that_come_later_hardly_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE_IMAGES", 1000)
    before, after = Sample.of(range(50_000)), Sample.of(range(50_500))
    assert len(before.numbers & after.numbers) > 950
    assert 5 not in Sample.of(range(6, 5000))


def test_the_largest_number_there_can_be_takes_no_more_memory_than_others() -> None:
    numbers = [*range(SAMPLE_IMAGES), MAX_NUMBER]
    tracemalloc.start()
    try:
        assert len(Sample.of(numbers).numbers) == SAMPLE_IMAGES
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
