"""What the stage `masks` records of a photo and its mask."""

from relight_assets.stages.masks.persons.evidence import KINDS
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
    one_of,
)

_ORIGIN = Metric(
    "origin",
    list_of(number(-1e6, 1e6), 2, 2),
    "x and y of the point that the others are counted from",
    "pixels",
    required=True,
)
_STEP = Metric("step", number(0, 1e6), "Unit of the points", "pixels", required=True)
_MESH = object_of(
    "FaceMesh",
    [
        _ORIGIN,
        _STEP,
        Metric("points", TEXT, "base64 of 468 x 3 little-endian int16: x, y, z", "steps", required=True),
    ],
)
_EYE = object_of(
    "Eye",
    [
        _ORIGIN,
        _STEP,
        Metric(
            "points",
            TEXT,
            "base64 of 21 x 2 little-endian int16, x and y: the iris's centre, four points of its outline, 16 around "
            "the opening",
            "steps",
            required=True,
        ),
    ],
)


METRICS = (
    Metric("score", SHARE, "Mean probability inside the mask; of SAM3 the first person's score", required=True),
    Metric("instance_scores", list_of(SHARE, 1, 10_000), "Score of each person that SAM3 found"),
    Metric("segmenter", TEXT, "Name of the segmenter", required=True),
    Metric("segmenter_sha256", TEXT, "sha256 of the segmenter's weights", required=True),
    Metric("coverage", SHARE, "Share of the photo that is the person", required=True),
    Metric("subject_size", PIXELS, "Root of the person's area", "pixels", required=True),
    Metric("soft_edge", SHARE, "Share of the photo in which alpha is neither 0 nor 1", required=True),
    Metric(
        "undecided",
        SHARE,
        "Thick doubt of the segmenter in which person and background have the same colors, as a share of the person",
    ),
    Metric("touches_top", SHARE, "Share of the upper edge that is the person", required=True),
    Metric("clipped", SHARE, "Share of the person's pixels with a channel at 0 or 255", required=True),
    Metric(
        "face_clipped",
        SHARE,
        "Share of the largest face's pixels with two or three channels at 254 or 255 (before code version 5: any)",
        null=True,
        required=True,
    ),
    Metric(
        "skin_lightness", number(0, 100), "Median lightness of the largest face", "CIE L*", null=True, required=True
    ),
    Metric("lightness", number(0, 100), "Median lightness of the person", "CIE L*", required=True),
    Metric("chroma", number(0, 200), "Mean chroma of the person", "CIE chroma", required=True),
    Metric(
        "color_spread",
        number(0, 200),
        "How far the person's colors are from one tint; null: there are too few",
        "CIE chroma",
        null=True,
    ),
    Metric("face_size", PIXELS, "Half of the largest face's height", "pixels", null=True, required=True),
    Metric(
        "sharpness",
        RATIO,
        "Variance of the Laplacian of the face, or of the person, over that of its luminance",
        null=True,
        required=True,
    ),
    Metric("light_contrast", number(0, 64), "Spread of the light on the skin of the face", "stops", required=True),
    Metric("second_person", FLAG, "There may be another person", required=True),
    Metric("truncated", FLAG, "The person is cut off at the top, or at both sides", required=True),
    Metric("padded", FLAG, "Padded by a mirror image that shows the person", required=True),
    Metric("monochrome", FLAG, "Black and white, or toned in one color", required=True),
    Metric("blocky", FLAG, "JPEG blocks are visible", required=True),
    Metric("rolled", FLAG, "The head is rolled by more than 30 degrees"),
    Metric("squashed", FLAG, "The face is unusually wide or narrow for its height"),
    Metric("negative", FLAG, "A face shows only once the colours are inverted"),
    Metric("head_roll", number(-180, 180), "Roll of the surest face, positive clockwise", "degrees", null=True),
    Metric("face_proportion", RATIO, "Width over height of the surest face, 1 = the usual one", null=True),
    Metric("shown_by", one_of(*KINDS), "What shows that there is a person"),
    Metric("pose_score", SHARE, "Score of the pose detector, where no sure face was found", null=True),
    Metric(
        "person_evidence",
        RATIO,
        "How strong the signs of a person are; 1 = the least that the default recipe takes",
        null=True,
    ),
    Metric("separated", FLAG, "Another person touched this one, and was removed from the mask"),
    Metric("second_look", FLAG, "The head was small, and the segmenter was asked again for head and shoulders alone"),
    Metric("cutout_stairs", SHARE, "Share of alpha's gradient that is a step where the photo shows none"),
    Metric("cutout_speckle", RATIO, "How fine alpha's detail is, against the same alpha at 1024 pixels; 1 = no finer"),
    Metric(
        "cutout_see_through",
        SHARE,
        "Parts that are half transparent over more than any softness, as a share of the person, at most 1",
    ),
    Metric(
        "cutout_rim",
        number(-1, 1),
        "How far half-transparent pixels go from the person's color (0) to the background's (1)",
    ),
    Metric("eyes", list_of(_EYE, 0, 10_000), "Points of each eye that is large enough, of surely found faces"),
    Metric("faces", COUNT, "Number of faces", required=True),
    Metric("face_meshes", list_of(_MESH, 0, 10_000), "Points of each face", required=True),
    Metric(
        "face_presence",
        number(-1e6, 1e6),
        "Logit of the face network for the largest face",
        "logit",
        null=True,
        required=True,
    ),
    Metric("fingerprint", HEX, "Perceptual (difference) hash of the photo", required=True),
)
