from copy import deepcopy

import numpy as np
import pytest

from relight_assets.core.rng import StreamWithout, is_varied, log_uniform, part_of, stream, uniform, weighted

SHA = "ab" * 32


def test_a_stream_is_known():
    # Changing these numbers changes every dataset that was ever drawn.
    assert stream(7, SHA, 0, "degraded/light").integers(0, 2**32, 3).tolist() == [4112238420, 3129313015, 577899284]


def test_streams_do_not_depend_on_what_was_drawn_before():
    first = stream(1, SHA, 0, "a").random(4)
    stream(1, SHA, 0, "b").random(1000)
    np.random.default_rng().random(10)
    assert np.array_equal(stream(1, SHA, 0, "a").random(4), first)


@pytest.mark.parametrize("other", [(2, SHA, 0, "a"), (1, "cd" * 32, 0, "a"), (1, SHA, 1, "a"), (1, SHA, 0, "b")])
def test_each_part_of_the_key_counts(other):
    assert not np.array_equal(stream(*other).random(4), stream(1, SHA, 0, "a").random(4))


def test_ranges_are_kept():
    rng = stream(0, SHA, 0, "ranges")
    assert all(2 <= uniform(rng, (2, 3)) <= 3 for _ in range(100))
    assert all(2 <= log_uniform(rng, (2, 300)) <= 300 for _ in range(100))
    assert log_uniform(rng, (0, 0)) == 0
    assert uniform(rng, (5, 5)) == 5


def test_weights_are_shares():
    rng = stream(0, SHA, 0, "weights")
    names = [weighted(rng, {"a": 1, "never": 0, "b": 3}) for _ in range(4000)]
    assert names.count("never") == 0
    assert names.count("b") / 4000 == pytest.approx(0.75, abs=3 * np.sqrt(0.75 * 0.25 / 4000))


def test_one_part_comes_from_another_stream_and_all_else_stays():
    def drawn(rng):
        first = uniform(rng, (0, 1)), uniform(part_of(rng, "middle"), (0, 1))
        return *first, uniform(rng, (0, 1)), float(rng.standard_normal())

    plain = drawn(stream(1, SHA, 0, "a"))
    other = stream(1, SHA, 1, "b").random()
    for copied in (False, True):
        rng = StreamWithout(stream(1, SHA, 0, "a"), "middle", stream(1, SHA, 1, "b"))
        assert drawn(deepcopy(rng) if copied else rng) == (plain[0], other, *plain[2:])
    elsewhere = StreamWithout(stream(1, SHA, 0, "a"), "end", stream(1, SHA, 1, "b"))
    assert drawn(elsewhere) == plain
    assert is_varied(elsewhere, "end")
    assert not is_varied(elsewhere, "middle")
    assert not is_varied(stream(1, SHA, 0, "a"), "end")


def test_whole_numbers_of_a_part_leave_the_rest_alone_as_well():
    def drawn(rng):
        part = part_of(rng, "middle")
        return int(part.integers(7)), part.random(2).tolist(), int(part.integers(5)), rng.random(3).tolist()

    plain = drawn(stream(1, SHA, 0, "a"))
    other = drawn(stream(1, SHA, 1, "b"))
    mixed = drawn(StreamWithout(stream(1, SHA, 0, "a"), "middle", stream(1, SHA, 1, "b")))
    assert mixed == (*other[:3], plain[3])
