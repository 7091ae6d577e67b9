"""The camera that sees a light: exposure, white balance and contrast, centered on the photo's own.

Whatever a light does to brightness, color and contrast on average, a network would learn to undo instead of the light.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.core.color import LUMINANCE_WEIGHTS, largest_channel
from relight_assets.core.rng import uniform
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.defects import LUMINANCE_FLOOR
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets.stages.degraded.tone_curve import ToneCurve, levels
from relight_assets.stages.quantiles import quantile, quantiles

FACE_SHARE = 0.15
"""Weight of the face's skin in brightness and color, beside the whole person: neither may tell a pair's sides apart."""
BALANCE = 0.9
"""Power of light at which means of color are compared: with 1 a photo's sheen and white cloth would make skin gray, and
with less, means of light themselves tell a pair's sides apart."""
PLACED = 0.3
"""Share that is balanced of what a light does to the mean color by where it falls.  All of it makes a face gray where
a red sweater has more of the light than in the photo; none of it, and pairs' colors differ more."""
BLUE, TINT = 1.5, 0.35
"""What ln B/G falls by where ln R/G rises, along the colors of black bodies, and the deviation across them."""
FARTHEST, FARTHEST_COLOR = 2.0, 1.4
"""Deviations beyond which no contrast, and no color, is drawn: farther colors are gray or orange skin."""
QUANTILES = (0.1, 0.5, 0.9)
"""Of luminance between which contrast is measured, in shadows and in lights."""
MAX_CONTRAST = 0.35
"""Largest change of either contrast, as a share of it: more looks flat, or crunchy."""
LIT, HELD = 0.75, 0.2
"""The quantile of the face's skin that is its lit part, and the weight of that in brightness beside the whole person,
where that is held: what faces the lamp stays as bright as in the photo, and the shade is dark."""
BRIGHT, BURNT, MAX_BURNT = 0.9, 0.5, 0.15
"""The quantile of the face's skin that is its brightest part, the linear luminance up to which that may always be
lifted, and by how many stops exposure is lowered at most where it would be lifted more, and above the photo's: white
skin would be paint."""
FEW, ROUNDS = 4096, 3
"""Samples by which a camera is set, about, and how often: exposure moves the curve, and the curve exposure."""
LEAST_LIGHT = 1e-3
"""Linear light that is told from black."""
MAX_STOPS = 4.3
"""Largest gain of a channel, stops either way."""
MAX_MEAN_CHANGE = 0.8
"""Largest mean change of the person's brightness, stops; up to .15 more is measured at full size."""
LIFTED_DARK = 0.35
"""What is left of a lift, stops, where the person is darkest."""
DARK_LEVEL = 0.02
"""Linear light of dark hair in light."""
_WEIGHTS = np.array(LUMINANCE_WEIGHTS, np.float32)
_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """How a picture differs from the photo, as drawn."""

    exposure: float
    """EV."""
    white_balance: tuple[float, float] = (0.0, 0.0)
    """ln R/G and ln B/G."""
    contrast: tuple[float, float] = (0.0, 0.0)
    """In shadows and in lights, stops."""
    color_adaptation: float = 1.0
    contrast_adaptation: float = 1.0
    """Of the recipe: the shares of what the light itself changes that are taken out."""


CENTERED = Camera(0.0)
"""What differs in nothing."""


@dataclass(frozen=True)
class CameraSettings:
    """How a camera was set for a light: gains of R, G and B, and the curve with them."""

    gains: NDArray[np.float64]
    curve: ToneCurve
    fog_gains: NDArray[np.float64]
    fog_curve: ToneCurve
    """The two by which :func:`without_fog` judges."""


@dataclass(frozen=True)
class Exposed:
    """A light as the camera sees it."""

    shading: Shading
    """With the gains of exposure and white balance."""
    curve: ToneCurve
    strength: float
    """Of the pair: the standard deviation of :func:`stops_of_change`, to 6 decimals."""
    numbers: Numbers
    """What was drawn of the camera, and how it was set."""
    settings: CameraSettings


