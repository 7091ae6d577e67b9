"""The thresholds of finished images, none of which changes a pixel.

They stand in the section ``quality`` of ``config/platform.yaml``.
"""

from typing import Annotated

from pydantic import Field

from relight_assets.config.recipe.types import Interval, Part, Unit, ends, number

_STOPS = ends(0, 10)


class Quality(Part):
    """Thresholds of ``relight verify`` and of the check ``quality_thresholds``."""

    min_identity: Unit = 0.55
    """Correlation of an image's detail before and after."""
    min_identity_median: Unit = 0.80
    """The same, of the middle image of all."""
    strength_range: Annotated[Interval, _STOPS] = (0.2, 2.0)
    """Standard deviation of the change of light over a person, stops."""
    strength_median_range: Annotated[Interval, _STOPS] = (0.5, 1.3)
    """The same, of the middle image of all."""
    max_exposure: Annotated[float, number(0, 10)] = 1.0
    """Mean change of light over a person, up or down, stops."""
    max_clipping: Unit = 0.02
    """Share of a person that is clipped and was not in the photo."""
    max_clipping_mean: Unit = 0.005
    """The same, over all images."""
    max_crushed: Unit = 0.06
    """Share of a person that is black and was not in the photo."""
    max_chroma: Annotated[float, number(0, 90)] = 5.0
    """Mean angle between the colours of albedo and photo, degrees."""
    rim_range: Annotated[Interval, _STOPS] = (0.6, 1.7)
    """Brightness of the person's outermost band against the next one, over the photo's own."""
    max_recomposition: Annotated[int, Field(ge=0, le=255)] = 2
    """Difference of foreground over background from the photo, levels."""
    max_comb: Unit = 0.05
    """Jaggedness of the histogram's dark half beyond the photo's own; 1 is every second level empty."""
    max_black_speckle: Unit = 0.1
    """Share of what is black in the albedo that has become light specks."""
    min_person_evidence: Annotated[float, number(0, 10)] = 1.0
    """How strong the signs of a person must be; 1 is the least that the default `photo_qa.person` takes."""
    max_undecided: Unit = 0.015
    """Share of the person in which colors cannot tell person from background."""
    max_cutout_stairs: Unit = 0.04
    """Share of a cut-out's gradient that is a step where the photo shows none; true alphas have up to .027."""
    max_cutout_speckle: Annotated[float, number(1, 10)] = 1.15
    """How fine a cut-out's detail is, against the same at 1024 pixels; true alphas have 1."""
    max_cutout_see_through: Unit = 0.008
    """Half-transparent parts wider than any softness, as a share of the person; true alphas have up to .007."""
    max_cutout_rim: Unit = 0.25
    """How much of the background's color is in soft edges, on average over the images; true alphas have .10."""
    max_skin_against_rest: Annotated[float, number(0, 10)] = 0.2
    """By how much albedo makes skin lighter or darker against the rest of the person, stops: of 90 % of the images."""
    max_skin_against_rest_worst: Annotated[float, number(0, 10)] = 0.35
    """The same, of every image."""
    min_mid_contrast: Annotated[float, number(0, 10)] = 0.6
    """Contrast of the face's skin in the albedo over the photo's, of 95 % of the images: less is paint."""
    min_mid_contrast_median: Annotated[float, number(0, 10)] = 0.75
    """The same, of the middle image of all."""
    max_own_light_left_median: Annotated[float, number(0, 10)] = 0.5
    """Share of the photo's light on the face that is left in the albedo, of the middle image of all."""
    max_chroma_step: Annotated[float, number(0, 10)] = 0.08
    """Change of the skin's color at the outline of the face mesh, nepers, of 95 % of the images."""
    max_highlight_left_median: Annotated[float, number(0, 10)] = 0.4
    """Share of the highlights on the face that is left in the albedo, of the middle image of all."""
    max_dark_lift: Annotated[float, number(0, 10)] = 0.1
    """By how much albedo makes dark hair and cloth lighter, stops, of 95 % of the images."""
    max_newly_clipped: Unit = 0.01
    """Share of the person that is clipped in the albedo and was not in the photo, of 95 % of the images."""
    max_face_chroma_off: Annotated[float, number(0, 10)] = 0.1
    """By how much the chroma of the face differs from the photo's, as a share of it, of 95 % of the images."""
    max_eye_overlap_median: Unit = 0.2
    """Share of an eye's brightest pixels that stay the brightest under another light, of the middle eye of all."""
    max_mask_rim: Annotated[float, number(0, 10)] = 1.75
    """How steep the light is across the face mesh's outline, against the steeper side of it."""
    max_mask_rim_median: Annotated[float, number(0, 10)] = 1.2
    """The same, of the middle image of all."""
    max_inconsistency: Unit = 0.25
    """si-MSE between an image's albedos under two known lights, on average; without the albedo stage it is 0.35."""
    max_lit_apart: Annotated[float, number(0, 10)] = 0.35
    """How far the families' medians of lit exposure are apart, stops; with their means alike, more contrast is more."""
    max_tercile_worse: Unit = 0.15
    """By how much a third of all skins may be worse in the median than all are."""
    darker_range: Annotated[Interval, ends(0, 1)] = (0.4, 0.6)
    """Share of the degraded pictures that are darker than their photo."""
    max_exposure_median: Annotated[float, number(0, 10)] = 0.1
    """Mean change of light over a person, of the middle image of all, stops."""
    max_color_median: Annotated[float, number(0, 10)] = 0.03
    """Change of ln R/G and of ln B/G over a person, of the middle image of all."""
    max_contrast_median: Annotated[float, number(0, 10)] = 0.08
    """Change of the contrast of shadows and of lights over a person, of the middle image of all, stops."""
    max_tone_cue: Unit = 0.75
    """Share of pairs of which brightness, color and contrast of the whole person tell the photo; chance is 0.5."""
    min_variant_distance: Annotated[float, number(0, 10)] = 0.2
    """How far apart two variants of one image must be, stops (root of the mean square over the person)."""
    min_variants_apart: Unit = 0.95
    """Share of such pairs that must be so far apart."""

    def with_given(self, given: "Quality") -> "Quality":
        """These thresholds, and over them those that ``given`` was made with; its defaults do not count."""
        return self.model_copy(update={name: getattr(given, name) for name in given.model_fields_set})


DEFAULT_QUALITY = Quality()
