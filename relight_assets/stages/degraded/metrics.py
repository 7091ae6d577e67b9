"""What the stage `degraded` records of each light: every number that was drawn, and what was measured."""

from dataclasses import replace

from relight_assets.config.recipe.degradation import family_names
from relight_assets.stages.degraded.families.registry import second_names
from relight_assets.stages.metric import (
    COUNT,
    FLAG,
    HEX,
    KELVIN,
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


_PATTERNS = one_of("none", "foliage", "blinds", "window", "edge", "blob", "lattice", "custom")
_SIZES = number(0, 10)

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
)

_SHADOW = (
    Metric("has_pattern", FLAG, "A pattern stands between light and person"),
    Metric("pattern_type", _PATTERNS, "Kind of pattern"),
    Metric("pattern_file", TEXT, "File name of a pattern of the user's own"),
    Metric("pattern_rotation", number(0, 360), "Rotation of the pattern", "degrees"),
    Metric("pattern_tilt", SIGNED, "Perspective tilt of the pattern", "1 / subject size"),
    Metric("pattern_offset", list_of(SIGNED, 2, 2), "Offset of the pattern from the head", "subject size"),
    Metric("pattern_coverage", SHARE, "Share of the person that the pattern covers"),
    Metric("pattern_face_coverage", SHARE, "Share of the head that the pattern covers"),
    Metric("pattern_wavelength", _SIZES, "Wavelength of leaves and blobs", "subject size"),
    Metric("pattern_periods", list_of(_SIZES, 1, 2), "Period of stripes", "subject size"),
    Metric("pattern_phases", list_of(SHARE, 1, 2), "Phase of stripes", "periods"),
    Metric("pattern_bend", SHARE, "Bend of the pattern's lines", "subject size"),
    Metric("pattern_size", list_of(_SIZES, 2, 2), "Width and height of a window", "subject size"),
    Metric("pattern_panes", list_of(number(1, 10), 2, 2), "Panes of a window, across and down"),
    Metric("pattern_bar", SHARE, "Width of a window's bars", "panes"),
    Metric("pattern_width", _SIZES, "Width of a pattern of the user's own", "subject size"),
    Metric("pattern_corner", list_of(SHARE, 2, 2), "Point of the pattern that lies over the head's middle"),
    Metric("penumbra", SHARE, "Width of the shadow's edge", "subject size"),
    Metric("penumbra_widening", number(1, 10), "Factor by which the edge widens across the picture"),
    Metric("self_shadow", FLAG, "The head casts a shadow on itself"),
    Metric("lamp_size", SHARE, "Angular half size of the lamp", "radians"),
    Metric("subsurface", SHARE, "Distance that red bleeds into the shadow", "subject size"),
    Metric("shadow_coverage", SHARE, "Share of the person in shadow"),
    Metric("shadow_level", SHARE, "Umbra over lit, linear"),
)

_HIGHLIGHT = (
    Metric("roughness", SHARE, "GGX roughness of the skin"),
    Metric("shininess", number(0, 2000), "Roughness as a Phong exponent"),
    Metric("highlight_temperatures", list_of(KELVIN, 1, 2), "Colour temperature of each lamp", "kelvin"),
    Metric("highlight_lights", list_of(SIGNED, 3, 6), "Unit vectors to the lamps, one after the other"),
    Metric("specular_gain", number(0, 3), "Gain over the physical lobe of skin"),
)

METRICS = (
    Metric("degradation_type", registered_name(family_names), "Family of light", required=True),
    Metric("light_direction", UNIT_VECTOR, "Toward the key light", required=True),
    Metric("mixed_with", registered_name(_second_family_names), "Second family", required=True),
    Metric("exposure", number(-4, 4), "Drawn exposure", "EV", required=True),
    Metric("exposure_gain", RATIO, "Gain on the light", required=True),
    Metric("strength", number(0, 64), "Standard deviation of the change of light", "stops", required=True),
    Metric("strength_tries", whole(1, 6), "Strengths that were drawn", required=True),
    Metric("lights_drawn", whole(1, 5), "Lights that were drawn until one had no artifact"),
    Metric("artifact_score", RATIO, "Worst artifact of the light, over its limit"),
    Metric(
        "mask_rim",
        RATIO,
        "Slope of the light across the face mesh's outline, over beside it",
        null=True,
        required=True,
    ),
    Metric("has_specular", FLAG, "There are highlights", required=True),
    Metric("geometry", TEXT, "Source of the shape", required=True),
    Metric("geometry_faces", COUNT, "Face meshes in the shape", required=True),
    Metric("source_light_direction", UNIT_VECTOR, "Toward the photo's own light", null=True, required=True),
    Metric("source_light_reliability", SHARE, "Reliability of `source_light_direction`", required=True),
    Metric(
        "light_angle_deg",
        number(0, 180),
        "Angle between the drawn light and the photo's own",
        "degrees",
        null=True,
        required=True,
    ),
    Metric("patterns_sha256", HEX, "sha256 of the user's own patterns"),
    Metric("metrics", object_of("Measured", MEASURED), "Metrics of the picture, measured at 256 pixels"),
    Metric("ambient", SHARE, "Ambient share of the light, linear"),
    Metric("key_share", SHARE, "Share of the key light against fill"),
    Metric("wrap", SHARE, "Wrap of the key light"),
    Metric("falloff", number(0.5, 4), "Exponent of the key against the angle of incidence"),
    Metric("key_temperature", KELVIN, "Colour temperature of the key light", "kelvin"),
    Metric("key_tint", SHARE, "Saturation of the key light's colour"),
    Metric("ambient_temperature", KELVIN, "Colour temperature of the ambient light", "kelvin"),
    Metric("ambient_tint", SHARE, "Saturation of the ambient light's colour"),
    Metric("fill_lights", list_of(number(-90, 360), 2, 4), "Azimuth and elevation of each fill light", "degrees"),
    Metric("fill_sizes", list_of(SHARE, 1, 2), "Relative brightness of each fill light"),
    Metric("fill_damping", list_of(SHARE, 2, 4), "Damping of each fill light's first and second order harmonics"),
    *(replace(each, required=each.name == "has_pattern") for each in _SHADOW),
    *_HIGHLIGHT,
    *(
        replace(each, name=f"second_{each.name}", meaning=f"{each.meaning} (second family)")
        for each in (*_SHADOW, *_HIGHLIGHT)
    ),
)
"""Of one light.  With ``variants: N`` the stage's numbers are ``{"variants": [...]}``, one of these for each light."""
