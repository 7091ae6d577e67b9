"""The recipe's sections for masks: SAM3's options, and which photos are rejected."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from relight_assets.config.recipe.types import Interval, Part, Unit, ends, number

Persons = Literal["largest", "union", "reject"]
PersonRule = Literal["face_or_body", "face", "score"]


ANY_OWN_LIGHT = 10.0
"""The bound of own light under which every photo is taken."""


class Sam3(Part):
    """Options of the SAM3 segmenters."""

    text_prompt: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "person"
    """What to segment, in words."""
    min_score: Unit = 0.5
    """Candidates below are no persons."""


class Masks(Part):
    """The gate before everything else: is there a person to relight?"""

    min_score: Unit = 0.96
    """Mean probability inside the mask that tells a person; used by `photo_qa.person: score` alone."""
    min_coverage: Unit = 0.05
    """Share of the photo that the person must cover."""
    persons: Persons = "largest"
    """Of several persons: the largest, all of them, or none (the row is rejected).

    The embedded segmenter does not tell persons apart: of its mask each separate part counts as one.
    """


class PhotoQa(Part):
    """Photos that would teach the wrong thing are rejected, each with its reason."""

    person: PersonRule = "face_or_body"
    """What shows a person: a face or a body; a face alone; or any face or `masks.min_score`, as before 0.3.

    Of a segmenter that tells persons apart, what it found is one, unless `face` asks for more.
    """
    min_face_presence: Annotated[float, number(-100, 100)] = 12.0
    """Logit of the face network that a face must be above: portraits have 14 and more, animals and toys up to 10."""
    sure_mask: tuple[Unit, Unit] = (0.98, 0.2)
    """A body is where the mask's score and the pose detector's are at least these two: the mask is the sure one."""
    sure_pose: tuple[Unit, Unit] = (0.9, 0.65)
    """Or at least these two: the pose detector is the sure one."""
    max_roll: Annotated[float, number(0, 180)] = 60.0
    """Degrees by which the head may be rolled in the plane of the photo; 180 takes all."""
    face_proportions: Annotated[Interval, ends(0, 10)] = (0.87, 1.25)
    """Width over height of the face, 1 = the usual one, outside of which the photo was squashed."""
    negatives: Literal["reject", "take"] = "reject"
    """Photos whose face shows only once the colours are inverted."""
    max_coverage: Unit = 0.95
    """Share of the photo that the person may cover."""
    min_subject: Annotated[float, number(0, 16384)] = 96.0
    """Root of the person's area, pixels."""
    min_face: Annotated[float, number(0, 16384)] = 48.0
    """Half of the face's height, pixels, where there is a face."""
    max_soft_edge: Unit = 0.12
    """Share of the photo in which the mask may be neither 0 nor 1."""
    max_undecided: Unit = 0.015
    """Share of the person's area that may be person or background, which have the same colours there: of 23 portraits
    one has more, a small head in a group."""
    max_face_clipped: Unit = 0.08
    """Share of the face with two channels or all at 254 or 255: what cannot be recovered."""
    min_lightness: Annotated[float, number(0, 100)] = 9.0
    """Median CIE L* of the face, or of the person where there is none."""
    min_sharpness: Annotated[float, number(0, 100)] = 0.006
    """Variance of the Laplacian over that of the photo, of the face or of the person, at 256 pixels at most."""
    monochrome: Literal["reject", "take"] = "reject"
    """Black and white photos, and those toned in one color, such as sepia."""
    max_own_light: Annotated[float, number(0, ANY_OWN_LIGHT)] = 0.8
    """Share of the photo's own light on the face that may be left in the albedo; 10 takes every photo."""
    min_light_contrast: Annotated[float, number(0, 10)] = 0.0
    """Spread of the light on the face or on the person, stops; 0 takes every light."""
