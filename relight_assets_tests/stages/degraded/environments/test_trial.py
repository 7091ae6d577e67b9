import numpy as np

from relight_assets.stages.degraded.environments.trial import trial_environment


def test_its_window_stands_out_in_front_and_above():
    found = trial_environment()
    assert found.key.z > 0.5
    assert found.key.y < 0
    assert found.key_light[1] > 1
    assert np.isfinite(found.harmonics).all()
    assert trial_environment() is found
