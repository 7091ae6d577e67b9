"""The tone of a person, on an image whose colors are known."""

import numpy as np
import pytest

from relight_assets.core.color import decode, encode, luminance
from relight_assets.stages.tone_change import Tone, tone_of

PERSON = np.zeros((20, 30), bool)
PERSON[:, :20] = True


def tone(linear: np.ndarray) -> Tone:
    image = encode(linear.astype(np.float32))
    back = decode(image)
    return tone_of(image, back, np.log2(luminance(back)), PERSON)


def ramp() -> np.ndarray:
    """Grays from .01 to .64, in steps of the same number of stops, on the person; white beside it."""
    gray = 0.01 * 2 ** np.linspace(0, 6, 400).reshape(20, 20)
    return np.repeat(np.hstack([gray, np.ones((20, 10))])[..., None], 3, axis=2)


def test_grays_have_no_color_and_contrasts_are_stops() -> None:
    found = tone(ramp())
    assert (found.red_green, found.blue_green, found.saturation) == pytest.approx((0, 0, 0), abs=1e-4)
    assert (found.shadow_contrast, found.light_contrast) == pytest.approx((2.4, 2.4), abs=0.1)


def test_a_colored_light_is_its_logarithms_and_a_saturation() -> None:
    change = tone(ramp() * [1.2, 1.0, 0.8]) - tone(ramp())
    assert change.red_green == pytest.approx(np.log(1.2), abs=0.01)
    assert change.blue_green == pytest.approx(np.log(0.8), abs=0.01)
    assert change.saturation == pytest.approx(1 - (0.8 / 1.2) ** (1 / 2.2), abs=0.03)
    assert (change.shadow_contrast, change.light_contrast) == pytest.approx((0, 0), abs=0.05)


def test_a_power_of_light_is_more_contrast_and_exposure_is_none() -> None:
    harder = tone(0.08 * (ramp() / 0.08) ** 1.2) - tone(ramp())
    assert (harder.shadow_contrast, harder.light_contrast) == pytest.approx((0.48, 0.48), abs=0.1)
    brighter = tone(ramp() * 1.3) - tone(ramp())
    assert (brighter.shadow_contrast, brighter.light_contrast) == pytest.approx((0, 0), abs=0.05)
