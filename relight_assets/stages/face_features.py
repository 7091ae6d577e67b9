"""Which points of the face mesh lie around eyes, brows and lips, which are not skin."""

EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
FEATURES = (*EYES, *BROWS, LIPS)
"""Points of the mesh around eyes, brows and lips."""
EDGE = 0.03
"""In units of the face's height: what is nearer to its outline, or to a feature, is not skin for certain."""
