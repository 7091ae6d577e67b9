"""Eyes of a whole person under a drawn light."""

import numpy as np
import pytest

from relight_assets.config.recipe.albedo import Retinex
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.stages.albedo.albedo import extract
from relight_assets.stages.degraded.degrade import Degraded, degrade
from relight_assets.stages.degraded.eyes.overlap import overlaps
from relight_assets.stages.degraded.eyes.own_lights import clear_eyes
from relight_assets.stages.foreground_color import with_alpha
from relight_assets_tests.stages.degraded.test_degrade import SHA, only
from relight_assets_tests.stages.made_eyes import draw_eye, eye_points
from relight_assets_tests.stages.portraits import NO_TRIANGLES, portrait

EYES = [eye_points(column, 242, 10, 0.9) for column in (192, 288)]
CATCH_LIGHT = (0.45, 0.0)


def person(eyes: list[np.ndarray] = EYES) -> np.ndarray:
    made = portrait(576, 480, light=(0.0, 0.0, 1.0))
    rgb = made.rgb.copy()
    for points in eyes:
        draw_eye(rgb, points, CATCH_LIGHT)
    return with_alpha(rgb, made.alpha)


def relit(
    foreground: np.ndarray, azimuth: float, eyes: list[np.ndarray], family: str = "soft_shading", **options: object
) -> Degraded:
    return degrade(
        input_rgb=np.ascontiguousarray(foreground[..., :3]),
        foreground=foreground,
        albedo=extract(foreground, Retinex()).image,
        faces=[],
        triangles=NO_TRIANGLES,
        eyes=eyes,
        degradation=only(family, **options),
        lights=LightSampling(azimuth_range=(azimuth - 10, azimuth + 10), min_light_angle=0),
        seed=0,
        source_sha256=SHA,
    )


def brightest(image: np.ndarray, points: np.ndarray) -> float:
    """How far to the right of the iris's centre its brightest point is, in radii."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    iris = np.hypot(x - points[0, 0], y - points[0, 1]) < 7.5
    light = np.where(iris, image[..., :3].sum(axis=2, dtype=int), 0)
    return float(np.argwhere(light >= 0.97 * light.max())[:, 1].mean() - points[0, 0]) / 10


def test_a_catch_light_moves_to_the_side_of_the_lamp() -> None:
    foreground = person()
    for points in EYES:
        assert brightest(foreground, points) == pytest.approx(CATCH_LIGHT[0], abs=0.1)
    left = relit(foreground, 180, EYES)
    assert left.light_direction[0] < -0.3
    assert left.numbers["catch_lights"] == 2
    for points in EYES:
        assert brightest(left.image, points) < -0.15
    assert max(left.numbers["eye_overlap"]) < 0.2
    untouched = relit(foreground, 210, [])
    assert untouched.numbers["catch_lights"] == 0
    assert untouched.numbers["eye_overlap"] == []
    assert min(overlaps(foreground, untouched.image, clear_eyes(foreground, EYES))) > 0.8
    right = relit(foreground, 350, EYES)
    for points in EYES:
        assert brightest(right.image, points) > 0.15


def test_only_the_irises_change() -> None:
    foreground = person()
    with_eyes, without = (relit(foreground, 180, eyes).image.astype(int) for eyes in (EYES, []))
    changed = np.abs(with_eyes - without).max(axis=2) > 0
    y, x = np.mgrid[: changed.shape[0], : changed.shape[1]]
    near = np.minimum(*(np.hypot(x - points[0, 0], y - points[0, 1]) for points in EYES)) < 13
    assert changed[near].any()
    # Beside them at most the noise of the last bit moves.
    assert np.abs(with_eyes - without)[~near].max() <= 1


def test_closed_eyes_keep_every_byte() -> None:
    closed = [eye_points(column, 242, 10, 0.2) for column in (192, 288)]
    foreground = person(closed)
    found = relit(foreground, 180, closed)
    assert found.numbers["catch_lights"] == 0
    assert np.array_equal(found.image, relit(foreground, 180, []).image)


def test_a_light_without_a_lamp_only_takes_the_photo_s_away() -> None:
    foreground = person()
    found = relit(foreground, 180, EYES, "none")
    assert found.numbers["catch_lights"] == 0
    assert max(found.numbers["eye_overlap"]) < 0.5


def test_it_has_the_color_of_the_lamp() -> None:
    foreground = person()
    images = [
        relit(foreground, 180, EYES, key_temperature_range=(kelvin, kelvin), key_tint_range=(0.8, 0.8)).image
        for kelvin in (2800, 9500)
    ]
    warm, cool = (image[236:249, 184:190, :3].reshape(-1, 3) for image in images)
    ratios = [float(pixels[pixels.sum(axis=1).argmax()].astype(float) @ [1, 0, -1]) for pixels in (warm, cool)]
    assert ratios[0] > ratios[1] + 20
