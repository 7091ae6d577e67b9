"""Every albedo method on the same objects and portraits, so that what a change is worth is one command."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.color_retinex import color_retinex
from benchmarks.science.intrinsic import Object
from benchmarks.science.portraits import Portrait, pairs
from benchmarks.science.scores import (
    Slopes,
    chroma_error,
    grosse_score,
    slopes,
)
from relight_assets.config.recipe.albedo import AlbedoMethod, Retinex
from relight_assets.core.color import decode, encode
from relight_assets.quality.scale_invariant import inconsistency, scale_invariant_error
from relight_assets.stages.albedo.albedo import extract
from relight_assets.stages.foreground_color import with_alpha

COLOR_RETINEX = "color_retinex"
DARK = 30
"""Display levels under which a colour is mostly rounding."""

Linear = NDArray[np.float32]
Extract = Callable[[NDArray[np.uint8], NDArray[np.uint8]], Linear]
"""(H, W, 3) uint8 sRGB and (H, W) uint8 alpha in; (H, W, 3) linear albedo out."""


@dataclass(frozen=True)
class Figures:
    """One method's figures: means over objects and portraits.  Those of MIT are None where no objects were given.

    Errors: 0 is perfect.  ``slope_shading``: 0 is perfect; ``slope_albedo``: 1 is.
    """

    method: str
    mit_lmse: float | None
    mit_lmse_ratio: float | None
    """Against colour retinex on the same objects."""
    mit_si_mse: float | None
    mit_slope_shading: float | None
    mit_slope_albedo: float | None
    portrait_lmse: float
    portrait_si_mse: float
    portrait_inconsistency: float
    hard_lmse: float
    hard_inconsistency: float
    chroma_error_deg: float
    """Of the portraits' true colours, where they are not nearly black."""
    slope_shading: float
    slope_albedo: float


def measure(objects: Sequence[Object], parameters: Retinex) -> Iterator[Figures]:
    """The figures of every method, the photo itself first; where strengths are drawn, at the largest."""
    parameters = parameters.model_copy(update={"strength": max(parameters.strengths)})
    baseline = _on_objects(objects, _color_retinex).lmse if objects else None
    for name, method in _methods(parameters):
        yield _figures(name, method, objects, baseline)


def _methods(parameters: Retinex) -> Iterator[tuple[str, Extract]]:
    yield "identity", lambda rgb, _: decode(rgb)
    yield COLOR_RETINEX, _color_retinex
    names: tuple[AlbedoMethod, ...] = ("msr_classic", "retinex_fast", "retinex")
    for name in names:
        yield name, _ours(name, parameters)


def _ours(method: AlbedoMethod, parameters: Retinex) -> Extract:
    return lambda rgb, alpha: decode(extract(with_alpha(rgb, alpha), parameters, method).image)


def _color_retinex(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Linear:
    return color_retinex(decode(rgb), alpha > 127)


def _figures(name: str, method: Extract, objects: Sequence[Object], baseline: float | None) -> Figures:
    mit = _on_objects(objects, method) if objects else None
    soft, hard = (_on_portraits(method, hard=hard) for hard in (False, True))
    return Figures(
        method=name,
        mit_lmse=mit.lmse if mit else None,
        mit_lmse_ratio=mit.lmse / baseline if mit and baseline else None,
        mit_si_mse=mit.si_mse if mit else None,
        mit_slope_shading=mit.slopes.shading if mit else None,
        mit_slope_albedo=mit.slopes.albedo if mit else None,
        portrait_lmse=soft.lmse,
        portrait_si_mse=soft.si_mse,
        portrait_inconsistency=soft.inconsistency,
        hard_lmse=hard.lmse,
        hard_inconsistency=hard.inconsistency,
        chroma_error_deg=soft.chroma,
        slope_shading=soft.slopes.shading,
        slope_albedo=soft.slopes.albedo,
    )


@dataclass(frozen=True)
class _Means:
    lmse: float
    si_mse: float
    slopes: Slopes
    chroma: float = 0.0
    inconsistency: float = 0.0


def _on_objects(objects: Sequence[Object], method: Extract) -> _Means:
    lmse, si_mse, found = [], [], []
    for each in objects:
        # A photo is exposed; the objects' images are as dark as they came.
        image = np.minimum(each.image / np.quantile(each.image[each.mask], 0.999), 1).astype(np.float32)
        estimate = _gray(method(encode(image), np.where(each.mask, 255, 0).astype(np.uint8)))
        true = _gray(each.albedo)
        lmse.append(grosse_score(true, each.shading, estimate, _gray(image), each.mask))
        si_mse.append(scale_invariant_error(true, estimate, each.mask))
        found.append(slopes(estimate, true, each.shading, each.mask))
    return _Means(fmean(lmse), fmean(si_mse), _mean(found))


def _on_portraits(method: Extract, *, hard: bool) -> _Means:
    lmse, si_mse, found, chroma, apart = [], [], [], [], []
    for pair in pairs(hard=hard):
        one, other = (method(person.rgb, person.alpha) for person in pair)
        apart.append(inconsistency(_gray(one), _gray(other), pair[0].inside))
        for person, estimate in [*zip(pair, (one, other), strict=True)][1 if hard else 0 :]:
            true = _gray(person.albedo)
            lmse.append(grosse_score(true, person.shading, _gray(estimate), _gray(decode(person.rgb)), person.inside))
            si_mse.append(scale_invariant_error(true, _gray(estimate), person.inside))
            found.append(slopes(_gray(estimate), true, person.shading, person.inside))
            chroma.append(chroma_error(estimate, person.albedo, _colored(person)))
    return _Means(fmean(lmse), fmean(si_mse), _mean(found), fmean(chroma), fmean(apart))


def _colored(person: Portrait) -> NDArray[np.bool_]:
    return person.inside & (person.rgb.min(axis=2) > DARK)


def _gray(image: Linear) -> Linear:
    return image.mean(axis=2, dtype=np.float32)


def _mean(found: list[Slopes]) -> Slopes:
    return Slopes(fmean(each.shading for each in found), fmean(each.albedo for each in found))
