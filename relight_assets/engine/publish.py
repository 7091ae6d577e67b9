"""The CSVs that go out of a split: the mapping, and the rows that have no image.

A mapping never names an image that is not current for its row: before any is written over, it is withdrawn; the next
mapping is staged, and published once it was checked.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from msgspec.structs import replace

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.mapping import (
    FailureRow,
    failures_blocks,
    is_mapping_name,
    is_variants,
    mapping_blocks,
    output_csv_paths,
    remove_variants,
    variants_blocks,
    withdraw_outputs,
    write_failures,
    write_mapping,
    write_variants,
)
from relight_assets.dataset.layout import MAX_NUMBER, SplitLayout, experiment_folder
from relight_assets.dataset.origin import read_origin, write_origin
from relight_assets.dataset.paths import index_key, plain_text
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import BlankPathError, CsvError, OutputFolderError
from relight_assets.storage.base import Storage
from relight_assets.storage.folders import write_fault


def mapping_path(state: SplitState, settings: Settings, experiment: str | None = None) -> Path:
    """Where the mapping of a split goes."""
    return _paths(state, settings, experiment)[0]


def failures_path(state: SplitState, settings: Settings, experiment: str | None = None) -> Path:
    """Where the failed rows of a split go."""
    return _paths(state, settings, experiment)[1]


def variants_path(state: SplitState, settings: Settings, experiment: str | None = None) -> Path:
    """Where the rows of all variants go, if there are several."""
    return _paths(state, settings, experiment)[2]


def check_output_csvs(csv: Path, settings: Settings, experiment: str | None = None) -> None:
    """See that the CSVs that go out of a split can be written, before there is anything for them to name.

    Raises:
        OutputFolderError: they cannot; says what to set.
    """
    if experiment is not None:  # they lie beside its images
        return
    folder = output_csv_paths(csv, settings.mapping_dir)[0].parent
    if (fault := write_fault(folder)) is None:
        return
    where = "mapping_dir" if settings.mapping_dir is not None else "the CSV's folder"
    raise OutputFolderError(
        f"the CSVs that name a split's images and its failures go to {where} {folder}, which cannot be written: "
        f"{fault}; set mapping_dir in config/platform.yaml (RELIGHT_MAPPING_DIR) to a folder that can"
    )


@dataclass(frozen=True)
class StagedMapping:
    """A split's mapping as it stands, to be checked before anybody sees it; and the CSV of all lights, if any."""

    state: SplitState
    file: Path
    """The mapping, where it lies until it is published."""
    target: Path
    variants_target: Path

    def publish(self) -> Path:
        """Put it in the place of the one before; that place.

        Raises:
            CsvError: it cannot be written.
        """
        split, layout = self.state.split, self.state.layout
        _make_folder(self.target, layout.storage)
        _remember_mappings(layout, self.target, *([self.variants_target] if self.state.variants > 1 else []))
        write_mapping(split, self.state.outputs(), self.target, layout.storage)
        if self.state.variants > 1:
            write_variants(split, self.state.variant_outputs(), self.variants_target, layout.storage)
        else:
            remove_variants(self.variants_target, layout.storage)
        self.discard()
        return self.target

    def discard(self) -> None:
        """Leave the one before in its place, of which everything was withdrawn that no longer holds."""
        with suppress(OSError):
            self.state.layout.storage.remove(self.file)


def stage_mapping(state: SplitState, settings: Settings, experiment: str | None = None) -> StagedMapping:
    """Write the mapping of a split as it stands beside its images.

    Raises:
        CsvError: it cannot be written.
    """
    mapping, _, variants = _paths(state, settings, experiment)
    staged = state.layout.staged_mapping
    _make_folder(staged, state.layout.storage)
    write_mapping(state.split, state.outputs(), staged, state.layout.storage)
    return StagedMapping(state, staged, mapping, variants)


def published_mapping(state: SplitState, settings: Settings, experiment: str | None = None) -> StagedMapping:
    """The mapping of a split that is in its place, to be checked again.

    Raises:
        CsvError: there is none.
    """
    mapping, _, variants = _paths(state, settings, experiment)
    if state.layout.storage.kind(mapping) is None:
        raise CsvError(f"there is no mapping {mapping} to check; run the split first")
    return StagedMapping(state, mapping, mapping, variants)


def write_split_mapping(state: SplitState, settings: Settings, experiment: str | None = None) -> Path:
    """Write the mapping of a split as it stands, without any check; where it is.

    Raises:
        CsvError: it cannot be written.
    """
    return stage_mapping(state, settings, experiment).publish()


def mapping_is_current(state: SplitState, settings: Settings) -> bool:
    """Whether the output CSVs of a split are what its rows and images make them."""
    mapping, failures, variants = _paths(state, settings)
    split = state.split
    wanted = {mapping: mapping_blocks(split, state.outputs()), failures: failures_blocks(_failure_rows(state))}
    if state.variants > 1:
        wanted[variants] = variants_blocks(split, state.variant_outputs())
    elif is_variants(variants, state.layout.storage):
        return False
    return all(_holds(path, blocks, state.layout.storage) for path, blocks in wanted.items())


