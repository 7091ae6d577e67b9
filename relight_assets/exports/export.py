"""One export of one split: which pairs, their files, what lies beside them, and the manifest."""

import csv
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from relight_assets import __version__
from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.core.hashing import canonical_digest, file_sha256, sha256_hex
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.origin import read_origin, write_origin
from relight_assets.dataset.paths import plain_text
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ChangedOutputError
from relight_assets.exports.base import IMAGES, ExportSpec, IndexInputs, Pair, PairBytes, Shards, Source
from relight_assets.exports.captioning import ask
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.cards.write import card_files, write_cards
from relight_assets.exports.pictures.pair_pictures import PairPictures, Picture
from relight_assets.exports.registry import need_packages
from relight_assets.exports.rows.labels import columns
from relight_assets.exports.rows.licences import NONE_GIVEN
from relight_assets.exports.rows.pairs import PairSource
from relight_assets.exports.snapshot import (
    FILES,
    SAMPLES,
    Snapshots,
    WrittenFile,
    is_whole,
    read_files,
    write_files,
    write_manifest,
)
from relight_assets.exports.threads import in_threads
from relight_assets.storage.files import output_token

FORMAT = "2"
"""Raised when the same pairs and options give other files."""


@dataclass(frozen=True)
class Exported:
    """What an export did."""

    split: str
    layout: str
    folder: Path
    pairs: int
    left_out: Counter[str]
    linked: int
    """Files that are links: of an output, or of the snapshot before."""
    written: int
    changed: bool
    """False: the newest snapshot was this one already."""


def export_split(
    state: SplitState,
    spec: ExportSpec,
    options: ExportOptions,
    root: Path,
    *,
    taken: Collection[str] = (),
    dropped: Collection[str] = (),
    watch: Callable[[int, int], None] = lambda _done, _all: None,
) -> Exported:
    """Write a snapshot of a split's finished pairs, unless the newest has them already.

    Args:
        state: as the split stands.
        spec: the layout.
        options: what is asked for.
        root: ``<out>/<name>``.
        taken: sha256 of photos that another split keeps.
        dropped: keys and sha256 of photos that a review drops.
        watch: given how many pairs are written, of how many.

    Raises:
        UserError, ConfigError: an option that cannot be used, a caption command that gives nothing, or somebody else's
            files in the way.
        OutputFolderError: a run is writing the split, or the export's folder cannot be written.
        ChangedOutputError: a file is not what its record says.
    """
    need_packages(spec)
    source = PairSource(state, spec, options, frozenset(taken), frozenset(dropped))
    snapshots = Snapshots(root.absolute(), state.split.split)
    snapshots.refuse_others()
    left_out: Counter[str] = Counter()
    # Before the folder is locked: the program may take hours.
    answers = ask(source.pairs(Counter()), options, snapshots.root)
    with locked_folder(state.layout, to_read=True):
        pairs = answers.applied(tuple(source.pairs(left_out)), source)
        if pairs:
            _remember(state.layout, snapshots.root)
        digest = _digest(spec, options, snapshots.root, pairs)
        folder = snapshots.folder(digest)
        if not pairs:
            return Exported(state.split.split, spec.name, folder, 0, left_out, 0, 0, changed=False)
        if is_whole(folder):
            snapshots.point_to(folder)
            return Exported(state.split.split, spec.name, folder, len(pairs), left_out, 0, 0, changed=False)
        with snapshots.new(digest) as temp:
            files = _PairFiles(temp, state.split.split, spec, options, _before(snapshots))
            shards = tuple(files.shards(spec.shards, pairs, watch)) if spec.shards is not None else ()
            written = shards or _written(files, pairs, watch)
            inputs = IndexInputs(state.split.split, folder, options, pairs, spec)
            write_files(temp, chain(written, _write_beside(temp, inputs, source, shards)))
            unanswered = answers.missing(pairs, options)
            write_manifest(temp, {**_manifest(state, inputs, digest, left_out, temp), "unanswered": unanswered})
    return Exported(
        state.split.split, spec.name, folder, len(pairs), left_out, files.linked, files.written, changed=True
    )


