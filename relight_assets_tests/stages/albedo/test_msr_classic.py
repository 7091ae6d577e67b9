import cv2
import numpy as np

from relight_assets.stages.albedo.msr_classic import _blurred, msr_classic
from relight_assets_tests.stages.portraits import portrait


def test_it_stretches_and_leaves_the_outside_black():
    person = portrait(160, 140)
    image = msr_classic(person.foreground, (15, 80, 250))
    assert image.shape == person.rgb.shape
    assert image.dtype == np.uint8
    assert not image[person.alpha == 0].any()
    assert image[person.alpha == 255].max() == 255


def test_an_empty_mask_gives_black():
    assert not msr_classic(np.zeros((20, 30, 4), np.uint8), (15.0,)).any()


def test_the_reduced_blur_is_a_gaussian():
    person = portrait(256, 224)
    values = person.rgb[..., 0].astype(np.float32)
    for sigma in (6.0, 20.0):
        plain = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        assert np.abs(_blurred(values, sigma) - plain).mean() < 1.5
