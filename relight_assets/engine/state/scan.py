"""The state of a split: every image scanned once, then updated by results.

The answer comes from the files alone: the records, the failures and what ``stat`` says.  No image is read.  Nothing is
written but the cache of the records, and that only for whoever holds the folder's lock.
"""

import dataclasses
import gc
import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.variants import PlannedVariant
from relight_assets.core.messages.steps import Watch, unwatched, watched
from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.geometry_files import files_of_rows
from relight_assets.dataset.layout import HeldNumbers, SplitLayout
from relight_assets.dataset.origin import Origin, read_origin
from relight_assets.dataset.paths import index_key
from relight_assets.dataset.tombstones import NO_TOMBSTONES, Tombstones
from relight_assets.engine.execution.messages import ImageResult
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_scan import ImageScanner
from relight_assets.engine.state.image_state import NO_HASHES, Hashes, ImageState, RowStatus, SourceFile
from relight_assets.engine.state.record_cache import identity_of, open_records
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names, stage_spec
from relight_assets.storage.files import source_token


@dataclass(frozen=True, eq=False)
class SplitState:
    """All rows of a split CSV and the images they name."""

    split: SplitCsv
    layout: SplitLayout
    keys: list[str | None]
    """The image of each row; None where the cell is blank."""
    images: dict[str, ImageState]
    orphans: int
    """Numbers whose rows are gone, and under which something lies."""
    origin: Origin | None = None
    """The CSV that the folder belongs to; None: it does not say."""
    index: Mapping[str, int] = field(default_factory=dict)
    """The number of every image that has one, those whose rows are gone too."""
    stages: tuple[Stage, ...] = field(default_factory=stage_names)
    """Those that the recipe asks for."""
    planned_variants: tuple[PlannedVariant, ...] = (PlannedVariant("light", 0),)
    """The pictures that each portrait is to have."""
    misnumbered: bool = False
    """``index.csv`` gives a number to an image, and a record gives it to another."""
    trusted: int = 0
    """Finished images whose photo and files were not looked at."""
    run: tuple[int, str] | None = None
    """Size and token of the resolved recipe, which each run writes anew; None: nobody held the folder's lock."""

    @property
    def variants(self) -> int:
        """How many pictures each portrait is to have: its lights, and what is made of them."""
        return len(self.planned_variants)

    @property
    def lights(self) -> int:
        """How many of them are drawn lights; those are the first."""
        return sum(each.kind == "light" for each in self.planned_variants)

    @property
    def unchecked_rows(self) -> int:
        """How many rows wait for files to be hashed; they count as pending meanwhile."""
        return sum(key is not None and bool(self.images[key].unchecked) for key in self.keys)

    def row_status(self, row: int) -> RowStatus:
        """What one row counts as.  Rows = done + rejected + failed + pending, always."""
        key = self.keys[row]
        return "rejected" if key is None else self.images[key].status

    def row_counts(self) -> Counter[RowStatus]:
        """How many rows have each status."""
        return Counter(self.row_status(row) for row in range(len(self.keys)))

    def outputs(self) -> Iterator[Path | None]:
        """Per row: the composite, of the first variant where there are several; None unless all stages are current."""
        return (found[0] if found else None for found in self.variant_outputs())

    def variant_outputs(self) -> Iterator[list[Path]]:
        """Per row: the composites of all variants; none unless all stages are current."""
        return (self.composites(key) if key is not None else [] for key in self.keys)

    def by_number(self) -> dict[int, ImageState]:
        """The images that have a number, in the order of these."""
        numbered = ((image.index, image) for image in self.images.values() if image.index is not None)
        return dict(sorted(numbered, key=lambda item: item[0]))

    def composites(self, key: str) -> list[Path]:
        """The composites of all variants of an image; none unless all stages are current."""
        image = self.images[key]
        if image.status != "done" or image.index is None:
            return []
        return [self.layout.png(image.index, name) for name in stage_spec("composites").files(self.variants)]

    def update(self, key: str, result: ImageResult) -> None:
        """Put what a run did to an image in the place of what was scanned of it before.

        The worker has decided what is current as a scan does (``engine.state.current``), and after it has written.
        """
        image, current = self.images[key], result.current
        before = image.failure if image.failure is not None and image.failure.stage not in current else None
        self.images[key] = replace(
            image,
            photo="same" if current else image.photo,
            current=current,
            recorded=image.recorded or bool(current),
            failure=result.failure or before,
            source_known=True,
            outlived=False,
            unchecked=(),
        )


def row_keys(split: SplitCsv, image_root: Path | None) -> list[str | None]:
    """The lasting name of each row's image; None where the cell is blank."""
    folder = split.path.parent
    return [index_key(cell, folder, image_root) or None for cell in split.columns["image_path"]]


