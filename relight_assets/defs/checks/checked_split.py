"""What checks work on: a split, its staged mapping, and one pass over its records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import Warn
from relight_assets.engine.publish import StagedMapping
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.duplicates.pairs import Photo, photos_at
from relight_assets.quality.sample import Sample
from relight_assets.quality.statistics import SplitStatistics, Spread


@dataclass(frozen=True)
class SplitRecords:
    """What the checks need of the records of a split, of one pass over them."""

    sample: Sample
    """The images that the statistics are of."""
    statistics: SplitStatistics
    photos: list[Photo]

    @classmethod
    def of(cls, state: SplitState) -> "SplitRecords":
        """Read the records of a split."""
        split, images = state.split.split, state.by_number()
        sample = Sample.of(number for number, image in images.items() if image.recorded)
        found = cls(sample, SplitStatistics(), [])
        for one in recorded_images(state.layout, (image for number, image in images.items() if number in sample)):
            found.statistics.add(one)
            found.photos.append(Photo.of(split, one.record))
        others = (number for number, image in images.items() if image.recorded and number not in sample)
        found.photos.extend(photos_at(split, state.layout, others))
        found.photos.sort(key=lambda photo: photo.index)
        return found


@dataclass(frozen=True)
class CheckedSplit:
    """What a check is given."""

    state: SplitState
    loaded: LoadedRecipe
    settings: Settings
    mapping: StagedMapping
    before: Mapping[str, Spread]
    """How the split's metrics were at the last materialization."""
    warn: Warn
    records: Callable[[SplitState], SplitRecords]

    @property
    def photos(self) -> Sequence[Photo]:
        """Of all images that have a record, by their numbers."""
        return self.records(self.state).photos
