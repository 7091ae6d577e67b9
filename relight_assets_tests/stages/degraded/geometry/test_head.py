import numpy as np
import pytest

from relight_assets.stages.degraded.geometry.head import head_of_mask
from relight_assets_tests.stages.portraits import portrait


def test_the_head_of_a_silhouette_is_where_the_head_is():
    person = portrait()
    head = head_of_mask((person.alpha > 127).astype(np.float32))
    assert head.x == pytest.approx(80, abs=8)
    assert head.y == pytest.approx(0.42 * 192, abs=20)
