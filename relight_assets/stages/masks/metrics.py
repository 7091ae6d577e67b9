"""What the stage `masks` records of a photo and its mask."""

from relight_assets.stages.metric import (
    COUNT,
    FLAG,
    HEX,
    PIXELS,
    RATIO,
    SHARE,
    TEXT,
    Metric,
    list_of,
    number,
    object_of,
)

_MESH = object_of(
    "FaceMesh",
    [
        Metric(
            "origin", list_of(number(-1e6, 1e6), 2, 2), "x and y that points are counted from", "pixels", required=True
        ),
        Metric("step", number(0, 1e6), "of which points are multiples", "pixels", required=True),
        Metric("points", TEXT, "base64 of 468 times x, y and z, int16", "steps", required=True),
    ],
)


METRICS = (
    Metric("score", SHARE, "Mean probability inside the mask; of SAM3 the first person's score", required=True),
    Metric("instance_scores", list_of(SHARE, 1, 10_000), "Of each person that SAM3 found"),
    Metric("segmenter", TEXT, "Its name", required=True),
    Metric("segmenter_sha256", TEXT, "Of its weights", required=True),
    Metric("coverage", SHARE, "Share of the picture that is the person", required=True),
    Metric("subject_size", PIXELS, "Root of the person's area", "pixels", required=True),
    Metric("soft_edge", SHARE, "Share of the picture in which alpha is neither 0 nor 1", required=True),
    Metric("touches_top", SHARE, "Share of the upper edge that is the person", required=True),
    Metric("clipped", SHARE, "Share of the person of which a channel is at its end", required=True),
    Metric("face_clipped", SHARE, "The same of the largest face", null=True, required=True),
    Metric("skin_lightness", number(0, 100), "Median of the largest face", "CIE L*", null=True, required=True),
    Metric("lightness", number(0, 100), "Median of the person", "CIE L*", required=True),
    Metric("chroma", number(0, 200), "Mean of the person", "CIE chroma", required=True),
    Metric("face_size", PIXELS, "Half of the largest face's height", "pixels", null=True, required=True),
    Metric("sharpness", RATIO, "Variance of the Laplacian over the face's own", null=True, required=True),
    Metric("light_contrast", number(0, 64), "How uneven the light on the face is", "stops", required=True),
    Metric("second_person", FLAG, "There may be another person", required=True),
    Metric("truncated", FLAG, "The person is cut off at the top, or at both sides", required=True),
    Metric("padded", FLAG, "Filled up by a mirror image, with the person in it", required=True),
    Metric("monochrome", FLAG, "Black and white", required=True),
    Metric("blocky", FLAG, "The squares of a JPEG show", required=True),
    Metric("faces", COUNT, "Faces that were found", required=True),
    Metric("face_meshes", list_of(_MESH, 0, 10_000), "Their points", required=True),
    Metric(
        "face_presence", number(-1e6, 1e6), "Of the largest face, by its network", "logit", null=True, required=True
    ),
    Metric("fingerprint", HEX, "Difference hash of the photo", required=True),
)
