"""The numbers that shading draws, for the families that use it; a family's own stand in its module."""

from relight_assets.stages.metric import (
    FLAG,
    KELVIN,
    SHARE,
    SIGNED,
    Metric,
    list_of,
    number,
)

_SIZES = number(0, 10)

AMBIENT = Metric("ambient", SHARE, "Ambient share of the light, linear")
WRAP = Metric("wrap", SHARE, "Wrap of the key light")
KEY_TEMPERATURE = Metric("key_temperature", KELVIN, "Colour temperature of the key light", "kelvin")
KEY_TINT = Metric("key_tint", SHARE, "Saturation of the key light's colour")
AMBIENT_TEMPERATURE = Metric("ambient_temperature", KELVIN, "Colour temperature of the ambient light", "kelvin")
LAMP_COLOR = Metric("lamp_color", list_of(number(0, 20), 3, 3), "Linear RGB of a lamp that is no black body")
SELF_SHADOW = (
    Metric("self_shadow", FLAG, "The head casts a shadow on itself"),
    Metric("lamp_size", SHARE, "Angular half size of the lamp", "radians"),
)
HAS_PATTERN = Metric("has_pattern", FLAG, "A pattern stands between light and person")

KEY_AND_AMBIENT = (
    Metric("key_share", SHARE, "Share of the key light against fill"),
    WRAP,
    KEY_TEMPERATURE,
    KEY_TINT,
    AMBIENT_TEMPERATURE,
    Metric("ambient_tint", SHARE, "Saturation of the ambient light's colour"),
)

UP_TO_0_2 = (
    Metric("falloff", number(0.5, 4), "Exponent of the key against the angle of incidence (up to 0.2)"),
    Metric("fill_lights", list_of(number(-90, 360), 2, 4), "Azimuth and elevation of fill (up to 0.2)", "degrees"),
    Metric("fill_sizes", list_of(SHARE, 1, 2), "Relative brightness of each fill light (up to 0.2)"),
    Metric("fill_damping", list_of(SHARE, 2, 4), "Damping of each fill light's harmonics (up to 0.2)"),
)
"""Of soft lights in the records of earlier versions."""

PATTERN = (
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
    Metric("pattern_bar", SHARE, "Width of the bars of a window or a door", "subject size"),
    Metric("pattern_width", _SIZES, "Width of a pattern of the user's own", "subject size"),
    Metric("pattern_corner", list_of(SHARE, 2, 2), "Point of the pattern that lies over the head's middle"),
)
"""Of :mod:`relight_assets.stages.degraded.shading.shadow_patterns`."""

PENUMBRA = (
    Metric("penumbra", SHARE, "Width of the shadow's edge", "subject size"),
    Metric("penumbra_widening", number(1, 10), "Factor by which the edge widens across the image"),
)
"""Of its edges."""

LAMP = (
    AMBIENT,
    *KEY_AND_AMBIENT,
    *SELF_SHADOW,
)
"""Of :mod:`relight_assets.stages.degraded.shading.lamp`."""

HIGHLIGHT = (
    Metric("roughness", SHARE, "GGX roughness of the skin"),
    Metric("shininess", number(0, 2000), "Roughness as a Phong exponent"),
    Metric("highlight_half_angle", number(0, 90), "Half angle of the lamp as the highlight shows it", "degrees"),
    Metric("skin_texture", SHARE, "Root mean square of the slope of the skin's texture"),
    Metric("skin_oil", SHARE, "How much all skin shines, over forehead and nose"),
    Metric("highlight_temperatures", list_of(KELVIN, 1, 2), "Colour temperature of each lamp", "kelvin"),
    Metric("highlight_lights", list_of(SIGNED, 3, 6), "Unit vectors to the lamps, one after the other"),
    Metric("specular_gain", number(0, 3), "Gain over the physical lobe of skin"),
)
"""Of :mod:`relight_assets.stages.degraded.shading.highlights`."""
