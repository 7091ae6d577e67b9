"""Whether the photos of a CSV are those that a folder's images were made of; decided before anything is written.

A row's name may stand for another photo than it did: another CSV of the same name, another disk under the same path, a
file that somebody replaced.  One photo that was edited is redone; where it cannot be an edit, the whole CSV is refused.
And a photo may stand under another name than it did: then its images and its number go along.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from relight_assets.dataset.layout import RECORD_SUFFIX
from relight_assets.dataset.paths import plain_text
from relight_assets.dataset.record_types import Failure, Record
from relight_assets.dataset.records import known_failure, known_record
from relight_assets.engine.state.image_state import NO_HASHES, Hashes, ImageState, SourceFile, has_stamp
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ImageError, OtherPhotosError, SourceMissingError
from relight_assets.storage.files import FileStamp, stamp_source

MIN_PHOTOS = 20
"""With so many known photos, most of which changed at once, another disk is probably mounted there."""
MAX_CHANGED_SHARE = 0.5
"""Share of the known photos that may have changed at once."""
REMEDIES = (
    "rename the CSV for a split of its own, set another output_root, or give --replace to make this CSV the folder's "
    "and redo the rows whose photos are others"
)


@dataclass(frozen=True)
class Orphan:
    """A number whose row is gone, and what was made, or tried, under it."""

    number: int
    key: str
    record: Record | None
    failure: Failure | None
    places: tuple[str, ...]
    """Where its photo was, as far as is known."""
    stamp: FileStamp
    """Of its photo."""


@dataclass(frozen=True)
class Adopted:
    """A photo that stands under another name than it did, with what was made of it."""

    key: str
    """Its new name."""
    orphan: Orphan
    place: str
    stamp: FileStamp | None
    """As it is now; None: it was edited since."""

    @property
    def record(self) -> Record | None:
        """What its record says from now on."""
        if self.orphan.record is None:
            return None
        source = self.orphan.record.source
        token = self.stamp.token if self.stamp is not None else source.token
        return replace(self.orphan.record, image_path=self.key, source=replace(source, place=self.place, token=token))

    @property
    def failure(self) -> Failure | None:
        """What its failure file says from now on."""
        return replace(self.orphan.failure, image_path=self.key) if self.orphan.failure is not None else None


@dataclass(frozen=True)
class Decision:
    """What is to be written before the work, none of which changes an image."""

    adopted: list[Adopted]
    """Photos that stand under another name than they did."""
    replaced: list[int]
    """Numbers whose record no longer holds, because another photo has their name and is to replace theirs."""


def orphans_of(state: SplitState) -> list[Orphan]:
    """The numbers whose rows are gone, the lowest first; none where no row could take one.

    Of one whose record cannot be read nobody knows whose it was: no row takes it.
    """
    if not any(_is_free(image) for image in state.images.values()):
        return []
    gone = sorted((number, key) for key, number in state.index.items() if key not in state.images)
    found = (_orphan(state, number, key) for number, key in gone)
    return [orphan for orphan in found if orphan is not None]


def _is_free(image: ImageState) -> bool:
    """Whether nothing stands under an image's number, or it has none, so that it may take another."""
    return image.photo == "new" and image.source is not None


def _orphan(state: SplitState, number: int, key: str) -> Orphan | None:
    record, failure = known_record(state.layout, number), known_failure(state.layout, number)
    if record is not None:
        place = record.source.place
        known = state.origin.places_of(key) if state.origin is not None else []
        places = [place] if place is not None else known
        return Orphan(number, key, record, failure, tuple(places), record.source.stamp)
    if failure is not None and failure.source is not None:
        return Orphan(number, key, None, failure, (), failure.source)
    return None


def files_to_hash(
    state: SplitState, orphans: Sequence[Orphan], hashes: Hashes = NO_HASHES
) -> dict[int, tuple[str, ...]]:
    """The files whose content must be known to decide, beside those that were hashed.

    By the number of the image; one that has none goes by a number of its own below 0.
    """
    found: dict[int, tuple[str, ...]] = {}
    by_place = _by_place(orphans)
    sizes = {orphan.stamp.size for orphan in orphans}
    for position, image in enumerate(state.images.values()):
        paths = list(image.unchecked)
        if _is_free(image) and image.source is not None and image.source.size in sizes:
            there = by_place.get(image.source.place)
            if there is None or not has_stamp(image.source, there.stamp):
                paths.append(image.source.path)
        if left := tuple(path for path in paths if path not in hashes):
            found[image.index if image.index is not None else -1 - position] = left
    return found


def _by_place(orphans: Sequence[Orphan]) -> dict[str, Orphan]:
    return {place: orphan for orphan in reversed(orphans) for place in orphan.places}


def decide(
    state: SplitState,
    orphans: Sequence[Orphan],
    hashes: Hashes,
    *,
    replace_photos: bool = False,
) -> Decision:
    """Decide whose photos the rows' are.

    Args:
        state: of the split, with ``hashes``.
        orphans: of :func:`orphans_of`.
        hashes: of the files of :func:`files_to_hash`.
        replace_photos: a person has asked for it: where the CSV would be refused, it becomes the folder's.

    Raises:
        OtherPhotosError: the CSV is refused, whole.
    """
    adopted = list(_adopted(state, orphans, hashes))
    if not replace_photos:
        reason = refusal(state, adopted)
        if reason is not None:
            raise OtherPhotosError(reason)
    images = state.images.values()
    return Decision(
        adopted=adopted,
        replaced=[image.index for image in images if image.photo == "other" and image.index is not None],
    )


