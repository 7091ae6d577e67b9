"""Made-up heads: their alpha is exact, and the segmenter's answer is as coarse as one."""

import numpy as np

from benchmarks.science.hair import CELLS, SIDE, heads


def test_heads_are_the_same_each_time_and_hold_single_hairs() -> None:
    first, again = list(heads()), list(heads())
    assert first
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.rgb, other.rgb)
        assert np.array_equal(one.alpha, other.alpha)
        assert one.rgb.shape == (SIDE, SIDE, 3)
        assert one.probability.shape == (CELLS, CELLS)
        assert 0.3 < one.alpha.mean() < 0.6
        assert 0.02 < ((one.alpha > 0.02) & (one.alpha < 0.98)).mean() < 0.2
        assert one.probability.min() == 0
        assert one.probability.max() == 1
