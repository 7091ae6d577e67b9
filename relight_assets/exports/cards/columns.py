"""What the columns of samples.csv mean, in a sentence each."""

from collections.abc import Mapping
from functools import cache

from relight_assets.exports.rows.labels import FIRST, metric_columns

_AZIMUTH = "Degrees around the person from the camera, positive to the picture's right: {light}"
_ELEVATION = "Degrees above the camera, negative below it: {light}"
_WORD = "Where it stands, in words: {light}"
_LIGHTS = {
    "light": "the drawn light of the condition",
    "photo_light": "the photo's own light, where it was measured reliably",
    "target_light": "the drawn light of the target, where it has one",
}
_PLACES = {"azimuth_deg": _AZIMUTH, "elevation_deg": _ELEVATION, "direction_word": _WORD}
_MEANINGS: Mapping[str, str] = {
    "stem": "Name of the pair's files: its number in six digits; what reads it as a number loses the zeros",
    "split": "Split that the pair belongs to",
    "image_path": "Photo as the CSV names it",
    "number": "Number of the photo in its split",
    "variant": "Which of the photo's variants it is, from 0",
    "target": "File that a model learns to produce",
    "condition": "File that a model receives",
    "mask": "File that shows the person, 8-bit gray",
    "foreground": "File of the cut-out person, as it lay where the export was made",
    "albedo": "File of the person's colors without shading, as it lay where the export was made",
    "width": "Width of the pictures in pixels",
    "height": "Height of the pictures in pixels",
    "source_sha256": "sha256 of the photo's file",
    "target_sha256": "sha256 of the file that the target is made of",
    "condition_sha256": "sha256 of the file that the condition is made of",
    "family": "Family of the drawn light",
    "target_variant": "Which of the photo's variants the target shows, where it shows one",
    "target_family": "Family of the light that the target shows, where that is a drawn one",
    "quality": "0 to 1: .5 where each metric of the pair lies at its default bound",
    "caption": "Text for the pair",
    "caption_source": "Where the text comes from",
    "licence": "Licence of the photo as the CSV gives it",
    "seed": "Seed of the recipe",
    "package_version": "Version of relight_assets that made the pair",
    **{f"{light}_{place}": text.format(light=of) for light, of in _LIGHTS.items() for place, text in _PLACES.items()},
}


@cache
def meanings() -> Mapping[str, str]:
    """The meaning of every column, in the order of the table."""
    metrics = {
        column: f"{metric.meaning}{f' ({metric.unit})' if metric.unit else ''}"
        for column, metric in metric_columns().items()
    }
    return {**{name: _MEANINGS[name] for name in FIRST}, **metrics}