def draw_camera(rng: Generator, degradation: Degradation, *, mirrored: bool = False) -> Camera:
    """Draw how a picture differs from the photo: in both directions alike, if ``exposure_range`` does.

    ``mirrored`` turns every difference around, within its range: two such lights on a photo are centered on it by
    themselves (antithetic variates: Hammersley and Morton, 1956), so few pairs already are.
    """
    exposure = uniform(rng, degradation.exposure_range)
    farthest = np.array([FARTHEST_COLOR, FARTHEST_COLOR, FARTHEST, FARTHEST])
    normals = np.clip(rng.standard_normal(4), -farthest, farthest)
    if mirrored:
        exposure, normals = sum(degradation.exposure_range) - exposure, -normals
    warm, tint, dark, light = normals.tolist()
    spread = degradation.color_spread
    return Camera(
        exposure,
        (spread * (warm + TINT * tint), spread * (TINT * tint - BLUE * warm)),
        (degradation.contrast_spread * dark, degradation.contrast_spread * light),
        degradation.color_adaptation,
        degradation.contrast_adaptation,
    )


def exposed(scene: Scene, shading: Shading, camera: Camera, *, hold_lit_skin: bool = False) -> Exposed:
    """Make a light as bright, as colored and as contrasty as the photo, but for what was drawn.

    A gain on each channel (von Kries) and one curve over all of them: what differs within the person stays.

    Args:
        scene: the person.
        shading: the light.
        camera: what was drawn.
        hold_lit_skin: the lit part of the face's skin counts for brightness, beside the whole person, and is not burnt.
    """
    every = 1 + scene.samples.size // FEW
    weights = _weights(scene)[::every]
    meter = _Meter(weights, _skin(scene)[::every], hold_lit_skin)
    lit, photo = _lit(scene, shading, every), scene.sampled(scene.photo)[::every]
    # A light that falls on a red sweater more than on a face makes no face gray.
    kept = (1 - PLACED) * _placed(scene, shading, weights, every)
    own = _balance(photo, lit, weights) - kept
    drawn = np.array([camera.white_balance[0], 0.0, camera.white_balance[1]]) / math.log(2)
    shifts = own * camera.color_adaptation + drawn
    stops, curve = _set(lit * np.exp2(shifts).astype(np.float32), photo @ _WEIGHTS, meter, camera)
    # The curve weighs what is light and what is dark anew, and skin is redder than what is around it.
    fog_gains, fog_curve = np.exp2(shifts + stops), curve
    shading = without_fog(scene, shading, fog_gains, fog_curve)
    lit = _lit(scene, shading, every)
    seen_colors = lit * np.exp2(shifts + stops).astype(np.float32)
    seen_colors *= curve.factor_of(largest_channel(seen_colors)[:, None])
    left = _balance(photo, seen_colors, weights) - kept + drawn - own * (1 - camera.color_adaptation)
    shifts += left * camera.color_adaptation
    stops, curve = _set(lit * np.exp2(shifts).astype(np.float32), photo @ _WEIGHTS, meter, camera)
    gains = np.exp2(np.clip(shifts + stops, -MAX_STOPS, MAX_STOPS))
    seen = _scaled(shading, gains)
    change = stops_of_change(scene, seen, curve)
    for _ in range(ROUNDS):
        mean = float(change.mean(dtype=np.float64))
        if abs(mean) <= MAX_MEAN_CHANGE:
            break
        less = math.copysign(MAX_MEAN_CHANGE, mean) - mean
        gains, curve = gains * 2.0**less, curve.moved(less)
        seen = _scaled(shading, gains)
        change = stops_of_change(scene, seen, curve)
    numbers: Numbers = {
        "exposure": camera.exposure,
        "white_balance": list(camera.white_balance),
        "contrast": list(camera.contrast),
        "exposure_gain": float(gains @ _WEIGHTS),
        "channel_gains": gains.tolist(),
        "tone_curve": [curve.pivot, curve.odd, curve.even],
    }
    settings = CameraSettings(gains, curve, fog_gains, fog_curve)
    return Exposed(seen, curve, _strength(change), numbers, settings)


