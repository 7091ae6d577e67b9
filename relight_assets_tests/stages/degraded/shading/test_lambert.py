"""The wrapped cosine."""

import numpy as np
import pytest

from relight_assets.stages.degraded.shading.lambert import wrapped_cosine


def test_wrapping():
    cosine = np.array([[-1, -0.5, 0, 1]], np.float32)
    assert wrapped_cosine(cosine, 0.5)[0] == pytest.approx([0, 0, 1 / 3, 1])