def withdraw_stale_outputs(
    state: SplitState, settings: Settings, experiment: str | None = None, removed: Collection[int] = ()
) -> list[str]:
    """Take the images that are not current, and so may be written now, out of every mapping that names them.

    Those of the numbers ``removed`` go too.

    Returns:
        A sentence for each former mapping that cannot be changed.

    Raises:
        CsvError: the one that the split has now cannot be changed.
    """
    mapping, _, variants = _paths(state, settings, experiment)
    keep, storage = _KeepsOutput(state, settings, removed), state.layout.storage
    staged = state.layout.staged_mapping
    with suppress(OSError):
        if (
            storage.kind(staged) != "a folder"
        ):  # a file is of somebody who was killed before it was published, a folder is not ours
            storage.remove(staged)
    for target in (mapping, variants):
        withdraw_outputs(target, keep, storage)
    notes = []
    for former in state.origin.mappings if state.origin is not None else ():
        try:
            if Path(former) not in (mapping, variants) and is_mapping_name(Path(former)):
                withdraw_outputs(Path(former), keep.in_this_folder, storage)
        except CsvError as error:
            notes.append(f"an earlier mapping may name images that are written anew now: {error}")
    return notes


class _KeepsOutput:
    """Whether a mapping's row keeps the image that it names."""

    def __init__(self, state: SplitState, settings: Settings, removed: Collection[int]):
        self._state, self._image_root = state, settings.image_root
        self._numbers = {image.index for image in state.images.values() if image.index is not None} | {*removed}
        self._elsewhere = cache(partial(_is_other_folder, state.layout.folder))

    def __call__(self, cell: str, output: str) -> bool:
        key = index_key(cell, self._state.split.path.parent, self._image_root)
        if key in self._state.images:
            return output in {str(path.absolute()) for path in self._state.composites(key)}
        # A row that is gone keeps its image, unless its number is another row's now.
        folder, _, name = output.rpartition("/")
        return not self._is_given(name.partition("_")[0]) or self._elsewhere(folder)

    def _is_given(self, digits: str) -> bool:
        """Whether the number with which an image's name begins is that of a row, or of what is removed."""
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(MAX_NUMBER))):
            return False
        return f"{int(digits):05d}" == digits and int(digits) in self._numbers

    def in_this_folder(self, cell: str, output: str) -> bool:
        """As a call, in the mapping of somebody who may have other folders than this."""
        return self._elsewhere(output.rpartition("/")[0]) or self(cell, output)


def _is_other_folder(folder: Path, other: str) -> bool:
    try:
        return not folder.samefile(other)
    except (OSError, ValueError):  # gone, and its images with it
        return False


def write_split_failures(state: SplitState, settings: Settings, experiment: str | None = None) -> list[FailureRow]:
    """Write the rows that failed or were rejected, and return them.

    Raises:
        CsvError: they cannot be written.
    """
    rows = list(_failure_rows(state))
    target = failures_path(state, settings, experiment)
    _make_folder(target, state.layout.storage)
    write_failures(state.split, rows, target, state.layout.storage)
    return rows


def _remember_mappings(layout: SplitLayout, *targets: Path) -> None:
    """Have the folder know where CSVs are that name its images."""
    try:
        origin = read_origin(layout)
        known = {
            *(origin.mappings if origin is not None else ()),
            *(plain_text(str(each.absolute())) for each in targets),
        }
        if origin is not None and known != set(origin.mappings):
            write_origin(layout, replace(origin, mappings=tuple(sorted(known))))
    except OSError as error:
        raise CsvError(f"{layout.origin} cannot be written: {error.strerror}. Check folder and disk.") from error


def _holds(path: Path, blocks: Iterable[bytes], storage: Storage) -> bool:
    try:
        return storage.holds(path, blocks)
    except OSError:
        return False


def _paths(state: SplitState, settings: Settings, experiment: str | None = None) -> tuple[Path, Path, Path]:
    # An experiment's CSVs never replace the split's own.
    folder = settings.mapping_dir if experiment is None else experiment_folder(settings.output_root, experiment)
    return output_csv_paths(state.split.path, folder)


def _make_folder(target: Path, storage: Storage) -> None:
    try:
        storage.make_folder(target.parent)
    except OSError as error:
        raise CsvError(f"the folder {target.parent} cannot be made: {error}; check mapping_dir") from error


def _failure_rows(state: SplitState) -> Iterator[FailureRow]:
    cells = state.split.columns["image_path"]
    for key, cell, line in zip(state.keys, cells, state.split.lines, strict=True):
        if key is None:
            yield FailureRow(line, cell, BlankPathError.code, "masks", "the image_path cell is empty")
            continue
        failure = state.images[key].failure
        if failure is not None:
            yield FailureRow(line, cell, failure.code, failure.stage or "masks", failure.message)
