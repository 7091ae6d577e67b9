"""Is an export what its trainer will take?  Every file is read, by the rules that trainers follow.

Trainers pair files by their stems and take what they find, most of them without an error: a missing partner, another
size or a second picture of the same stem trains something else.
"""

import csv
import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from relight_assets.core.arrays import Pixels8
from relight_assets.core.hashing import file_sha256, sha256_hex
from relight_assets.core.messages.steps import Watch, unwatched
from relight_assets.errors import ImageCorruptError
from relight_assets.exports.base import IMAGES, ExportSpec, PairBytes, Role, Shards
from relight_assets.exports.pictures.offset import Offset, offset_of
from relight_assets.exports.registry import layouts, need_packages
from relight_assets.exports.snapshot import BESIDE, FILES, MANIFEST, WrittenFile, read_files, read_manifest
from relight_assets.exports.threads import in_threads
from relight_assets.imaging.png import decode_png

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jxl"})
"""What trainers take for a picture."""
MEASURED = 16
"""Pairs, spread over all, whose offset is measured."""
MAX_OFFSET, MAX_PAIR_OFFSET = 0.05, 0.2
"""Pixels between target and condition: in the middle of these pairs, and of one.  The measure itself errs by .03 on
portraits, and on a small close-up in the shadow of bars by more."""
FEWEST_MEASURED = 4
"""Pairs below which their middle says no more than each of them."""


@dataclass(frozen=True)
class ExportFault:
    """What is wrong with a file of an export."""

    path: str
    what: str


