import numpy as np
import pytest

from relight_assets.core.rng import stream
from relight_assets.stages.degraded.shading import leaves


@pytest.mark.parametrize("twigs", [True, False])
def test_more_leaves_let_less_light_through(twigs):
    means = []
    for coverage in (0.25, 0.5, 0.7):
        drawn = [leaves.draw(stream(seed, "", 0, "leaves"), coverage, twigs=twigs) for seed in range(6)]
        for through, length in drawn:
            assert through.shape == (leaves.SIDE, leaves.SIDE)
            assert through.dtype == np.float32
            assert 0 <= through.min() <= through.max() <= 1 + 1e-6
            assert leaves.LENGTHS[0] <= length <= leaves.LENGTHS[1]
        means.append(np.mean([1 - through.mean() for through, _ in drawn]))
    assert means[0] < means[1] < means[2]
    assert means == pytest.approx([0.25, 0.5, 0.7], abs=0.2)


def test_edges_are_of_several_widths():
    through, _ = leaves.draw(stream(0, "", 0, "leaves"), 0.4, twigs=False)
    slopes = np.hypot(*np.gradient(through))[(through > 0.3) & (through < 0.7)]
    assert np.percentile(slopes, 90) > 3 * np.percentile(slopes, 20)


def test_a_bough_runs_across():
    with_, without = (leaves.draw(stream(3, "", 0, "leaves"), 0.05, twigs=twigs)[0] for twigs in (True, False))
    assert (with_ < 0.1).mean() > 0.01
    assert (with_ < 0.1).mean() > (without < 0.1).mean()
