"""What the stage `albedo` records of a person."""

from relight_assets.stages.albedo.evaluation.albedo_tags import MEANINGS
from relight_assets.stages.metric import FLAG, PIXELS, RATIO, SHARE, Metric, number, one_of

METRICS = (
    Metric("method", one_of("retinex", "retinex_fast", "msr_classic", "learned"), "Albedo method", required=True),
    Metric("surround", one_of("edge_aware", "gaussian"), "Surround of the retinex"),
    Metric("strength", SHARE, "Drawn share of the shading that is removed"),
    Metric("color_strength", SHARE, "Share of coloured light that is removed"),
    Metric("gain", number(0, 1000), "Factor that restores the median brightness; 1 where the face is its own anchor"),
    Metric("shading_spread", number(0, 100), "Standard deviation of the removed shading", "nepers"),
    Metric("subject_size", PIXELS, "Root of the person's area", "pixels"),
    Metric(
        "skin_against_rest",
        number(-64, 64),
        "By how much the face's skin became lighter against the rest of the person",
        "stops",
        null=True,
    ),
    Metric(
        "mid_contrast",
        RATIO,
        "Contrast of the face's skin (pores, stubble, wrinkles) over the photo's; 1 = all is kept, 0 = painted flat",
        null=True,
    ),
    Metric(
        "own_light_left",
        number(-10, 10),
        "Share of the photo's light on the shape of the face that is left; null where the shape tells no light",
        null=True,
    ),
    Metric(
        "chroma_step",
        number(0, 64),
        "Change of color of the skin at the outline of the face mesh, beyond the photo's",
        "nepers",
        null=True,
    ),
    Metric(
        "highlight_left",
        RATIO,
        "Share of the highlights on the face's skin that is left; null where there were none",
        null=True,
    ),
    Metric("dark_lift", number(-64, 64), "By how much dark hair and cloth became lighter", "stops", null=True),
    Metric("newly_clipped", SHARE, "Share of the person that is clipped and was not in the photo", null=True),
    Metric("face_chroma", RATIO, "CIE chroma of the face's skin over the photo's", null=True),
    *(Metric(name, FLAG, meaning) for name, meaning in MEANINGS.items()),
)
