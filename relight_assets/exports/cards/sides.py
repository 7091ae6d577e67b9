"""What the pictures of a pair show, in words, for one set of options."""

from collections.abc import Mapping

from relight_assets.config.datasets.exports import ExportOptions

_TARGETS: Mapping[str, str] = {
    "photo": "the photo as it was taken",
    "photo_on_gray": "the person of the photo on gray (#808080), in the light of the photo",
    "albedo": "the colors of the person without shading, on gray (#808080)",
    "no_gobo": "the person of the photo under the same light without its shadow pattern",
    "variant": "the person of the photo under another drawn light",
}
_TASKS: Mapping[str, str] = {
    "photo": "take the drawn light off the person and give back the light of the photo",
    "photo_on_gray": "take the drawn light off the person and give back the light of the photo",
    "albedo": "take all light off the person",
    "no_gobo": "take the shadow pattern out of a drawn light",
    "variant": "change one drawn light of the person into another",
}
_BACKGROUNDS: Mapping[str, str] = {
    "as_made": "on the background of the recipe: {made}",
    "gray": "on gray (#808080)",
    "original": "on the background of the photo",
}
MASK = "where the person is, 8-bit gray: 0 is background, 255 the person, values between are hair and edges"


def target_of(options: ExportOptions, made: str) -> str:
    """What the target shows.

    Args:
        options: of the export.
        made: the background of the composites.
    """
    if options.direction == "degrade":
        return _degraded(options, made)
    behind = f", {_behind(options, made)}" if options.targets_a_light else ""
    return f"{_TARGETS[options.target]}{behind}"


def condition_of(options: ExportOptions, made: str) -> str:
    """What the condition shows; as :func:`target_of`."""
    return _TARGETS[options.target] if options.direction == "degrade" else _degraded(options, made)


def task_of(options: ExportOptions) -> str:
    """What a model learns from the pairs."""
    return "put a drawn light on the person" if options.direction == "degrade" else _TASKS[options.target]


def size_of(options: ExportOptions) -> str:
    """How large the pictures are."""
    if options.resolution == "source":
        return "The pictures have the size of the photo"
    reduced = (
        f"were reduced to at most {options.resolution} pixels on the longest side, and "
        if options.resolution != "crop"
        else ""
    )
    return f"The pictures {reduced}were cropped around the person to sides that are multiples of {options.multiple_of}"


def _degraded(options: ExportOptions, made: str) -> str:
    return f"the person of the photo under a drawn light, {_behind(options, made)}"


def _behind(options: ExportOptions, made: str) -> str:
    return _BACKGROUNDS[options.background].format(made=made)
