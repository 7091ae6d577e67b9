"""What the stage `degraded` records of each light: every number that was drawn, and what was measured."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from relight_assets.config.recipe.degradation import family_names
from relight_assets.config.recipe.variants import MAX_VARIANTS
from relight_assets.stages.degraded.families.registry import families, second_names
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import SECOND, Attribute
from relight_assets.stages.degraded.shading.metrics import HAS_PATTERN
from relight_assets.stages.metric import (
    COUNT,
    FLAG,
    HEX,
    RATIO,
    SHARE,
    SIGNED,
    TEXT,
    UNIT_VECTOR,
    Metric,
    list_of,
    number,
    object_of,
    one_of,
    registered_name,
    whole,
)


def _second_family_names() -> tuple[str, ...]:
    """The families that can be added to another's light; "" for none."""
    return ("", *second_names())


MEASURED = (
    Metric("identity", SIGNED, "Correlation of the gradients of log luminance, before and after"),
    Metric("strength", number(0, 64), "Standard deviation of the change of light", "stops"),
    Metric("exposure", number(-64, 64), "Mean of the change of light", "stops"),
    Metric("lit_exposure", number(-64, 64), "Upper quartile of the change of light", "stops"),
    Metric("clipping", SIGNED, "Share of the person that is clipped, beyond the photo's own"),
    Metric("crushed", SIGNED, "Share of the person that is black, beyond the photo's own"),
    Metric("chroma", number(0, 180), "Mean angle between the colours of albedo and photo", "degrees"),
    Metric("rim", RATIO, "Brightness of the outermost band against the next, over the photo's own"),
    Metric("recomposition", whole(0, 255), "Largest difference of foreground over background from the photo", "levels"),
    Metric("comb", number(-4, 4), "How jagged the histogram of the dark half is, beyond the photo's own"),
    Metric("red_green", number(-16, 16), "Change of ln of mean red over mean green, linear, over the person"),
    Metric("blue_green", number(-16, 16), "Change of ln of mean blue over mean green, linear, over the person"),
    Metric("saturation", SIGNED, "Change of the person's mean saturation, display values"),
    Metric("shadow_contrast", number(-64, 64), "Change from the tenth percentile of luminance to the median", "stops"),
    Metric("light_contrast", number(-64, 64), "Change from the median to the ninetieth percentile", "stops"),
    Metric("black_speckle", number(0, 1), "Share of the albedo's black that has become light specks"),
)