def scan_split(
    split: SplitCsv,
    layout: SplitLayout,
    digests: Digests,
    image_root: AnyRoot,
    *,
    tombstones: Tombstones = NO_TOMBSTONES,
    hashes: Hashes = NO_HASHES,
    keep: bool = False,
    trust: bool = False,
    watch: Watch = unwatched,
) -> SplitState:
    """Scan every image of a split.

    Args:
        split: the CSV as it was read.
        layout: the split's folder.
        digests: under the recipe that counts.
        image_root: the setting.
        tombstones: photos that were forgotten: they are rejected, whatever was made of them.
        hashes: what files are that were hashed just now.
        keep: the caller holds the folder's lock, so that what records say may be kept for the next scan.
        trust: finished images are believed to be as the state beside the records has them.
        watch: told how many images are scanned, of how many.

    Raises:
        OSError: the folder, its index or its origin cannot be read.
    """
    held = layout.held()
    scanned = partial(
        _scan_images,
        split,
        layout,
        digests,
        image_root=image_root,
        origin=read_origin(layout),
        tombstones=tombstones,
        hashes=hashes,
        held=held,
        keep=keep,
        trust=trust,
        watch=watch,
    )
    found = scanned(lasting_index.load(layout, held.numbers))
    # Records are the truth: where one of them disagrees with the index, the numbers are taken from all of them.
    return scanned(lasting_index.rebuild(layout)) if found.misnumbered else found


def _scan_images(
    split: SplitCsv,
    layout: SplitLayout,
    digests: Digests,
    index: Mapping[str, int],
    image_root: AnyRoot,
    *,
    origin: Origin | None,
    tombstones: Tombstones,
    hashes: Hashes,
    held: HeldNumbers,
    keep: bool,
    trust: bool,
    watch: Watch,
) -> SplitState:
    """As :func:`scan_split`, with the numbers of the images as they are given."""
    root = ImageRoot.of(image_root)
    root_folder = root.folder if root is not None else None
    with _garbage_left_alone(), open_records(layout, identity_of(digests, tombstones), to_write=keep) as records:
        keys = row_keys(split, root_folder)
        cells = _of_first_rows(keys, split.columns["image_path"])
        scanner = ImageScanner(
            split,
            records,
            digests,
            image_root=image_root,
            origin=origin,
            tombstones=tombstones,
            hashes=hashes,
            failures=held.failures,
            geometry_files=_of_first_rows(keys, files_of_rows(digests.geometry, split, root_folder) or []),
            trust=trust,
        )
        rows = watched(cells.items(), len(cells), watch)
        images = {key: scanner.scan(key, cell, index.get(key)) for key, cell in rows}
    return SplitState(
        split,
        layout,
        keys,
        images,
        orphans=len(_orphans(index, images) & held.numbers),
        origin=origin,
        index=index,
        stages=digests.stages,
        planned_variants=digests.planned_variants,
        misnumbered=scanner.misnumbered,
        trusted=scanner.trusted,
    )


def _of_first_rows(keys: Sequence[str | None], cells: Sequence[str]) -> dict[str, str]:
    """The cell of each image, of the first row that names it."""
    found = dict(zip(keys, cells, strict=False))
    if len(found) < min(len(keys), len(cells)):  # several rows name one image
        found = dict.fromkeys(found, "") | dict(reversed(list(zip(keys, cells, strict=False))))
    return {key: cell for key, cell in found.items() if key is not None}


def of_this_run(state: SplitState, recipe: Recipe) -> SplitState:
    """A state with what :func:`is_unchanged` goes by; the folder's lock is held."""
    if recipe.geometry.from_file:  # the user's own files of depth or normals may change unseen
        return state
    return dataclasses.replace(state, run=_run_of(state.layout))


def is_unchanged(state: SplitState) -> bool:
    """Whether a split still stands as it did under the folder's lock: no other run since, and no photo changed."""
    if state.run is None or state.run != _run_of(state.layout):
        return False
    return all(_is_unchanged(image.source) for image in state.images.values() if image.source is not None)


def _run_of(layout: SplitLayout) -> tuple[int, str] | None:
    try:
        return layout.storage.state(layout.recipe)
    except OSError:
        return None


def _is_unchanged(photo: SourceFile) -> bool:
    try:
        status = os.stat(photo.place)  # noqa: PTH116  (text, for speed)
    except (OSError, ValueError):
        return False
    return status.st_size == photo.size and source_token(status) == photo.token


def orphan_numbers(layout: SplitLayout, index: Mapping[str, int], rows: Container[str]) -> set[int]:
    """The numbers whose rows are gone, and under which something lies.

    Raises:
        OSError: the folder cannot be read.
    """
    gone = _orphans(index, rows)
    return gone & layout.numbers() if gone else gone


def _orphans(index: Mapping[str, int], rows: Container[str]) -> set[int]:
    return {number for key, number in index.items() if key not in rows}


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Records are many small objects that stay and hold no cycles: a fifth of the time went into looking for some."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