def exposed_alike(scene: Scene, shading: Shading, other: Exposed) -> Exposed:
    """See a light by a camera that stays as it was set for another one."""
    settings = other.settings
    shading = without_fog(scene, shading, settings.fog_gains, settings.fog_curve)
    seen = _scaled(shading, settings.gains)
    strength = _strength(stops_of_change(scene, seen, settings.curve))
    return replace(other, shading=seen, strength=strength)


def without_fog(scene: Scene, shading: Shading, gains: NDArray[np.float64], curve: ToneCurve) -> Shading:
    """Lift what is nearly black by less than what is around it.

    Black hair and cloth have as much of a lens's veil in a photo as color of their own, and lifted veil is fog.

    Args:
        scene: the person.
        shading: the light, before its gains.
        gains: of R, G and B.
        curve: with them.
    """
    dark = scene.dark
    if not dark.any():
        return shading
    gain = float(curve.factor_of(np.full((1, 1), DARK_LEVEL, np.float32))[0, 0])
    lift = cv2.log(np.maximum(cv2.transform(shading.light, (_WEIGHTS * gains * gain)[None].astype(np.float32)), 1))
    factor = cv2.exp(lift * dark * np.float32(LIFTED_DARK - 1))
    return replace(shading, light=cv2.multiply(shading.light, cv2.merge([factor] * 3)))


def stops_of_change(scene: Scene, shading: Shading, curve: ToneCurve) -> _Floats:
    """Return log2(degraded / photo), luminance, of the person's N samples: (N,) float32.

    Its standard deviation is the strength of the pair.
    """
    return levels(_developed(_lit(scene, shading), curve)) - levels(scene.sampled_photo_light)


def seen_colors(scene: Scene, seen: Exposed) -> _Floats:
    """The colors of the person's samples as the camera renders them: (N, 3) float32, linear."""
    lit = _lit(scene, seen.shading)
    return lit * seen.curve.factor_of(largest_channel(lit)[:, None])


def strength_of_mix(scene: Scene, seen: Exposed, amount: float) -> float:
    """The strength of a pair whose degraded side is a mix with the photo, to 6 decimals; ``amount`` is the light's."""
    photo = scene.sampled_photo_light
    lit = _developed(_lit(scene, seen.shading), seen.curve)
    mix = np.float32(1 - amount) * photo + np.float32(amount) * lit
    return _strength(levels(mix) - levels(photo))


def _strength(change: _Floats) -> float:
    return float(rounded(float(change.std(dtype=np.float64))))


def _lit(scene: Scene, shading: Shading, every: int = 1) -> _Floats:
    # The colors of every so many samples.
    lit = scene.sampled_albedo[::every] * scene.sampled(shading.light, every)
    if shading.highlight is not None:
        lit += scene.sampled(shading.highlight, every)
    return lit


def _developed(colors: _Floats, curve: ToneCurve) -> _Floats:
    # Luminance of (N, 3) colors as the camera renders them.
    return (colors @ _WEIGHTS) * curve.factor_of(largest_channel(colors)[:, None])[:, 0]


def _scaled(shading: Shading, gains: NDArray[np.float64]) -> Shading:
    # Four numbers, as OpenCV wants a color; NumPy takes three times as long.
    by = (*gains.astype(np.float32).tolist(), 0.0)
    return replace(
        shading,
        light=cv2.multiply(shading.light, by),
        highlight=None if shading.highlight is None else cv2.multiply(shading.highlight, by),
    )


