"""Before the work: whose photos the rows' are, which numbers they have, and what no mapping may name any more."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from relight_assets.config.settings import Settings
from relight_assets.core.atomic_io import PlaceTakenError
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.origin import Origin, read_origin, write_origin
from relight_assets.dataset.paths import plain_text
from relight_assets.dataset.records import known_record, remove_failure, remove_record, write_failure, write_record
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.base_results import link_from_base, seed_index
from relight_assets.engine.hash_files import hash_files
from relight_assets.engine.progress import Progress, ProgressWriter
from relight_assets.engine.publish import withdraw_stale_outputs
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.identity import Adopted, csv_place, decide, files_to_hash, orphans_of, refusal
from relight_assets.engine.state.image_state import ImageState, blocked, failed
from relight_assets.engine.state.scan import SplitState, scan_split
from relight_assets.errors import OtherPhotosError
from relight_assets.storage.files import FileStamp


@dataclass
class Preparation:
    """What is prepared, in a folder of which the caller is the only writer."""

    split: SplitCsv
    settings: Settings
    layout: SplitLayout
    digests: Digests
    tombstones: Tombstones
    watch: Callable[[Progress], None]
    experiment: str | None = None
    num_samples: int | None = None
    replace_photos: bool = False
    notes: list[str] = field(default_factory=list)
    """What a person should know."""
    _hashes: dict[str, FileStamp | None] = field(default_factory=dict)

    def prepared(self) -> SplitState:
        """The split as it is once all is prepared: every image has a number.

        An experiment reuses base results where both recipes agree.

        Raises:
            OtherPhotosError: the CSV is refused, whole; nothing was written.
            UserError, OSError: a file cannot be read or written.
            WorkersFailedError: files cannot be hashed.
        """
        own = self._own()
        if self.experiment is None or not own.is_there:
            return self._withdrawn(self._numbered(self._settled(), ()))
        with locked_folder(own):
            seed_index(own, self.layout)
            # The split's first, in their order: photos that came to it since get the same numbers here.
            state = self._withdrawn(self._numbered(self._settled(), lasting_index.load(own)))
            count = link_from_base(self._checked(own), state, self.num_samples)
        return self._scan(self.layout) if count else state

    def _own(self) -> SplitLayout:
        """The split's own folder, beside that of an experiment."""
        return SplitLayout(split_folder(self.settings.output_root, self.split.split), self.layout.storage)

    def _scan(self, layout: SplitLayout) -> SplitState:
        return scan_split(
            self.split,
            layout,
            self.digests,
            self.settings.photo_root,
            tombstones=self.tombstones,
            hashes=self._hashes,
            keep=layout == self.layout and self._is_ours(),
        )

    def _is_ours(self) -> bool:
        """Whether the folder is this CSV's: in another's nothing is written until it is decided whose it is."""
        origin = read_origin(self.layout)
        return origin is not None and origin.path == plain_text(str(self.split.path.absolute()))

    def _checked(self, layout: SplitLayout) -> SplitState:
        """The rows in a folder, with nothing left unchecked."""
        state = self._scan(layout)
        if not self._hash(files_to_hash(state, (), self._hashes)):
            return state
        del state  # before there is another
        return self._scan(layout)

    def _hash(self, files: Mapping[int, tuple[str, ...]]) -> bool:
        """Hash files; false where there are none."""
        if not files:
            return False
        layout, split = self.layout, self.split.split
        progress = ProgressWriter(layout.progress, split, len(files), counted="images hashed", storage=layout.storage)
        self._hashes.update(hash_files(files, self.settings, progress, self.watch, (layout, self._own())))
        self.notes += progress.warnings
        return True

    # -- whose photos -----------------------------------------------------------------------------------------

    def _settled(self) -> SplitState:
        """The split once its photos are known to be those of its images, and records and origin say so."""
        state = self._scan(self.layout)
        if not self.replace_photos and (reason := refusal(state)) is not None:
            raise OtherPhotosError(reason)
        orphans = orphans_of(state)
        if self._hash(files_to_hash(state, orphans, self._hashes)):
            del state  # before there is another
            state = self._scan(self.layout)
        decision = decide(state, orphans, self._hashes, replace_photos=self.replace_photos)
        if decision.adopted:
            self._adopt(state, decision.adopted)
            del state
            state = self._checked(self.layout)
        if decision.replaced:
            self._withdrawn(state)
        replaced = set(decision.replaced)
        for key, image in state.images.items():
            state.images[key] = self._with_record(image, replaced)
        origin = self._origin(state)
        write_origin(self.layout, origin)
        return dataclasses.replace(state, origin=origin)

    def _adopt(self, state: SplitState, adopted: Collection[Adopted]) -> None:
        """Give photos that stand under other names what was made of them, with its number."""
        numbers = dict(state.index)
        for each in adopted:
            own = numbers.get(each.key)
            try:
                if own is not None:  # nothing stands under it
                    remove_failure(self.layout, own)
                if each.record is not None:
                    write_record(self.layout, each.record, durable=False)
            except PlaceTakenError:
                continue  # what was made of it stays where it is, and it is a new image
            if each.failure is not None:
                with suppress(PlaceTakenError):  # then it is tried again
                    write_failure(self.layout, each.failure, durable=False)
            numbers.pop(each.key, None)
            del numbers[each.orphan.key]
            numbers[each.key] = each.orphan.number
        # After the records, which are believed where the two disagree.
        lasting_index.extend(self.layout, (), numbers)

    def _with_record(self, image: ImageState, replaced: Collection[int]) -> ImageState:
        """Write down what is known of an image's files now; drop the record of one whose photo is to be another."""
        try:
            return self._written(image, replaced)
        except PlaceTakenError as taken:
            failure = failed(image.key, image.index, blocked(taken), "masks", previous=image.failure)
            return replace(image, source=None, failure=failure, new_stamps=None, new_failure=None)

    def _written(self, image: ImageState, replaced: Collection[int]) -> ImageState:
        if image.index is None:
            return image
        if image.index in replaced:
            remove_record(self.layout, image.index)
            return replace(image, recorded=False, new_stamps=None, current=(), photo="new", unchecked=())
        if image.new_stamps is None and image.new_failure is None:
            return image
        if image.new_stamps is not None and (record := known_record(self.layout, image.index)) is not None:
            write_record(self.layout, image.new_stamps.applied(record), durable=False)
        if image.new_failure is not None:
            write_failure(self.layout, image.new_failure, durable=False)
        return replace(image, failure=image.new_failure or image.failure, new_stamps=None, new_failure=None)

    def _origin(self, state: SplitState) -> Origin:
        root = self.settings.image_root
        former = state.origin
        return Origin(
            path=csv_place(state),
            sha256=self.split.sha256,
            image_root=plain_text(str(root)) if root is not None else None,
            # Whether they are there or not: a disk that is away comes back.
            mappings=former.mappings if former is not None else (),
            exports=former.exports if former is not None else (),
        )

    # -- numbers and mappings ---------------------------------------------------------------------------------

    def _numbered(self, state: SplitState, first: Collection[str]) -> SplitState:
        """Number the images that have no number yet, those of ``first`` before the others."""
        keys = [key for key in state.keys if key is not None]
        index = lasting_index.extend(self.layout, [*first, *keys], state.index)
        # Nothing lies under a new number, so there is nothing to scan.
        for key, image in state.images.items():
            state.images[key] = _with_number(image, index[key])
        return dataclasses.replace(state, index=index)

    def _withdrawn(self, state: SplitState) -> SplitState:
        """Withdraw from all mappings what is about to be written."""
        notes = withdraw_stale_outputs(state, self.settings, self.experiment)
        self.notes += [note for note in notes if note not in self.notes]
        return state


def _with_number(image: ImageState, number: int) -> ImageState:
    if image.index == number:
        return image
    failure = replace(image.failure, index=number) if image.failure is not None else None
    return replace(image, index=number, failure=failure)
