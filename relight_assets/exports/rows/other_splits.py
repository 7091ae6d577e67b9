"""Photos that stand in several splits: one split keeps them, so that no test photo is trained on."""

from collections.abc import Callable

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.records import known_stamps
from relight_assets.engine.run import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import CsvError

SPLIT_ORDER = ("test", "val", "train")
"""The first of these that has a photo keeps it; splits of other names follow by their names."""


class KeptPhotos:
    """Which photos a split must leave to another.  Splits are scanned once, when they are first asked for."""

    def __init__(self, settings: Settings, recipe_of: Callable[[str], Recipe], experiment: str | None = None):
        self._settings, self._recipe_of, self._experiment = settings, recipe_of, experiment
        self._finished: dict[str, frozenset[str]] = {}

    def before(self, split: str) -> frozenset[str]:
        """sha256 of the finished photos of all splits that come before this one."""
        found: set[str] = set()
        for name in list_csvs(self._settings.csv_dir, self._settings.csv_glob).found:
            if order(name) < order(split):
                found |= self._of(name)
        return frozenset(found)

    def _of(self, split: str) -> frozenset[str]:
        if split not in self._finished:
            folder = list_csvs(self._settings.csv_dir, self._settings.csv_glob).only(split)
            csvs = [csv for _, csv in folder.read_all() if not isinstance(csv, CsvError) and not csv.table.empty]
            recipe = self._recipe_of(split)
            self._finished[split] = frozenset(
                sha256
                for csv in csvs
                for sha256 in finished_photos(load_split_state(csv, recipe, self._settings, self._experiment))
            )
        return self._finished[split]


def finished_photos(state: SplitState) -> frozenset[str]:
    """sha256 of the photos of which everything is current."""
    done = (image.index for image in state.images.values() if image.status == "done" and image.index is not None)
    records = (known_stamps(state.layout, index) for index in done)
    return frozenset(record.source.sha256 for record in records if record is not None)


def order(split: str) -> tuple[int, str]:
    """What splits are ordered by."""
    return (SPLIT_ORDER.index(split) if split in SPLIT_ORDER else len(SPLIT_ORDER), split)