def _remember(layout: SplitLayout, root: Path) -> None:
    """Have the split know where its pairs went, for whoever must find all of them; not where it cannot be written.

    What lies in the output folder is found there, also where all of it has moved.
    """
    above = layout.folder.parent
    if root.is_relative_to(above.parents[1] if above.parent.name == "experiments" else above):
        return
    with suppress(OSError):
        origin, place = read_origin(layout), plain_text(str(root))
        if origin is not None and place not in origin.exports:
            write_origin(layout, replace(origin, exports=(*origin.exports, place)))


def _digest(spec: ExportSpec, options: ExportOptions, folder: Path, pairs: tuple[Pair, ...]) -> str:
    # The folder too: configurations of trainers name it.
    asked = {"format": FORMAT, "layout": spec.name, "options": options.model_dump(mode="json"), "folder": str(folder)}
    # What the cards say beyond the pairs.
    asked |= {"cards": card_files(), "made_by": sorted({pair.made_by for pair in pairs})}
    return canonical_digest([asked, *(_row_of(pair) for pair in pairs)])


def _row_of(pair: Pair) -> list[str]:
    """All that decides what is exported of a pair, but for the options."""
    contents = (source.sha256 for source in pair.sources.values())
    return [pair.stem, pair.image_path, pair.caption.text, pair.labels_sha256, *contents]


def _groups(pairs: tuple[Pair, ...], max_bytes: int) -> Iterator[list[Pair]]:
    """Pairs one after another, as many as hold at most so many bytes of target and condition; at least one."""
    group: list[Pair] = []
    size = 0
    for pair in pairs:
        more = pair.sources["input"].size + pair.sources["output"].size
        if group and size + more > max_bytes:
            yield group
            group, size = [], 0
        group.append(pair)
        size += more
    if group:
        yield group


def _before(snapshots: Snapshots) -> tuple[Path, dict[str, WrittenFile]] | None:
    """The newest snapshot and its files, by path."""
    with suppress(OSError):
        folder = snapshots.newest.resolve(strict=True)
        return folder, {file.path: file for file in read_files(folder)}
    return None


def _written(files: "_PairFiles", pairs: tuple[Pair, ...], watch: Callable[[int, int], None]) -> Iterator[WrittenFile]:
    """Write the files of all pairs, several at a time; gives them in the order of the pairs."""
    for done, written in enumerate(in_threads(files.write, pairs), start=1):
        yield from written
        watch(done, len(pairs))


