"""What is counted over the pairs of an export, one row of labels after the other."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from relight_assets.dataset.record_types import Record
from relight_assets.exports.base import Size
from relight_assets.exports.rows.best import third_bounds, third_of
from relight_assets.exports.rows.licences import NONE_GIVEN
from relight_assets.exports.rows.maker import Maker

_T = TypeVar("_T")
_NETWORKS = {
    "albedo_model": ("albedo_method", {"learned"}),
    "geometry_model": ("degraded_geometry", {"depth_model", "normals_model"}),
}
"""Where labels say that a network of the user's own had a part: the column and its values."""
UNKNOWN = "not known"
"""Of a light whose direction was not measured, or that has none, and of a value that a damaged record has lost."""


@dataclass
class Counts:
    """Counts of pairs by what their labels say.  Their size does not grow with the pairs, but for two numbers each."""

    pairs: int = 0
    licences: Counter[str] = field(default_factory=Counter)
    photos_by_licence: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    directions: Counter[str] = field(default_factory=Counter)
    """Of the drawn light, in words."""
    photo_directions: Counter[str] = field(default_factory=Counter)
    """Of the photo's own light, in words."""
    sizes: Counter[Size] = field(default_factory=Counter)
    captions: Counter[str] = field(default_factory=Counter)
    """By where they come from."""
    backgrounds: Counter[str] = field(default_factory=Counter)
    """Of the composites."""
    networks: Counter[str] = field(default_factory=Counter)
    """Of the user's own, by their names in the registry."""
    makers: Counter[Maker] = field(default_factory=Counter)
    _skins: Counter[tuple[float | None, str]] = field(default_factory=Counter)
    _numbers: set[int] = field(default_factory=set)

    @property
    def photos(self) -> int:
        """How many photos the pairs are made of."""
        return len(self._numbers)

    def add(self, record: Record, labels: Mapping[str, Any]) -> None:
        """Count a pair.

        Args:
            record: of its image.
            labels: its row in samples.csv.
        """
        licence = labels["licence"] or NONE_GIVEN
        family = labels["family"] or UNKNOWN
        self.pairs += 1
        self.licences[licence] += 1
        if record.index not in self._numbers:
            self._numbers.add(record.index)
            self.photos_by_licence[licence] += 1
        self.families[family] += 1
        self.directions[labels["light_direction_word"] or UNKNOWN] += 1
        self.photo_directions[labels["photo_light_direction_word"] or UNKNOWN] += 1
        self.sizes[labels["width"], labels["height"]] += 1
        self.captions[labels["caption_source"]] += 1
        self.backgrounds[labels["composites_background"] or UNKNOWN] += 1
        self.networks.update(name for name, (column, values) in _NETWORKS.items() if labels[column] in values)
        self.makers[Maker.of(record)] += 1
        self._skins[labels["masks_skin_lightness"], family] += 1

    def skin_thirds(self) -> list["SkinThird"]:
        """The thirds of the pairs by the lightness of the skin, the darkest first, then those without a face."""
        bounds = third_bounds(
            skin for (skin, _), count in self._skins.items() if skin is not None for _ in range(count)
        )
        thirds: dict[int | None, SkinThird] = {}
        for (skin, family), count in self._skins.items():
            third = thirds.setdefault(third_of(skin, bounds), SkinThird())
            third.families[family] += count
            if skin is not None:
                third.low, third.high = min(third.low, skin), max(third.high, skin)
        return [thirds[place] for place in (0, 1, 2, None) if place in thirds]


def ordered(counts: Counter[_T]) -> list[tuple[_T, int]]:
    """The most frequent first, equally frequent ones by their names."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


@dataclass
class SkinThird:
    """Pairs whose skins are in one third of the lightness."""

    families: Counter[str] = field(default_factory=Counter)
    low: float = float("inf")
    """The darkest skin, CIE L*; infinite where there is no face."""
    high: float = float("-inf")

    @property
    def has_skin(self) -> bool:
        """Whether skin was measured."""
        return self.high >= self.low