VARIANT_KIND = (
    "What the variant is: a drawn light, a mix of photo and light, a light without its pattern, or the same picture as "
    "the light's, which has none"
)
LIGHT = (
    Metric("degradation_type", registered_name(family_names), "Family of light", required=True),
    Metric("light_direction", UNIT_VECTOR, "Toward the key light", required=True),
    Metric("mixed_with", registered_name(_second_family_names), "Second family", required=True),
    Metric("exposure", number(-4, 4), "Drawn exposure", "EV", required=True),
    Metric("white_balance", list_of(number(-4, 4), 2, 2), "Drawn ln R/G and ln B/G against the photo"),
    Metric("contrast", list_of(number(-8, 8), 2, 2), "Drawn contrast of shadows and lights against the photo", "stops"),
    Metric("exposure_gain", RATIO, "Gain on the light", required=True),
    Metric("channel_gains", list_of(RATIO, 3, 3), "Gains on red, green and blue light, exposure included"),
    Metric("tone_curve", list_of(number(-64, 64), 3, 3), "Middle tone (log2 of linear light), odd and even part"),
    Metric("strength", number(0, 64), "Standard deviation of the change of light", "stops", required=True),
    Metric("strength_tries", whole(1, 6), "Strengths that were drawn", required=True),
    Metric("face_light", number(0, 64), "Standard deviation of the light over the skin of the face", "stops"),
    Metric("skin_chroma", number(0, 100), "Chroma of lit skin over that of the albedo"),
    Metric("skin_hue", number(-180, 180), "How far the hue of lit skin is turned, positive toward yellow", "degrees"),
    Metric("lights_drawn", whole(1, 5), "Lights that were drawn until one was strong enough and had no defect"),
    Metric("artifact_score", RATIO, "Worst defect of the light, over its limit; a flat face is one"),
    Metric(
        "mask_rim",
        RATIO,
        "Slope of the light across the face mesh's outline, over beside it",
        null=True,
        required=True,
    ),
    Metric("has_specular", FLAG, "There are highlights", required=True),
    Metric("catch_lights", COUNT, "Eyes that mirror the lamp"),
    Metric(
        "eye_overlap",
        list_of(SHARE, 0, 10_000),
        "Of each eye with a catch-light in the photo: share of its brightest pixels that stay the brightest",
    ),
    Metric("geometry", TEXT, "Source of the shape", required=True),
    Metric("geometry_faces", COUNT, "Face meshes in the shape", required=True),
    Metric("source_light_direction", UNIT_VECTOR, "Toward the photo's own light", null=True, required=True),
    Metric(
        "source_light_reliability",
        SHARE,
        "Reliability of `source_light_direction`: probability that the light stands within 25 degrees of it",
        required=True,
    ),
    Metric(
        "source_light_softness",
        SHARE,
        "Share of what comes from all around in the photo's own light on the face; 0 is one lamp in the dark",
        null=True,
    ),
    Metric("source_light_softness_reliability", SHARE, "Reliability of it: probability that it is within .15"),
    Metric(
        "source_light_warmth",
        number(-16, 16),
        "Ln R/B of the photo's key light over that of its fill, positive where the key is warmer",
        null=True,
    ),
    Metric("source_light_warmth_reliability", SHARE, "Reliability of `source_light_warmth`"),
    Metric(
        "light_angle_deg",
        number(0, 180),
        "Angle between the drawn light and the photo's own",
        "degrees",
        null=True,
        required=True,
    ),
    Metric("varied", one_of(*(each.value for each in Attribute)), "In what alone the lights of the photo differ"),
    Metric("variant_kind", one_of("light", "mix", "no_gobo", "same"), VARIANT_KIND),
    Metric("variant_of", whole(1, MAX_VARIANTS), "Number of the light that a mix or a light without its pattern is of"),
    Metric("amount", SHARE, "Share of the light in a mix with the photo, linear"),
    Metric("no_gobo", whole(1, MAX_VARIANTS), "Number of the variant that is this light without its pattern"),
    Metric("patterns_sha256", HEX, "sha256 of the user's own patterns"),
    Metric("environments_sha256", HEX, "sha256 of the user's own panoramas"),
    Metric("metrics", object_of("Measured", MEASURED), "Metrics of the image, measured at 256 pixels"),
    replace(HAS_PATTERN, required=True),
)
"""Of every light, whatever its family."""


def metrics() -> tuple[Metric, ...]:
    """Of one light, of whatever family there is.

    With ``variants: N`` the stage's numbers are ``{"variants": [...]}``, one of these for each light.

    Raises:
        ValueError: two families declare different metrics under one name.
    """
    return _gathered(families())


@cache
def _gathered(families: tuple[LightFamily, ...]) -> tuple[Metric, ...]:
    seconds = (
        replace(each, name=f"{SECOND}{each.name}", meaning=f"{each.meaning} (second family)")
        for family in families
        for each in family.second_metrics
    )
    return _each_once([*LIGHT, *(each for family in families for each in family.metrics), *seconds])


def _each_once(declared: Iterable[Metric]) -> tuple[Metric, ...]:
    found: dict[str, Metric] = {}
    for metric in declared:
        if found.setdefault(metric.name, metric) != metric:
            raise ValueError(f"`{metric.name}` is declared twice, as different metrics")
    return tuple(found.values())
