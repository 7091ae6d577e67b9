"""Photos that stand in several splits: one split keeps them, so that no test photo is trained on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.read import SplitCsv, name_part
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.paths import Locator
from relight_assets.dataset.records import known_stamps
from relight_assets.dataset.spelling import Folders
from relight_assets.errors import CsvError, ImageError, UserError
from relight_assets.storage.files import source_token, stamp_source


class KeptPhotos:
    """Which photos a split must leave to another.  A CSV is read once, when it is first asked for.

    Args:
        settings: of the project.
        order: the first of these splits whose CSV names a photo keeps it; splits of other names follow by their names.
    """

    def __init__(self, settings: Settings, order: Sequence[str]):
        self._settings, self._order = settings, tuple(order)
        self._named: dict[str, frozenset[str]] = {}

    def before(self, split: str) -> frozenset[str]:
        """sha256 of the photos that the CSVs of all splits before this one name, finished or not.

        Raises:
            UserError: one of these CSVs cannot be used, so nobody knows what is in it.
        """
        folder = list_csvs(self._settings.csv_dir, self._settings.csv_glob)
        for path, fault in folder.faults.items():
            if self._place(name_part(path)) < self._place(split):
                raise _unknown(path, fault)
        earlier = (name for name in folder.found if self._place(name) < self._place(split))
        return frozenset().union(*map(self._of, earlier))

    def _place(self, split: str) -> tuple[int, str]:
        return (self._order.index(split) if split in self._order else len(self._order), split)

    def _of(self, split: str) -> frozenset[str]:
        if split not in self._named:
            folder = list_csvs(self._settings.csv_dir, self._settings.csv_glob).only(split)
            found: set[str] = set()
            for path, csv in folder.read_all():
                if isinstance(csv, CsvError):
                    raise _unknown(path, csv)
                found.update(_named_photos(csv, self._settings))
            self._named[split] = frozenset(found)
        return self._named[split]


def _unknown(path: Path, fault: CsvError) -> UserError:
    return UserError(f"{path} cannot be used, so nobody knows which photos it keeps: {fault} Mend it, or move it away")


def _named_photos(csv: SplitCsv, settings: Settings) -> Iterator[str]:
    """sha256 of every photo that a CSV names and that is there: as recorded, or hashed now."""
    recorded = dict(_recorded(SplitLayout(split_folder(settings.output_root, csv.split))))
    locate = Locator(csv.path.parent, settings.photo_root, Folders(0)).locate
    for cell in dict.fromkeys(csv.columns["image_path"]):
        try:
            found = locate(cell)
            known = recorded.get((found.status.st_size, source_token(found.status)))
            yield known if known is not None else stamp_source(Path(found.path), settings.photo_root).sha256
        except ImageError:  # a blank cell, a photo that is not there: nothing is exported of it here either
            continue


def _recorded(layout: SplitLayout) -> Iterator[tuple[tuple[int, str], str]]:
    """Size and token of the photo of each record, and its sha256."""
    for number in sorted(layout.numbers()):
        record = known_stamps(layout, number)
        if record is not None:
            yield (record.source.size, record.source.token), record.source.sha256