@dataclass(frozen=True)
class ReadBack:
    """What reading an export gave."""

    folder: Path
    pairs: int
    files: int
    faults: list[ExportFault]
    offsets: tuple[float, ...] = ()
    """Between target and condition of some pairs, in pixels."""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def read_back(folder: Path, watch: Watch = unwatched) -> ReadBack:
    """Read every file of a snapshot; ``watch`` is told how many pairs are read.

    Raises:
        UserError: a package that reads the layout is not installed.
    """
    manifest = read_manifest(folder)
    spec = layouts().get(str((manifest or {}).get("layout")))
    if manifest is None or spec is None:
        return ReadBack(folder, 0, 0, [ExportFault(MANIFEST, "there is none of a layout that is known")])
    listed = {file.path: file for file in read_files(folder)}
    faults = [*_list_faults(folder, manifest), *_stranger_faults(folder, spec, listed)]
    reader = _Tree(folder, spec, listed) if spec.shards is None else _Packed(folder, spec, spec.shards, listed)
    promised = manifest.get("pairs")
    look = partial(_look, spec, manifest, every=max(1, -(-promised // MEASURED)) if isinstance(promised, int) else 1)
    pairs = 0
    offsets: dict[str, Offset] = {}
    for stem, found, offset in in_threads(look, enumerate(reader.pairs())):
        faults += found
        pairs += 1
        watch(pairs, promised if isinstance(promised, int) else pairs)
        if offset is not None:
            offsets[stem] = offset
    faults += [*reader.faults, *_index_faults(folder, listed, pairs), *_offset_faults(offsets)]
    if pairs != promised:
        faults.append(ExportFault(MANIFEST, f"it promises {promised} pairs, {pairs} are there"))
    return ReadBack(folder, pairs, len(listed), faults, tuple(offset.size for offset in offsets.values()))


def _look(
    spec: ExportSpec, manifest: Mapping[str, object], numbered: tuple[int, PairBytes], every: int
) -> tuple[str, list[ExportFault], Offset | None]:
    """The faults of a pair, and by how much its sides are shifted, for one of ``every`` so many."""
    number, pair = numbered
    pictures: dict[Role, Pixels8] = {}
    faults = _pair_faults(spec, manifest, pair, pictures)
    if faults or number % every:
        return pair.stem, faults, None
    return pair.stem, faults, offset_of(pictures["target"], pictures["condition"], pictures["mask"])


def _offset_faults(offsets: Mapping[str, Offset]) -> Iterator[ExportFault]:
    """Pairs whose sides are shifted: all of them a little, or one of them more."""
    if len(offsets) >= FEWEST_MEASURED:
        yield from _all_shifted(offsets)
    for stem, offset in offsets.items():
        if offset.size > MAX_PAIR_OFFSET:
            yield ExportFault(stem, f"its condition is shifted by {offset.x:+.2f}, {offset.y:+.2f} pixels")


def _all_shifted(offsets: Mapping[str, Offset]) -> Iterator[ExportFault]:
    x, y = (statistics.median(values) for values in zip(*offsets.values(), strict=True))
    if Offset(x, y).size > MAX_OFFSET:
        yield ExportFault(MANIFEST, f"conditions are shifted by {x:+.2f}, {y:+.2f} pixels against targets (median)")


class _Tree:
    """Reads the pairs of a layout in which each picture is a file."""

    def __init__(self, folder: Path, spec: ExportSpec, listed: Mapping[str, WrittenFile]):
        self._folder, self._spec, self._listed = folder, spec, listed
        self.faults: list[ExportFault] = []

    def pairs(self) -> Iterator[PairBytes]:
        """Each pair as far as it is there; other faults of its files are kept."""
        for stem in _stems(self._spec, self._listed):
            found: dict[Role, bytes] = {}
            for role, pattern in self._spec.files.items():
                file = self._listed.get(pattern.format(stem=stem))
                data = self._read(file) if file is not None else None
                if data is not None:
                    found[role] = data
            caption = found.pop("caption", b"").decode("utf-8", "replace")
            yield PairBytes(stem, "", caption, None, found)

    def _read(self, file: WrittenFile) -> bytes | None:
        try:
            data = (self._folder / file.path).read_bytes()
        except OSError as error:
            self.faults.append(ExportFault(file.path, f"it cannot be read: {error.strerror}"))
            return None
        if len(data) != file.size or sha256_hex(data) != file.sha256:
            self.faults.append(ExportFault(file.path, "it is not what was exported"))
        return data


class _Packed:
    """Reads the pairs of a layout with shards."""

    def __init__(self, folder: Path, spec: ExportSpec, shards: Shards, listed: Mapping[str, WrittenFile]):
        self._folder, self._shards, self._listed = folder, shards, listed
        self.faults: list[ExportFault] = []
        need_packages(spec)

    def pairs(self) -> Iterator[PairBytes]:
        """Each pair of each shard; a damaged shard gives those before the damage."""
        for path, file in self._listed.items():
            if file.made_of == BESIDE:
                continue
            try:
                if file_sha256(self._folder / path) != file.sha256:
                    self.faults.append(ExportFault(path, "it is not what was exported"))
                yield from self._shards.read(self._folder / path)
            except (OSError, ValueError) as error:
                self.faults.append(ExportFault(path, f"it cannot be read: {error}"))


def _stems(spec: ExportSpec, listed: Mapping[str, WrittenFile]) -> list[str]:
    """The stem of every listed file of a pair, in order."""
    found: dict[str, None] = {}
    for pattern in spec.files.values():
        before, after = pattern.split("{stem}")
        for path in listed:
            if (
                path.startswith(before)
                and path.endswith(after)
                and "/" not in path[len(before) : len(path) - len(after)]
            ):
                stem = path[len(before) : len(path) - len(after)]
                if not any(stem.endswith(other) for other in _suffixes(spec)):
                    found[stem] = None
    return sorted(found)


def _suffixes(spec: ExportSpec) -> set[str]:
    """What follows the stem in the names of files that lie beside the target."""
    names = (PurePosixPath(pattern).stem.removeprefix("{stem}") for pattern in spec.files.values())
    return {name for name in names if name}


def _list_faults(folder: Path, manifest: Mapping[str, object]) -> Iterator[ExportFault]:
    try:
        found = sha256_hex((folder / FILES).read_bytes())
    except OSError as error:
        yield ExportFault(FILES, f"it cannot be read: {error.strerror}")
        return
    if found != manifest.get("files_sha256"):
        yield ExportFault(FILES, "it is not the one that the manifest names")


def _stranger_faults(folder: Path, spec: ExportSpec, listed: Mapping[str, WrittenFile]) -> Iterator[ExportFault]:
    """Pictures and texts beside those of the export, which trainers would take; caches are left alone."""
    if spec.shards is not None:
        suffix = PurePosixPath(spec.shards.path).suffix
        for found in sorted((folder / spec.shards.path).parent.glob(f"*{suffix}")):
            path = found.relative_to(folder).as_posix()
            if path not in listed:
                yield ExportFault(path, "it is no file of this export, and its reader would take it")
        return
    for place in sorted({str(PurePosixPath(pattern).parent) for pattern in spec.files.values()}):
        try:
            names = sorted(path.name for path in (folder / place).iterdir())
        except OSError as error:
            yield ExportFault(place, f"it cannot be read: {error.strerror}")
            continue
        for name in names:
            path = f"{place}/{name}"
            suffix = PurePosixPath(name).suffix.lower()
            if path not in listed and (suffix in IMAGE_SUFFIXES or suffix == ".txt"):
                yield ExportFault(path, "it is no file of this export, and trainers would take it")


def _pair_faults(
    spec: ExportSpec, manifest: Mapping[str, object], pair: PairBytes, pictures: dict[Role, Pixels8]
) -> list[ExportFault]:
    """What is wrong with a pair; its pictures are put into ``pictures``."""
    faults = []
    if not (pair.stem.isascii() and pair.stem.isdigit()):
        faults.append(ExportFault(pair.stem, "a stem must be digits: trainers cut names at dots and underscores"))
    sizes: dict[Role, tuple[int, int]] = {}
    for role in IMAGES:
        path = spec.files[role].format(stem=pair.stem)
        if role not in pair.images:
            faults.append(ExportFault(path, f"the {role} of {pair.stem} is missing"))
            continue
        try:
            pixels = decode_png(pair.images[role])
        except ImageCorruptError as error:
            faults.append(ExportFault(path, f"it is no picture: {error}"))
            continue
        sizes[role], pictures[role] = (pixels.shape[1], pixels.shape[0]), pixels
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        if channels != (1 if role == "mask" else 3):
            faults.append(ExportFault(path, f"it has {channels} channels; trainers drop an alpha, or paste on black"))
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{role} {width} x {height}" for role, (width, height) in sizes.items())
        faults.append(ExportFault(pair.stem, f"its pictures differ in size: {shown}"))
    if not pair.caption.strip() and manifest.get("captions") != {"none": manifest.get("pairs")}:
        faults.append(ExportFault(pair.stem, "its caption is missing or empty"))
    return faults


def _index_faults(folder: Path, listed: Mapping[str, WrittenFile], pairs: int) -> Iterator[ExportFault]:
    for name in (path for path, file in listed.items() if file.made_of == BESIDE):
        try:
            same = file_sha256(folder / name) == listed[name].sha256
        except OSError as error:
            yield ExportFault(name, f"it cannot be read: {error.strerror}")
            continue
        if not same:
            yield ExportFault(name, "it is not what was exported")
        if name not in _TABLES:
            continue
        count = 0
        try:
            for count, cells in enumerate(_rows(folder / name), start=1):
                for key, cell in cells.items():
                    if key in _NOT_FILES or not isinstance(cell, str) or not cell.endswith(".png"):
                        continue
                    if cell.startswith("/") or ".." in cell.split("/"):
                        yield ExportFault(name, f"line {count}: {cell} does not lie in the export")
                    elif cell not in listed:
                        yield ExportFault(name, f"line {count}: {cell} is not there")
        except (OSError, ValueError) as error:
            yield ExportFault(name, f"it cannot be read: {error}")
            continue
        if count != pairs:
            yield ExportFault(name, f"it has {count} rows for {pairs} pairs")


_TABLES = {"metadata.jsonl", "pairs.jsonl", "metadata.csv"}
_NOT_FILES = {"image_path", "text", "prompt", "caption", "edit_prompt", "licence"}


def _rows(path: Path) -> Iterator[Mapping[str, object]]:
    with path.open(encoding="utf-8", newline="") as stream:
        if path.suffix == ".csv":
            yield from csv.DictReader(stream)
            return
        for line in stream:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a line is no object")  # noqa: TRY004  (as json does)
            yield row
