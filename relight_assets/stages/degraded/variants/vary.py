"""Lights of one photo that differ in one attribute: direction, softness, color, strength or pattern.

The first light is drawn as always.  The others are drawn again from the same streams, but for the parts of one
attribute, which come from streams of their own; the strength that was accepted, and the camera, stay.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe.family_options import Intensity
from relight_assets.core.rng import StreamWithout
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.exposure import draw_camera, seen_colors
from relight_assets.stages.degraded.light_sampler import Attribute, Streams
from relight_assets.stages.degraded.sampler import Draft, Relit, redrawn
from relight_assets.stages.degraded.tone_curve import levels

CANDIDATES = 3
"""Lights that are drawn for one variant; the one that is farthest from those before it is taken (best candidate
sampling: Mitchell, 1991), so that variants are seen to differ."""
INTENSITIES: tuple[Intensity, ...] = ("mild", "strong", "standard")
"""Of candidates that differ in strength: the range of one intensity is narrow."""


def varied(first: Relit, others: Sequence[Streams], order: Generator) -> tuple[Attribute, list[Relit]]:
    """Draw lights that differ from one, and from each other, in one attribute alone.

    Args:
        first: the light.
        others: the random streams of each further light.
        order: decides which attribute it is; another is taken where one gives no light that is strong enough.

    Returns:
        The attribute, and all lights, ``first`` among them.

    Raises:
        WeakPairError: no attribute gave lights that are strong enough.
    """
    names, weak = attributes_of(first), None
    for number in order.permutation(len(names)).tolist():
        try:
            return names[number], _along(names[number], first, others)
        except WeakPairError as error:
            weak = weak or error
    assert weak is not None  # noqa: S101  (every light has a color)
    raise weak


def attributes_of(light: Relit) -> list[Attribute]:
    """In what a light can be drawn again."""
    draft = light.draft
    found = draft.family.varies | (draft.second.varies if draft.second is not None else frozenset())
    found -= draft.sampled.fixed
    if not draft.has_pattern:
        found -= {Attribute.PATTERN}
    else:  # where the light comes from decides where a pattern fits
        found -= {Attribute.DIRECTION}
    # The camera's white balance is drawn for every light.
    return [each for each in Attribute if each in found | {Attribute.COLOR}]


def _along(attribute: Attribute, first: Relit, others: Sequence[Streams]) -> list[Relit]:
    lights, seen = [first], [_seen(first)]
    for streams in others:
        light = _farthest(attribute, first, streams, seen)
        lights.append(light)
        seen.append(_seen(light))
    return lights


def _farthest(attribute: Attribute, first: Relit, streams: Streams, seen: list[NDArray[np.float32]]) -> Relit:
    """Of a few candidates without a defect the farthest from all that were seen; of none such the least bad."""
    best: tuple[float, Relit] | None = None
    weak: WeakPairError | None = None
    for number in range(CANDIDATES):
        try:
            score, light = redrawn(_drawn_again(first, attribute, streams, number), first.attempt)
        except WeakPairError as error:
            weak = weak or error
            continue
        light = replace(light, numbers=light.numbers | {"artifact_score": score})
        rank = min(_distance(_seen(light), each) for each in seen) if score <= 1 else -score
        if best is None or rank > best[0]:
            best = rank, light
    if best is None:
        assert weak is not None  # noqa: S101  (a candidate was drawn)
        raise weak
    return best[1]


def _drawn_again(first: Relit, attribute: Attribute, streams: Streams, number: int) -> Draft:
    draft, own, camera = first.draft, first.draft.sampler.streams, first.draft.camera

    def mixed_streams(purpose: str) -> Generator:
        return StreamWithout(own(purpose), attribute, streams(f"{number}/{purpose}"))

    degradation = draft.sampler.degradation
    if attribute == Attribute.PATTERN:  # another one, not none
        degradation = degradation.with_patterns_alone()
    if attribute == Attribute.STRENGTH:
        degradation = degradation.changed_to(INTENSITIES[number % len(INTENSITIES)])
    if attribute == Attribute.COLOR:
        drawn = draw_camera(streams(f"{number}/camera"), degradation)
        camera = replace(camera, white_balance=drawn.white_balance)
    sampler = replace(draft.sampler, streams=mixed_streams, degradation=degradation)
    return Draft.of(sampler, (draft.family, draft.second), camera, draft.skin)


def _seen(light: Relit) -> NDArray[np.float32]:
    """The colors of the person's samples, (N, 3) levels."""
    return levels(seen_colors(light.draft.sampler.scene, light.seen))


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return math.sqrt(float(np.mean(np.square(one - other), dtype=np.float64)))