def _adopted(state: SplitState, orphans: Sequence[Orphan], hashes: Hashes) -> Iterator[Adopted]:
    """Each orphan at most once, the lowest number first: by its place, then by its content."""
    left = {orphan.number: orphan for orphan in orphans}
    free = {image.key: image.source for image in state.images.values() if _is_free(image) and image.source is not None}
    by_place = _by_place(orphans)
    for key, source in list(free.items()):
        orphan = by_place.get(source.place)
        if orphan is not None and left.pop(orphan.number, None) is not None:
            del free[key]
            yield Adopted(key, orphan, source.place, _content(source, orphan, hashes))
    by_content: dict[str, list[Orphan]] = {}
    for orphan in left.values():
        by_content.setdefault(orphan.stamp.sha256, []).append(orphan)
    for key, source in free.items():
        stamp = hashes.get(source.path)
        same = by_content.get(stamp.sha256) if stamp is not None else None
        if same:
            yield Adopted(key, same.pop(0), source.place, stamp)


def _content(source: SourceFile, orphan: Orphan, hashes: Hashes) -> FileStamp | None:
    """The stamp of a photo at an orphan's place, if it is the orphan's photo still."""
    if has_stamp(source, orphan.stamp):
        return orphan.stamp
    stamp = hashes.get(source.path)
    return stamp if stamp is not None and stamp.sha256 == orphan.stamp.sha256 else None


def refusal(state: SplitState, adopted: Sequence[Adopted] | None = None) -> str | None:
    """Why a CSV is not that of the folder; None where it is, as far as is known.

    Args:
        state: of the split; what is unchecked says nothing.
        adopted: the rows whose photos stood under other names; None: nobody has looked for such yet.
    """
    images = state.images.values()
    if not any(image.recorded for image in images) and not state.layout.numbers(RECORD_SUFFIX):
        return None  # there is nothing that could be mistaken
    photos: Counter[str] = Counter(image.photo for image in images)
    edited = sum(each.stamp is None for each in adopted or ())
    photos.update({"changed": edited, "same": len(adopted or ()) - edited})
    reason = (
        _other_csv(state)
        or _other_photos(state, photos)
        or _all_changed(state, photos)
        or _no_match(state, photos, renames_known=adopted is not None)
    )
    return f"{state.layout.folder} {reason}: {REMEDIES}" if reason is not None else None


def _other_csv(state: SplitState) -> str | None:
    """Another CSV is still there to which the folder belongs."""
    origin = state.origin
    if origin is None or origin.path == csv_place(state):
        return None
    try:
        if stamp_source(Path(origin.path)).sha256 == state.split.sha256:
            return None
    except SourceMissingError:
        return None
    except ImageError as error:
        return f"belongs to {origin.path}, which cannot be read now ({error})"
    known = [image.key for image in state.images.values() if image.recorded]
    example = f", for instance {known[0]!r}" if known else ""
    return (
        f"belongs to {origin.path}, and {csv_place(state)} is another CSV: {len(known)} of its {len(state.images)} "
        f"names stand for photos there{example}"
    )


def _other_photos(state: SplitState, photos: Mapping[str, int]) -> str | None:
    """Names stand for other photos, at other places."""
    for image in state.images.values():
        if image.photo == "other" and image.index is not None and image.source is not None:
            record = known_record(state.layout, image.index)
            then = (record.source.place if record is not None else None) or "elsewhere"
            return (
                f"was made of other photos than {csv_place(state)} names: {photos['other']} of {len(state.images)} "
                f"differ, for instance {image.key!r}, now {image.source.place}, then {then}"
            )
    return None


def _all_changed(state: SplitState, photos: Mapping[str, int]) -> str | None:
    """Most photos have other content than they had, at the same places."""
    known = photos["same"] + photos["changed"]
    if known < MIN_PHOTOS or photos["changed"] <= MAX_CHANGED_SHARE * known:
        return None
    example = next(
        (image.source.place for image in state.images.values() if image.photo == "changed" and image.source), ""
    )
    return (
        f"was made of other content: {photos['changed']} of {known} photos have changed at once"
        f"{f', for instance {example}' if example else ''}; mount the right disk if another is mounted there, or else"
    )


def _no_match(state: SplitState, photos: Mapping[str, int], *, renames_known: bool) -> str | None:
    """Nothing shows that the folder is the CSV's, and its origin does not say so."""
    origin = state.origin
    if origin is not None and origin.path == csv_place(state):
        return None
    matching = photos["same"] + photos["moved"]
    if origin is not None:
        matching += photos["changed"]  # at the recorded places
        if origin.sha256 == state.split.sha256 and sum(photos.values()) == photos["unread"]:
            return None  # the same CSV, whose photos are away
    elif photos["changed"] > matching:
        matching = 0  # nobody recorded where the photos were: a few may be edits, most of them are not
    unsure = photos["unchecked"] > 0 or (not renames_known and state.orphans > 0 and photos["new"] > 0)
    if matching or unsure:
        return None
    owner = f"belonged to {origin.path}" if origin is not None else "does not say to which CSV it belongs"
    return f"{owner}, and none of the {len(state.images)} photos that {csv_place(state)} names is one it was made of"


def csv_place(state: SplitState) -> str:
    """The path of a split's CSV as an origin has it."""
    return plain_text(str(state.split.path.absolute()))
