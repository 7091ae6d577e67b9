"""Removing what lies under numbers whose rows are gone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.atomic_io import PlaceTakenError
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.derived.gallery_files import remove_gallery
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import FAILURE_SUFFIX, RECORD_SUFFIX, SplitLayout, split_folder
from relight_assets.dataset.origin import read_origin
from relight_assets.engine.publish import withdraw_stale_outputs
from relight_assets.engine.state.identity import csv_place, refusal
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState, orphan_numbers
from relight_assets.errors import OtherPhotosError, OutputFolderError, UserError
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

_CLAIMS = (RECORD_SUFFIX, FAILURE_SUFFIX)


@dataclass(frozen=True)
class Orphans:
    """What lies under the numbers of a folder whose rows are gone."""

    folder: Path
    numbers: tuple[int, ...]
    files: tuple[Path, ...]
    """Thumbnails before records before images."""
    size: int
    """Bytes."""


def find_orphans(
    split: SplitCsv, recipe: Recipe, settings: Settings, experiment: str | None = None, *, storage: Storage = LOCAL
) -> Orphans:
    """The orphans of a split's folder; nothing is changed.

    Raises:
        OtherPhotosError: the folder's images were made of other photos than the CSV names.
        UserError: it is not sure which they are: the folder belongs to another CSV, which cannot be read, or rows wait
            for a run that may find their photos among the orphans.
        OutputFolderError: the folder cannot be read, or somebody writes there.
    """
    with _locked(split, settings, experiment, storage) as layout:
        return _orphans(_unambiguous(split, recipe, settings, experiment, storage), layout)


def prune(
    split: SplitCsv, recipe: Recipe, settings: Settings, experiment: str | None = None, *, storage: Storage = LOCAL
) -> Orphans:
    """Remove the orphans of a split's folder; their numbers are not given again.

    Raises:
        UserError: as :func:`find_orphans`, or a mapping that names their images cannot be written.
        OutputFolderError: files that cannot be removed are left; all others are gone.
    """
    with _locked(split, settings, experiment, storage) as layout:
        state = _unambiguous(split, recipe, settings, experiment, storage)
        found = _orphans(state, layout)
        if not found.numbers:
            return found
        withdraw_stale_outputs(state, settings, experiment, found.numbers)
        remove_gallery(layout)  # it shows them
        left = _removed(found.files, layout.storage)
        layout.storage.clean(layout.folder)
    if left:
        first = left[0]
        raise OutputFolderError(
            f"{first.filename}{f' and {len(left) - 1} more' if len(left) > 1 else ''} cannot be removed: "
            f"{first.strerror}. Everything else without a row is gone"
        )
    return found


def _removed(files: Sequence[Path], storage: Storage) -> list[PlaceTakenError]:
    """Remove files, records before images; what cannot be removed.  A record that stays keeps its images."""
    left: list[PlaceTakenError] = []
    kept: set[str] = set()
    for path in files:
        number = path.name.partition("_")[0]
        if number in kept:
            continue
        try:
            storage.remove(path)
        except PlaceTakenError as taken:
            left.append(taken)
            if path.name.endswith(RECORD_SUFFIX):
                kept.add(number)
    return left


@contextmanager
def _locked(split: SplitCsv, settings: Settings, experiment: str | None, storage: Storage) -> Iterator[SplitLayout]:
    """A split's folder, if any, in which nobody else writes meanwhile; an ``OSError`` as one sentence."""
    layout = SplitLayout(split_folder(settings.output_root, split.split, experiment), storage)
    try:
        with locked_folder(layout) if layout.is_there else nullcontext():
            yield layout
    except OSError as error:
        raise OutputFolderError(f"{layout.folder}: {error}") from error


def _unambiguous(
    split: SplitCsv, recipe: Recipe, settings: Settings, experiment: str | None, storage: Storage
) -> SplitState:
    """Where a split stands, if that alone tells which its orphans are.

    Raises:
        UserError: it does not.
    """
    state = load_split_state(split, recipe, settings, experiment, storage=storage)
    if (reason := refusal(state)) is not None:
        raise OtherPhotosError(reason)
    if not state.orphans:
        return state
    if not state.images:
        raise UserError(f"{split.path} names no photo, as when it was cut off while it was written: nothing is removed")
    if state.origin is None or state.origin.path != csv_place(state):
        whose = f"belongs to {state.origin.path}" if state.origin else "does not say to which CSV it belongs"
        raise UserError(f"{state.layout.folder} {whose}; `relight run` with {split.path} settles that")
    waiting = [image.key for image in state.images.values() if _may_be_renamed(image)]
    if waiting:
        raise UserError(
            f"{split.path}: {len(waiting)} rows, for instance {waiting[0]!r}, have no images yet, and their photos "
            f"may be those of numbers whose rows are gone; `relight run` settles that, once the photos can be read"
        )
    return state


def _may_be_renamed(image: ImageState) -> bool:
    """Whether nothing was made of an image yet, so that its photo may have been another row's before."""
    return not image.recorded and (image.index is None or image.source is None or image.status == "pending")


def _orphans(state: SplitState, layout: SplitLayout) -> Orphans:
    numbers = orphan_numbers(layout, state.index, state.images)
    found = sorted((last not in _CLAIMS, number, last) for number, last in layout.numbered() if number in numbers)
    files = (
        *(layout.thumbnail(number) for number in sorted(numbers & layout.thumbnail_numbers())),
        *(layout.folder / f"{number:05d}_{last}" for _, number, last in found),
    )
    size = 0
    for path in files:
        with suppress(OSError):
            size += layout.storage.state(path)[0]
    return Orphans(layout.folder, tuple(sorted(numbers)), files, size)


def csv_is_gone(output_root: Path, split: str, *, storage: Storage = LOCAL) -> bool:
    """Whether the CSV of a split was removed, as far as its folder tells; false where it merely lies elsewhere.

    Raises:
        UserError: it cannot be read now, which is another thing.
    """
    layout = SplitLayout(split_folder(output_root, split), storage)
    try:
        origin = read_origin(layout)
    except OSError as error:
        raise UserError(f"{layout.origin} cannot be read: {error.strerror}") from error
    if origin is None:
        return True
    path = Path(origin.path)
    try:
        path.stat()
    except FileNotFoundError:
        if path.parent.is_dir():
            return True
        raise UserError(f"the split `{split}` belongs to {path}, whose folder is not there now") from None
    except OSError as error:
        raise UserError(f"the split `{split}` belongs to {path}, which cannot be read now: {error.strerror}") from error
    return False
