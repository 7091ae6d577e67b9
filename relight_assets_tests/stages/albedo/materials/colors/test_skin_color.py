import numpy as np
import pytest

from relight_assets.core.color import encode
from relight_assets.stages.albedo.materials.colors.skin_color import even_color
from relight_assets.stages.albedo.materials.highlights import find_highlights
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets.stages.albedo.materials.skin_light import even_skin
from relight_assets_tests.stages.albedo.materials.heads import SIDE, head, side_light


def changed(made, share=0.3):
    person, face = made.small
    skin = find_skin(person, face)
    assert skin is not None
    highlights = find_highlights(person, skin)
    return person, skin, even_color(person, skin, highlights, even_skin(person, skin, highlights), share)


def test_skin_of_one_colour_keeps_it():
    made = head(side_light(0.5))
    _, _, (red, blue) = changed(made)
    assert np.abs(made.at(red, made.skin)).max() < 0.06
    assert np.abs(made.at(blue, made.skin)).max() < 0.06


def test_where_a_white_highlight_was_the_skins_colour_comes_back():
    made = head(0.7, sheen=0.4)
    person, skin, (red, blue) = changed(made)
    spot = np.zeros((SIDE, SIDE), bool)
    spot[int(0.27 * SIDE) : int(0.29 * SIDE), int(0.48 * SIDE) : int(0.52 * SIDE)] = True
    for ratio, change, own in zip(person.log_ratios, (red, blue), skin.color, strict=True):
        before, after = (abs(np.median(made.at(plane, spot)) - own) for plane in (ratio, ratio + change))
        assert after < 0.5 * before
        assert np.median((ratio + change)[skin.sure]) == pytest.approx(own, abs=0.02)


def test_lit_skin_that_is_lowered_is_not_gray():
    # Both sides of the face are lit, and one is as pale as sheen: luminance does not say which.
    made = head()
    y, x = (np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5) / SIDE
    lit = np.clip((np.abs(x - 0.5) - 0.07) / 0.04 + 0.5, 0, 1)[..., None]
    light = made.paint * (0.35 + 0.65 * lit) + 0.3 * lit * (made.skin & (x > 0.5))[..., None]
    rgb = encode(np.clip(light, 0, 1).astype(np.float32))
    pale = type(made)(rgb, made.alpha, made.points, made.paint, made.skin, made.hair)
    person, skin, (red, _) = changed(pale)
    cheek = made.skin & (x > 0.61) & (x < 0.66) & (y > 0.48) & (y < 0.58)
    before, after = (np.median(pale.at(plane, cheek)) for plane in (person.log_ratios[0], person.log_ratios[0] + red))
    assert before < skin.color[0] - 0.05
    assert after > skin.color[0] - 0.3 * (skin.color[0] - before)


def test_hair_and_cloth_keep_their_colours():
    made = head(side_light(), sheen=0.4)
    _, _, (red, blue) = changed(made)
    assert np.abs(made.at(red, made.hair)).mean() < 0.02
    assert np.abs(made.at(blue, made.hair)).mean() < 0.02


def test_coloured_light_is_led_by_the_share_that_is_asked_for():
    # Both sides darker, one warm and one cool: luminance does not say which.
    made = head()
    across = np.linspace(-1, 1, SIDE, dtype=np.float32)[None] * np.ones((SIDE, 1), np.float32)
    light = np.exp2(-4 * np.abs(across))
    warm = np.stack([light * np.exp(0.3 * across), light, light * np.exp(-0.4 * across)], axis=2)
    rgb = encode(np.clip(made.paint * warm, 0, 1).astype(np.float32))
    warm_head = type(made)(rgb, made.alpha, made.points, made.paint, made.skin, made.hair)
    spreads = []
    for share in (0.0, 0.8):
        person, skin, (_, blue) = changed(warm_head, share)
        spreads.append(float(np.std((person.log_ratios[1] + blue)[skin.sure])))
    assert spreads[1] < spreads[0]
