"""What the stage `albedo` records of a person."""

from relight_assets.stages.metric import PIXELS, SHARE, Metric, number, one_of

METRICS = (
    Metric("method", one_of("retinex", "retinex_fast", "msr_classic", "learned"), "Albedo method", required=True),
    Metric("surround", one_of("edge_aware", "gaussian"), "Surround of the retinex"),
    Metric("strength", SHARE, "Drawn share of the shading that is removed"),
    Metric("color_strength", SHARE, "Share of coloured light that is removed"),
    Metric("gain", number(0, 1000), "Factor that restores the median brightness; 1 where the face is its own anchor"),
    Metric("shading_spread", number(0, 100), "Standard deviation of the removed shading", "nepers"),
    Metric("subject_size", PIXELS, "Root of the person's area", "pixels"),
)