@dataclass(frozen=True)
class _Meter:
    """How bright a picture is, of N samples; in levels."""

    weights: NDArray[np.float64]
    """(N,)."""
    skin: NDArray[np.bool_]
    """(N,): which are skin of the face; all of a person without one."""
    holds_lit_skin: bool

    def less(self, photo: _Floats, seen: _Floats) -> float:
        """The stops by which (N,) luminance is darker than the photo's."""
        return self._brightness(levels(photo)) - self._brightness(levels(seen))

    def burnt(self, photo: _Floats, seen: _Floats, exposure: float) -> float:
        """The stops by which the face's brightest skin is too bright, 0 to ``MAX_BURNT``; ``exposure`` was drawn."""
        if not self.holds_lit_skin:
            return 0.0
        before, after = (quantile(levels(each)[self.skin], BRIGHT) for each in (photo, seen))
        return min(max(after - max(before + exposure, math.log2(BURNT)), 0.0), MAX_BURNT)

    def _brightness(self, stops: _Floats) -> float:
        mean = float(np.average(stops, weights=self.weights))
        return mean + HELD * (quantile(stops[self.skin], LIT) - mean) if self.holds_lit_skin else mean


def _skin(scene: Scene) -> NDArray[np.bool_]:
    # Which of the samples are the face's skin.
    face = np.zeros(scene.alpha.size, np.bool_)
    face[scene.anchor_samples] = True
    return face[scene.samples]


def _weights(scene: Scene) -> NDArray[np.float64]:
    # Of the samples.  Hair and cloth count as the person's, but say little of a light on the face.
    skin = _skin(scene).astype(np.float64)
    return FACE_SHARE * skin / skin.sum() + (1 - FACE_SHARE) / skin.size


def _balance(photo: _Floats, colors: _Floats, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    # Stops by which the mean color of (N, 3) colors differs from the photo's, per channel, with green as it is.
    stops = np.log2(_color(photo, weights) / _color(colors, weights))
    return stops - stops[1]


def _placed(scene: Scene, shading: Shading, weights: NDArray[np.float64], every: int) -> NDArray[np.float64]:
    # The same of what a light does to the mean color by where it falls alone, as if it were white.
    albedo = scene.sampled_albedo[::every]
    # Taken afterwards, for BLAS rounds a product of rows that lie side by side otherwise.
    lit = albedo * (scene.sampled(shading.light)[::every] @ _WEIGHTS)[:, None]
    return _balance(albedo, lit, weights)


def _color(colors: _Floats, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    power: NDArray[np.float64] = np.average(np.power(colors, np.float32(BALANCE)), axis=0, weights=weights)
    return np.maximum(power, LEAST_LIGHT) ** (1 / BALANCE)


def _tones(luminance: _Floats) -> NDArray[np.float64]:
    # Dark, middle and light, levels.
    return quantiles(levels(luminance), QUANTILES)


def _set(lit: _Floats, photo: _Floats, meter: _Meter, camera: Camera) -> tuple[float, ToneCurve]:
    """The exposure, stops, and the curve with which lit (N, 3) is seen as the camera was drawn."""
    contrasts = np.diff(_tones(photo)) + camera.contrast
    stops = camera.exposure + meter.less(photo, lit @ _WEIGHTS)
    exposure = camera.exposure - meter.burnt(photo, (lit @ _WEIGHTS) * np.float32(2.0**stops), camera.exposure)
    stops += exposure - camera.exposure
    curve, less = ToneCurve(), 0.0
    for _ in range(ROUNDS):
        seen = lit * np.float32(2.0**stops)
        curve = _curve(seen, contrasts, camera.contrast_adaptation)
        less = exposure + meter.less(photo, _developed(seen, curve))
        stops += less
    return stops, curve.moved(less)


def _curve(seen: _Floats, wanted: NDArray[np.float64], adaptation: float) -> ToneCurve:
    tones = _tones(seen @ _WEIGHTS)
    own = np.diff(tones)
    shadows, lights = np.clip((wanted - own) * adaptation, -MAX_CONTRAST * own, MAX_CONTRAST * own)
    dark, middle, light = _tones(largest_channel(seen)).tolist()
    return ToneCurve.through(
        middle, (dark, _gain(tones[0], tones[0] - shadows)), (light, _gain(tones[2], tones[2] + lights))
    )


def _gain(before: float, after: float) -> float:
    """The gain, stops, that brings light from one level to another."""
    one, other = (max(2.0**level - float(LUMINANCE_FLOOR), LEAST_LIGHT) for level in (before, after))
    return math.log2(other / one)
