"""Forgetting photos: first the list of what is to be gone, on the disk, then split by split all that is theirs.

The list is all that a call goes by.  So one that was ended at any moment is finished by the next, which removes
whatever it finds of any photo in the list.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.dataset.derived.thumbnails import clean_thumbnails
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.tombstones import Tombstones, add_tombstones, read_tombstones
from relight_assets.errors import OutputFolderError
from relight_assets.forgetting.captions import clear_captions
from relight_assets.forgetting.eraser import Eraser, Left
from relight_assets.forgetting.proof import Proof
from relight_assets.forgetting.request import Request
from relight_assets.forgetting.snapshot_eraser import SnapshotEraser
from relight_assets.forgetting.snapshots import Snapshot, clean_unfinished, exports_below, snapshots_in
from relight_assets.forgetting.split_folder import FolderEraser
from relight_assets.forgetting.survey import Folder, Trace, folders_of, traces_in
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL
from relight_assets.storage.locks import TakenError


@dataclass
class Forgotten:
    """What a call did."""

    photos: int
    """In the list of those that are forgotten."""
    new: int
    """Of them, since this call."""
    found: int = 0
    """Of all of them, of how many something was there."""
    went: Mapping[Path, Counter[str]] = field(default_factory=dict)
    """What went, by the folder or file that held it and by kind."""
    strangers: list[Path] = field(default_factory=list)
    """Files of others in exports that had the photos: nobody can tell whether these show them."""
    away: list[Path] = field(default_factory=list)
    """Folders of exports that are not there now."""
    places: set[str] = field(default_factory=set)
    """Where the photos themselves were."""
    left: list[Left] = field(default_factory=list)
    """What is still there; nothing: the proof holds."""
    files: int = 0
    """Files that the proof looked at."""


def forget(
    settings: Settings,
    request: Request,
    *,
    exports: Sequence[Path] = (),
    dry_run: bool = False,
    wait_s: float = 0.0,
    storage: Storage = LOCAL,
) -> Forgotten:
    """Remove all that is there of photos, those of earlier calls too, and bar them for all time.

    Args:
        settings: of the project.
        request: the photos.
        exports: folders of exports beside that of the settings.
        dry_run: only tell what would go.
        wait_s: seconds to wait for whoever writes in a split's folder.
        storage: of the splits.

    Raises:
        OutputFolderError: the list of the photos cannot be read or written, or another call is at work; nothing was
            removed.
    """
    root = settings.output_root
    if not request.reasons and not read_tombstones(root, storage).reasons:
        return Forgotten(0, 0)
    with _alone(root, storage, needed=not dry_run):
        before = read_tombstones(root, storage).reasons
        if dry_run:
            tombstones = Tombstones({**request.reasons, **before})
        else:
            storage.clean(root)
            tombstones = add_tombstones(root, request.reasons, storage)
        result = Forgotten(len(tombstones.reasons), len(tombstones.reasons) - len(before))
        _Work(settings, request, tombstones, Eraser(dry_run, storage), wait_s, result, [*exports]).do()
    return result


@contextmanager
def _alone(output_root: Path, storage: Storage, *, needed: bool) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            if needed:
                stack.enter_context(storage.lock(output_root / ".forgotten.lock"))
        except TakenError as taken:
            raise OutputFolderError(f"another `relight forget` is at work: {taken}; wait for it, or stop it") from None
        except OSError as error:
            raise OutputFolderError(f"{output_root} cannot be written: {error}. Nothing was removed.") from error
        yield


@dataclass
class _Work:
    """One call."""

    settings: Settings
    request: Request
    tombstones: Tombstones
    eraser: Eraser
    wait_s: float
    result: Forgotten
    exports: list[Path]
    pictures: dict[str, int] = field(default_factory=dict)
    """sha256 and size of the files that were made of the photos."""
    living: set[str] = field(default_factory=set)
    """sha256 of all other pictures."""
    cleared: list[tuple[Snapshot, frozenset[str]]] = field(default_factory=list)
    """Snapshots that had pairs of the photos, and the stems of these."""
    found: set[str] = field(default_factory=set)

    def do(self) -> None:
        folders = self._folders()
        roots = self._export_folders(folders)
        exported = {each.split for root in roots for each in self._snapshots(root)}
        for split in sorted({*(each.split for each in folders), *exported}):
            ours = [each for each in folders if each.split == split]
            with ExitStack() as locks:
                if self._lock(ours, locks):
                    self._clear_split(split, ours, roots)
        # Where a folder could not be looked at, nobody knows which pictures there are.
        for root in roots if not self.eraser.left else ():
            with self.eraser.trying(root):
                clear_captions(root, self.living, self.eraser)
        self.result.found = len(self.found)
        self.result.went, self.result.left = self.eraser.went, self.eraser.left
        if not self.eraser.dry_run:
            self._prove(folders, roots)

    def _folders(self) -> list[Folder]:
        found: list[Folder] = []
        with self.eraser.trying(self.settings.output_root):
            found += folders_of(self.settings.output_root, self.eraser.storage)
        return found

    def _export_folders(self, folders: Sequence[Folder]) -> list[Path]:
        """The folders in which snapshots lie: where settings and options have them, and where they were written."""
        found: list[Path] = []
        for folder in folders:
            with self.eraser.trying(folder.layout.origin):
                origin = folder.origin()
                found += map(Path, origin.exports if origin is not None else ())
        away = [each for each in found if not each.is_dir()]
        for root in (self.settings.export_folder, *self.exports):
            with self.eraser.trying(root):
                found += exports_below(root) if root.is_dir() else ()
        self.result.away = sorted(set(away))
        # Exports may lie among the outputs of splits, which have no snapshots.
        ours = {each.layout.folder for each in folders}
        return [each for each in dict.fromkeys(found) if each.is_dir() and not each.is_symlink() and each not in ours]

    def _snapshots(self, root: Path) -> list[Snapshot]:
        found: list[Snapshot] = []
        with self.eraser.trying(root):
            found += snapshots_in(root)
        return found

    def _lock(self, folders: Sequence[Folder], locks: ExitStack) -> bool:
        """Be the only writer of all folders of a split: no run makes, and no export takes, what is about to go."""
        for folder in folders if not self.eraser.dry_run else ():
            try:
                locks.enter_context(locked_folder(folder.layout, wait_s=self.wait_s))
            except OutputFolderError as error:
                self.eraser.left.append(Left(folder.layout.folder, str(error)))
                return False
        return True

    def _clear_split(self, split: str, folders: Sequence[Folder], roots: Sequence[Path]) -> None:
        traces: list[tuple[Folder, list[Trace]]] = []
        for folder in folders:
            with self.eraser.trying(folder.layout.folder):
                if not self.eraser.dry_run:
                    folder.layout.storage.clean(folder.layout.folder)
                    clean_thumbnails(folder.layout)
                traces.append((folder, list(traces_in(folder.layout))))
        known = {
            trace.key for _, some in traces for trace in some if trace.is_rejection or trace.sha256 in self.tombstones
        }
        keys = known | {key for named, key in self.request.names if named == split}
        for root in roots:
            with self.eraser.trying(root):
                clean_unfinished(root, split, self.eraser)
            for snapshot in self._snapshots(root):
                if snapshot.split == split:
                    self._clear_snapshot(snapshot)
        for folder, some in traces:
            meant = [trace for trace in some if self._is_meant(trace, keys)]
            self._note(some, meant)
            self._name_unknown(folder, set(some) - set(meant))
            with self.eraser.trying(folder.layout.folder):
                FolderEraser(folder, self.settings, self.tombstones, self.eraser).clear(meant)

    def _is_meant(self, trace: Trace, keys: set[str]) -> bool:
        """Whether a number is of one of the photos; what is damaged or was never read goes by its name."""
        return trace.sha256 in self.tombstones or trace.is_rejection or (trace.sha256 is None and trace.key in keys)

    def _name_unknown(self, folder: Folder, others: Iterable[Trace]) -> None:
        """Pictures of which no record says whose they are may be of one of the photos."""
        for trace in sorted((each for each in others if each.has_unknown_pictures), key=lambda each: each.number):
            reason = "nobody can tell whose pictures these are; run the split again, or remove them, and call again"
            self.eraser.left.append(Left(folder.layout.folder / f"{trace.number:05d}_*.png", reason))

    def _note(self, traces: Sequence[Trace], meant: Sequence[Trace]) -> None:
        numbers = {trace.number for trace in meant}
        for trace in traces:
            if trace.number in numbers:
                self.found.update({trace.sha256} if trace.sha256 is not None else ())
                own = [trace.source] if trace.source is not None else []
                self.pictures.update((stamp.sha256, stamp.size) for stamp in (*trace.outputs, *own))
                self.result.places.update(trace.places)
            else:
                self.living.update(stamp.sha256 for stamp in trace.outputs)

    def _clear_snapshot(self, snapshot: Snapshot) -> None:
        cleared = SnapshotEraser(snapshot, self.tombstones, self.eraser).clear()
        self.living.update(cleared.living)
        if cleared.stems:
            self.found.update(cleared.photos)
            self.cleared.append((snapshot, cleared.stems))
            self.pictures.update(dict.fromkeys(cleared.pictures, -1))  # of a size that no file has: only their names
            if snapshot.folder.is_dir():
                theirs = set(snapshot.strangers(cleared.stems))
                self.result.strangers += [path for path in snapshot.strangers() if path not in theirs]

    def _prove(self, folders: Sequence[Folder], roots: Sequence[Path]) -> None:
        # What another photo has too proves nothing, such as a background that is transparent all over.
        pictures = {sha256: size for sha256, size in self.pictures.items() if sha256 not in self.living}
        proof = Proof(self.tombstones.reasons.keys(), pictures)
        experiments = self.settings.output_root / "experiments"
        proof.search([*(each.layout.folder for each in folders if each.experiment is None), experiments, *roots])
        for snapshot, stems in self.cleared:
            proof.search_pairs(snapshot, stems)
        self.result.left += proof.left
        self.result.files = proof.files
