import json

import numpy as np
import pytest

from relight_assets.core.rounding import rounded


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1 / 3, 0.333333),
        (np.float64(1 / 3), 0.333333),
        ((1 / 3, 2), (0.333333, 2)),
        ({"a": [1 / 3, None], "b": "text", "c": True}, {"a": [0.333333, None], "b": "text", "c": True}),
    ],
)
def test_every_float_is_rounded_to_6_decimals_and_nothing_else_changes(value: object, wanted: object) -> None:
    assert rounded(value) == wanted
    assert type(rounded(value)) is (float if isinstance(value, float) else type(value))


def test_nothing_is_rounded_to_minus_0() -> None:
    assert json.dumps(rounded(-1e-9)) == "0.0"