class _PairFiles:
    """Writes the files of pairs into a new snapshot, as links where nothing has changed."""

    def __init__(
        self,
        folder: Path,
        split: str,
        spec: ExportSpec,
        options: ExportOptions,
        before: tuple[Path, dict[str, WrittenFile]] | None,
    ):
        self._folder, self._spec, self._options, self._before = folder, spec, options, before
        self._split = split
        self.linked = self.written = 0
        for pattern in spec.files.values() if spec.shards is None else ():
            (folder / pattern).parent.mkdir(parents=True, exist_ok=True)

    def shards(
        self, shards: Shards, pairs: tuple[Pair, ...], watch: Callable[[int, int], None]
    ) -> Iterator[WrittenFile]:
        """Write the shards, or link those that hold what they held before; gives them in order."""
        groups, done = list(_groups(pairs, shards.max_bytes)), 0
        for number, group in enumerate(groups):
            path = shards.path.format(split=self._split, number=number, count=len(groups))
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            made_of = canonical_digest([FORMAT, self._options.pixels, *(_row_of(pair) for pair in group)])
            known = self._same_before(path, Picture(made_of, None))
            if known is not None:
                self._place(known[0], target)
                yield known[1]
            else:
                shards.write(target, self._bytes_of(group))
                self.written += 1
                yield WrittenFile(path, file_sha256(target), target.stat().st_size, made_of)
            done += len(group)
            watch(done, len(pairs))

    def _bytes_of(self, pairs: Sequence[Pair]) -> Iterator[PairBytes]:
        return in_threads(self._pair_bytes, pairs)

    def _pair_bytes(self, pair: Pair) -> PairBytes:
        pictures = PairPictures(pair, self._options)
        images = {role: pictures.data(role) for role in IMAGES if role in self._spec.files}
        return PairBytes(pair.stem, pair.image_path, pair.caption.text, pair.licence, images)

    def write(self, pair: Pair) -> list[WrittenFile]:
        """Write the files of one pair."""
        pictures = PairPictures(pair, self._options)
        files = []
        for role, pattern in self._spec.files.items():
            path = pattern.format(stem=pair.stem)
            if role in IMAGES:
                files.append(self._image(path, pictures.picture(role), partial(pictures.made, role)))
            elif pair.caption.text:
                data = f"{pair.caption.text}\n".encode()
                (self._folder / path).write_bytes(data)
                files.append(WrittenFile(path, sha256_hex(data), len(data), "caption"))
        return files

    def _image(self, path: str, picture: Picture, make: Callable[[], bytes]) -> WrittenFile:
        target = self._folder / path
        known = self._same_before(path, picture)
        if known is not None:
            self._place(known[0], target)
            return known[1]
        if picture.source is not None:
            self._place(picture.source.path, target)
            _check(target, picture.source)
            return WrittenFile(path, picture.source.sha256, picture.source.size, picture.made_of)
        data = make()
        target.write_bytes(data)
        self.written += 1
        return WrittenFile(path, sha256_hex(data), len(data), picture.made_of)

    def _same_before(self, path: str, picture: Picture) -> tuple[Path, WrittenFile] | None:
        """The file of the snapshot before that holds the same, unless somebody has changed it."""
        if self._before is None or picture.source is not None:
            return None
        folder, files = self._before
        file = files.get(path)
        if file is None or file.made_of != picture.made_of:
            return None
        with suppress(OSError):
            if (folder / path).stat().st_size == file.size and file_sha256(folder / path) == file.sha256:
                return folder / path, file
        return None

    def _place(self, source: Path, target: Path) -> None:
        if self._options.link == "hard":
            with suppress(OSError):  # another file system, or one without links
                os.link(source, target)
                self.linked += 1
                return
        shutil.copy2(source, target)
        self.written += 1


def _check(path: Path, source: Source) -> None:
    """Refuse a file that has not the size and token of its record."""
    status = path.stat()
    if (status.st_size, output_token(status)) != (source.size, source.token):
        raise ChangedOutputError(
            f"{source.path} is not what its record says; run the split again, or see `relight verify`"
        )


def _write_beside(
    folder: Path, inputs: IndexInputs, source: PairSource, shards: Sequence[WrittenFile]
) -> Iterator[WrittenFile]:
    """Write the index files of the layout, samples.csv and the cards; gives them."""
    beside: list[WrittenFile] = []
    for name, pieces in inputs.spec.indexes(inputs):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(pieces)
        beside.append(WrittenFile.beside(folder, name))
    counts = _write_samples(folder, inputs, source)
    beside.append(WrittenFile.beside(folder, SAMPLES))
    yield from beside
    yield from write_cards(folder, inputs, counts, [*shards, *beside], source.licence_column)


def _write_samples(folder: Path, inputs: IndexInputs, source: PairSource) -> Counts:
    """Write samples.csv; gives what is counted over its rows."""
    counts = Counts()
    with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns())
        for pair in inputs.pairs:
            found = source.labels(pair)
            if found is None:
                raise ChangedOutputError(f"the record of {pair.image_path} changed while it was exported; export again")
            writer.writerow(["" if value is None else value for value in found[1].values()])
            counts.add(*found)
    return counts


def _manifest(
    state: SplitState, inputs: IndexInputs, digest: str, left_out: Counter[str], folder: Path
) -> dict[str, Any]:
    spec, options, pairs = inputs.spec, inputs.options, inputs.pairs
    return {
        "format": FORMAT,
        "layout": spec.name,
        "reader": spec.reader,
        "split": state.split.split,
        "digest": digest,
        "pairs": len(pairs),
        "photos": len({pair.number for pair in pairs}),
        "left_out": dict(sorted(left_out.items())),
        "captions": dict(sorted(Counter(pair.caption.source for pair in pairs).items())),
        "licences": dict(sorted(Counter(pair.licence or NONE_GIVEN for pair in pairs).items())),
        "options": options.model_dump(mode="json"),
        "files_sha256": sha256_hex((folder / FILES).read_bytes()),
        "csv_sha256": state.split.sha256,
        "package_version": __version__,
    }
