"""What the folders of an output root have of photos: every split's own, and those of experiments."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.csv.folder import list_csvs, read_csv
from relight_assets.dataset.layout import (
    FAILURE_SUFFIX,
    RECORD_SUFFIX,
    SplitLayout,
    check_name,
    experiment_folder,
    split_folder,
)
from relight_assets.dataset.origin import Origin, read_origin
from relight_assets.dataset.records import read_failure, read_stamps
from relight_assets.engine.state.scan import row_keys
from relight_assets.errors import CsvError, ForgottenError, UserError
from relight_assets.storage.base import Storage
from relight_assets.storage.files import FileStamp


@dataclass(frozen=True)
class Folder:
    """The folder of a split, or of a split within an experiment."""

    split: str
    experiment: str | None
    layout: SplitLayout

    def origin(self) -> Origin | None:
        """The CSV that it belongs to, as :func:`read_origin`."""
        return read_origin(self.layout)

    def rows(self, settings: Settings) -> frozenset[str] | None:
        """The names that its CSV still has; None where nobody can tell now, as when its disk is away."""
        origin = self.origin()
        try:
            path = (
                Path(origin.path)
                if origin is not None
                else list_csvs(settings.csv_dir, settings.csv_glob).path_of(self.split)
            )
            return frozenset(filter(None, row_keys(read_csv(path), settings.image_root)))
        except CsvError:
            gone = origin is not None and Path(origin.path).parent.is_dir() and not Path(origin.path).exists()
            return frozenset() if gone else None


@dataclass(frozen=True, slots=True)
class Trace:
    """What a folder has under one number."""

    number: int
    key: str
    """Its lasting name; empty where nobody knows it."""
    source: FileStamp | None
    """Of its photo; None where neither record nor failure tells."""
    places: tuple[str, ...]
    """Where its photo was."""
    outputs: tuple[FileStamp, ...]
    """Of its files, as its record has them."""
    files: frozenset[str]
    """The last parts of the names of all files under its number."""
    code: str | None = None
    """Of its failure."""

    @property
    def sha256(self) -> str | None:
        """Of its photo."""
        return self.source.sha256 if self.source is not None else None

    @property
    def has_unknown_pictures(self) -> bool:
        """Whether there are pictures, and neither record nor failure says of which photo."""
        return self.source is None and any(name.endswith(".png") for name in self.files)

    @property
    def is_rejection(self) -> bool:
        """Whether there is no more than the rejection of a photo that was forgotten."""
        return self.code == ForgottenError.code and self.files == {FAILURE_SUFFIX}


def folders_of(output_root: Path, storage: Storage) -> Iterator[Folder]:
    """Every folder of a split below an output root, those of experiments first.

    Raises:
        OSError: a folder cannot be read.
    """
    experiments = output_root / "experiments"
    for experiment in sorted(_named(experiments, "", storage)):
        for split in sorted(_named(experiment_folder(output_root, experiment), "data-", storage)):
            yield Folder(split, experiment, SplitLayout(split_folder(output_root, split, experiment), storage))
    for split in sorted(_named(output_root, "data-", storage)):
        yield Folder(split, None, SplitLayout(split_folder(output_root, split), storage))


def _named(folder: Path, prefix: str, storage: Storage) -> Iterator[str]:
    """What follows the prefix in the names of the folders in a folder, where that is a name of a split."""
    try:
        names = list(storage.names(folder))
    except NotADirectoryError:
        return
    for name in names:
        rest = name.removeprefix(prefix)
        try:
            check_name("folder", rest)
        except UserError:
            continue
        if name.startswith(prefix) and storage.kind(folder / name) == "a folder":
            yield rest


def traces_in(layout: SplitLayout) -> Iterator[Trace]:
    """What a folder has under each number, the lowest first.

    Raises:
        OSError: a file is there and cannot be read.
    """
    files: dict[int, set[str]] = {}
    for number, last in layout.numbered():
        files.setdefault(number, set()).add(last)
    names = {number: key for key, number in lasting_index.load(layout, set(files)).items()}
    origin = read_origin(layout)
    for number in sorted(files):
        yield _trace(layout, number, names.get(number, ""), origin, frozenset(files[number]))


def _trace(layout: SplitLayout, number: int, name: str, origin: Origin | None, files: frozenset[str]) -> Trace:
    record = read_stamps(layout.record(number), layout.storage) if RECORD_SUFFIX in files else None
    failure = read_failure(layout.failure(number), layout.storage) if FAILURE_SUFFIX in files else None
    code = failure.code if failure is not None else None
    if record is not None:
        key, source, place = record.image_path, record.source.stamp, record.source.place
        outputs = tuple(stamp for entry in record.stages.values() for stamp in entry.files.values())
        places = (place,) if place is not None else _places(origin, key)
        return Trace(number, key, source, places, outputs, files, code)
    if failure is not None:
        return Trace(number, failure.image_path, failure.source, _places(origin, failure.image_path), (), files, code)
    return Trace(number, name, None, _places(origin, name), (), files)


def _places(origin: Origin | None, key: str) -> tuple[str, ...]:
    return tuple(origin.places_of(key)) if origin is not None and key else ()
