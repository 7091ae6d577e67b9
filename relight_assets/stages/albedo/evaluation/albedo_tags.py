"""What a trainer may want to know of an albedo, and leave out or not: tags, which reject nothing."""

from collections.abc import Callable

from relight_assets.stages.albedo.evaluation.albedo_metrics import AlbedoMetrics

SKIN_SHIFT = 0.35
"""Stops by which skin may change against the rest of the person, up or down."""
FLAT = 0.6
"""Contrast of skin, over the photo's, below which it is paint."""
OWN_LIGHT = 0.8
"""Share of the photo's light above which all lights look alike."""
COLOR_SEAM = 0.08
"""Change of color at the face's outline that is seen as a seam, nepers."""
HIGHLIGHT = 0.5
"""Share of the highlights that is left."""
LIFT = 0.1
"""Stops by which dark hair and cloth may become lighter: more is fog."""
CLIPPED = 0.01
"""Share of the person that is clipped and was not in the photo."""
CHROMA_CHANGE = 0.1
"""By how much the chroma of the face may change, up or down, as a share of the photo's."""

MEANINGS = {
    "skin_shifted": "The face's skin became lighter or darker against the rest of the person",
    "skin_flattened": "Pores, stubble and wrinkles of the face are painted over",
    "own_light_kept": "The photo's own light is left on the face",
    "color_seam": "The skin changes color at the outline of the face mesh",
    "highlights_kept": "Highlights of the photo are left on the face",
    "dark_lifted": "Dark hair and cloth became lighter",
    "albedo_clipped": "Colors are clipped that were not in the photo",
    "skin_color_changed": "The face's skin became more or less colorful",
}
"""The tags, and what each says."""
NAMES = tuple(MEANINGS)

_BAD: dict[str, tuple[str, Callable[[float], bool]]] = {
    "skin_shifted": ("skin_against_rest", lambda stops: abs(stops) > SKIN_SHIFT),
    "skin_flattened": ("mid_contrast", lambda share: share < FLAT),
    "own_light_kept": ("own_light_left", lambda share: share > OWN_LIGHT),
    "color_seam": ("chroma_step", lambda step: step > COLOR_SEAM),
    "highlights_kept": ("highlight_left", lambda share: share > HIGHLIGHT),
    "dark_lifted": ("dark_lift", lambda stops: stops > LIFT),
    "albedo_clipped": ("newly_clipped", lambda share: share > CLIPPED),
    "skin_color_changed": ("face_chroma", lambda ratio: abs(ratio - 1) > CHROMA_CHANGE),
}
"""The metric of each tag, and when it is bad."""


def tags(found: AlbedoMetrics) -> dict[str, bool]:
    """Tag an albedo; what was not measured is not tagged."""
    values = {tag: getattr(found, metric) for tag, (metric, _) in _BAD.items()}
    return {tag: value is not None and _BAD[tag][1](value) for tag, value in values.items()}
