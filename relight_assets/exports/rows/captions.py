"""Captions of the target, as far as its light was measured; nothing is said of what is not known.

The grammar is a fixed table: the same numbers give the same words, and no number of the condition's light is used.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.parsing.yaml_reader import read_yaml_mapping
from relight_assets.errors import ConfigError
from relight_assets.exports.base import Caption, CaptionSource

MIN_RELIABILITY = 0.5
"""Of the direction of the photo's light, from which words are given for it."""
SOFT, MODERATE = 0.45, 0.78
"""Contrast of the light over the face, stops: below it is soft, below moderate, else contrasty."""
HIGH, LOW = 25.0, -15.0
"""Elevation in degrees from which a light is high, or below which it is low."""
MISSING = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "-"})
"""Cells of a caption column, in lower case, that say that there is none: other tools write and read them so."""
STEEP = 60.0
"""Elevation in degrees beyond which a light has no side."""

WORDS: Mapping[str, str] = {
    "instruction": "Relight the person with {light}. Keep identity, expression, clothes and framing.",
    "light": "light",
    "soft": "soft",
    "moderate": "moderate",
    "contrasty": "contrasty",
    "front": "from the front",
    "front right": "from the front right",
    "right": "from the right",
    "back right": "from behind, on the right",
    "back": "from behind",
    "back left": "from behind, on the left",
    "left": "from the left",
    "front left": "from the front left",
    "above": "from above",
    "below": "from below",
    "high": "high",
    "low": "low",
}
"""What each part of a caption is in English."""
_SIDES = ("front", "front right", "right", "back right", "back", "back left", "left", "front left")


def caption_of(options: ExportOptions, words: Mapping[str, str], cell: str, light: "ShownLight | None") -> Caption:
    """The caption of a pair.

    Args:
        options: of the export.
        words: :data:`WORDS`, or a user's.
        cell: of the caption column; empty where there is none.
        light: what is known of the target's light; None where nothing may be said of it.
    """
    if options.caption == "none":
        return Caption("", "none")
    cell = " ".join(cell.split())
    text, source = _best(options, words, "" if cell.lower() in MISSING else cell, light)
    return triggered(options, text, source)


def triggered(options: ExportOptions, text: str, source: CaptionSource) -> Caption:
    """A caption with the trigger word before it."""
    return Caption(f"{options.trigger} {text}".strip(), source)


def _best(
    options: ExportOptions, words: Mapping[str, str], cell: str, light: "ShownLight | None"
) -> tuple[str, CaptionSource]:
    if cell and options.caption in {"auto", "column"}:
        return cell, "column"
    if options.caption in {"auto", "command", "measured"} and light is not None and (found := light.parts(words)):
        phrase = f"{found[0]} {words['light']}" if found[0] else words["light"]
        if options.form == "keywords":
            return ", ".join([phrase, *found[1:]]), light.source
        return words["instruction"].replace("{light}", f"{phrase} {', '.join(found[1:])}".strip()), light.source
    return options.caption_text, "fixed"


@dataclass(frozen=True)
class ShownLight:
    """What is known of the light that a target shows: measured of a photo, or drawn."""

    direction: tuple[float, float, float] | None
    """Unit vector toward it, x right, y down, z to the camera; None where it is not known."""
    reliability: float
    contrast: float | None
    """Over the face, stops; None where it is not known."""
    source: CaptionSource = "measured"

    @classmethod
    def of(cls, masks: Mapping[str, Any], degraded: Mapping[str, Any]) -> "ShownLight":
        """The photo's own, from the numbers of a record."""
        direction = degraded.get("source_light_direction")
        return cls(
            None if direction is None else (direction[0], direction[1], direction[2]),
            degraded.get("source_light_reliability") or 0.0,
            masks.get("light_contrast"),
        )

    @classmethod
    def drawn(cls, degraded: Mapping[str, Any]) -> "ShownLight":
        """A light of ours, from its numbers."""
        x, y, z = degraded["light_direction"]
        return cls((x, y, z), 1.0, None, "drawn")

    def parts(self, words: Mapping[str, str]) -> list[str]:
        """Its quality (empty where unknown), then words for its place; nothing where nothing is known."""
        quality = _quality(self.contrast)
        place = direction_words(self.direction) if self.direction and self.reliability >= MIN_RELIABILITY else []
        if not quality and not place:
            return []
        return [words[quality] if quality else "", *(words[word] for word in place)]


def _quality(contrast: float | None) -> str:
    if contrast is None:
        return ""
    return "soft" if contrast < SOFT else "moderate" if contrast < MODERATE else "contrasty"


def angles(direction: tuple[float, float, float]) -> tuple[float, float]:
    """Azimuth (0 = from the camera, positive to the picture's right) and elevation, in degrees."""
    x, y, z = direction
    return math.degrees(math.atan2(x, z)), math.degrees(math.asin(max(-1.0, min(1.0, -y))))


def direction_words(direction: tuple[float, float, float]) -> list[str]:
    """One of ten words for a direction, as seen in the picture; and whether it is high or low."""
    azimuth, elevation = angles(direction)
    if abs(elevation) >= STEEP:
        return ["above" if elevation > 0 else "below"]
    # Sides are eighths of a turn: 22.5 degrees to either side of the front are the front.
    side = _SIDES[math.floor((azimuth + 22.5) / 45) % 8]
    return [side, *(["high"] if elevation >= HIGH else ["low"] if elevation <= LOW else [])]


def read_words(path: Path | None) -> Mapping[str, str]:
    """The words of captions: :data:`WORDS`, and over them those of a user's YAML file.

    Raises:
        ConfigError: the file cannot be read, or has other keys or values than texts.
    """
    if path is None:
        return WORDS
    found = read_yaml_mapping(path)
    for key, value in found.items():
        if key not in WORDS:
            near = difflib.get_close_matches(str(key), WORDS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(WORDS)}"
            raise ConfigError(f"words: {path} has an unknown word `{key}`{hint}")
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"words: `{key}` in {path} must be a text")
    if "{light}" not in found.get("instruction", "{light}"):
        raise ConfigError(f"words: `instruction` in {path} must hold {{light}}")
    return {**WORDS, **found}
