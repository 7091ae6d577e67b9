"""What the stage `albedo` records of a person."""

from relight_assets.stages.metric import PIXELS, SHARE, Metric, number, one_of

METRICS = (
    Metric("method", one_of("retinex", "retinex_fast", "msr_classic", "learned"), "How it was found", required=True),
    Metric("surround", one_of("edge_aware", "gaussian"), "Of the retinex"),
    Metric("strength", SHARE, "Share of the shading that is taken out"),
    Metric("color_strength", SHARE, "Share of slow colour drifts that is taken out"),
    Metric("gain", number(0, 1000), "That brings the median brightness back"),
    Metric("shading_spread", number(0, 100), "Standard deviation of what was taken out", "nepers"),
    Metric("subject_size", PIXELS, "Root of the person's area", "pixels"),
)
