import cv2
import numpy as np

from relight_assets.core.color import decode, encode
from relight_assets.stages.albedo.materials.highlights import find_highlights
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets.stages.albedo.materials.texture import MOST, lacking_contrast, offsets
from relight_assets_tests.stages.albedo.materials.heads import SIDE, head


def pored(smooth_share):
    """A head with pores, which are fainter on the left cheek."""
    made = head(0.6)
    noise = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 2)
    left = np.arange(SIDE)[None] < 0.45 * SIDE
    pores = 1 + 0.12 * noise / noise.std() * np.where(left, smooth_share, 1)
    rgb = encode(np.clip(decode(made.rgb) * pores[..., None], 0, 1).astype(np.float32))
    found = type(made)(rgb, made.alpha, made.points, made.paint, made.skin, made.hair)
    person, face = found.small
    skin = find_skin(person, face)
    assert skin is not None
    across = np.indices(person.light.shape)[1] / person.light.shape[1]
    sides = [skin.sure & (skin.weight > 0.9) & where for where in (across < 0.38, across > 0.6)]
    return person, skin, find_highlights(person, skin), sides


def test_smooth_skin_that_was_cut_gets_the_contrast_of_the_rest():
    person, skin, highlights, (smooth, usual) = pored(0.3)
    raised = lacking_contrast(person, skin, highlights, np.full_like(person.light, -1))
    assert raised.max() <= MOST + 1e-5
    assert np.median(raised[smooth]) > 0.6 * MOST
    assert np.median(raised[usual]) < 0.2 * MOST
    assert lacking_contrast(person, skin, highlights, np.zeros_like(person.light)).max() == 0


def test_contrast_grows_about_the_same_mean():
    person, skin, highlights, (smooth, _) = pored(0.3)
    raised = lacking_contrast(person, skin, highlights, np.full_like(person.light, -1))
    taken = offsets(person, skin.weight, raised, skin.face.height)
    made = (person.rgb - taken) * (1 + raised)[..., None]
    before, after = person.rgb[smooth][:, 1], made[smooth][:, 1]
    assert abs(after.mean() / before.mean() - 1) < 0.02
    assert after.std() > 1.1 * before.std()
    assert taken.min() >= 0
    assert offsets(person, skin.weight, np.zeros_like(raised), skin.face.height).max() == 0
