"""The lights of a studio: each kind has a module in ``stages/degraded/studio``."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from relight_assets.config.recipe.families import Studio, StudioKinds
from relight_assets.core.rng import weighted
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight
from relight_assets.stages.degraded.shading.metrics import (
    AMBIENT,
    HIGHLIGHT,
    KEY_TEMPERATURE,
    KEY_TINT,
    LAMP_COLOR,
    PATTERN,
    PENUMBRA,
    SELF_SHADOW,
)
from relight_assets.stages.degraded.studio import back, front, gels, screen, sky, window
from relight_assets.stages.degraded.studio.colors import GEL_PAIRS, SCREENS
from relight_assets.stages.metric import FLAG, SHARE, SIGNED, TEXT, Metric, list_of, number, one_of

KINDS: Mapping[str, Callable[[LightSampler], SampledLight]] = MappingProxyType(
    {
        "back": back.sample,
        "gels": gels.sample,
        "screen": screen.sample,
        "sky": sky.sample,
        "ring": front.ring,
        "dish": front.dish,
        "window": window.sample,
    }
)
"""How each kind's light is drawn."""

_STUDIO = (
    Metric("studio_kind", one_of(*StudioKinds.model_fields), "Kind of studio light"),
    Metric("front_light", list_of(SIGNED, 3, 3), "Unit vector to the dim lamp in front, beside lamps behind"),
    Metric("rim_lights", list_of(SIGNED, 3, 6), "Unit vectors to the lamps behind, one after the other"),
    Metric("rim_colors", TEXT, "Their colours, in words"),
    Metric("rim_width", SHARE, "Width of the bright band along the silhouette", "subject size"),
    Metric("rim_gains", list_of(number(0, 10), 1, 2), "Light of the lamps behind over that in front"),
    Metric("rim_sheen", SHARE, "What the surface mirrors of them, over the luminance of the lit skin"),
    Metric("gels", one_of(*(pair.name for pair in GEL_PAIRS)), "Colours of two lamps"),
    Metric("gels_swapped", FLAG, "The first of these colours is that of the second lamp"),
    Metric("gel_saturation", SHARE, "How much of the gels' colours is left"),
    Metric("gel_balance", SHARE, "Light of the second lamp over that of the first"),
    Metric("second_lamp", list_of(SIGNED, 3, 3), "Unit vector to the second lamp"),
    Metric("screen", one_of(*SCREENS), "Kind of screen"),
    LAMP_COLOR,
    Metric("lamp_distance", number(0, 10), "Of a near lamp from the middle of the head", "heights of the head"),
    Metric("lamp_hole", SHARE, "Radius of the dark middle of a ring or a dish over that of the lamp"),
    Metric("lamp_bars", FLAG, "Eyes show the bars of a window"),
    Metric("sky_level", SHARE, "Light of the sky over that of the sun"),
    Metric("ground_level", SHARE, "Light of the ground over that of the sky"),
)


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the kind of light, and the light."""
    kind = weighted(sampler.streams("studio/kind"), sampler.degradation.studio.kinds.model_dump())
    return KINDS[kind](sampler)


FAMILY = LightFamily(
    "studio",
    Studio,
    sample,
    metrics=(*_STUDIO, AMBIENT, KEY_TEMPERATURE, KEY_TINT, *SELF_SHADOW, *HIGHLIGHT, *PATTERN, *PENUMBRA),
    takes_second=False,
    holds_lit_skin=True,
    remedy="lower `ambient_range`",
    varies=frozenset(Attribute) - {Attribute.PATTERN},
)
