"""Is a finished split what its records say?  Reads every file; changes nothing.

Each image must have the sha256 of its record, each photo the one that its images were made of, each composite
exactly the background wherever the person's alpha is 0, and the mapping CSV the input's rows, in order, with outputs
that are there. A few are made again from their records.
What is whole is also measured, and compared with the thresholds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import cause_of
from relight_assets.core.messages.steps import Steps, no_steps, watched
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.record_types import Record
from relight_assets.engine.hardware.devices import cores
from relight_assets.engine.hash_files import stamp_of
from relight_assets.engine.publish import mapping_path, variants_path
from relight_assets.engine.replay import NotInRecordError, OwnFolders, replay
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.image_state import RowStatus
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.recorded import RecordedImage, recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ImageError, UserError
from relight_assets.imaging.png import decode_png
from relight_assets.quality.diversity import variants_differ
from relight_assets.quality.duplicates.pairs import Pair, Photo, duplicates_within, same_outputs
from relight_assets.quality.light_consistency import consistent, light_inconsistency
from relight_assets.quality.measured import Measured, Verdict
from relight_assets.quality.statistics import TAGS, SplitStatistics, rejected_skins
from relight_assets.quality.thresholds import verdicts
from relight_assets.quality.verify.csvs import Fault, mapping_faults, variants_faults
from relight_assets.quality.verify.files import FilesRead, read_files, unreadable_records
from relight_assets.stages.masks.recorded_faces import FacesUnreadableError, unpacked
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

REPLAYED = 8
"""Images that are made again, and whose albedo is put to the test."""
VARIANTS_COMPARED = 8
"""Of each image, two by two."""


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what was wrong."""

    split: str
    rows: Counter[RowStatus]
    images: int
    """Images of which files were read."""
    files: int
    mib: float
    faults: list[Fault]
    verdicts: list[Verdict]
    """Every metric that so many images allow."""
    measured: list[Measured]
    """Each light of each image that is whole and finished."""
    tags: dict[str, int]
    """How many images have each tag, of the photo or of its albedo."""
    duplicates: list[Pair]
    """Photos that the split has twice, or nearly; no fault."""
    rejected_skins: list[float]
    """CIE L* of the face of each photo that `photo_qa` turned away and that has one."""

    @property
    def stale(self) -> list[Fault]:
        """What the next run mends: files of another recipe, code or photo, and what names them."""
        return [fault for fault in self.faults if fault.code == "stale"]

    @property
    def wrong(self) -> list[Fault]:
        """What no recipe or photo explains."""
        return [fault for fault in self.faults if fault.code != "stale"]

    @property
    def verdict(self) -> str:
        """One sentence: whether the split can be used, is to be run again, or is damaged."""
        bad = [
            f"{verdict.metric} {verdict.value:.3f} (wanted {verdict.bound})"
            for verdict in self.verdicts
            if not verdict.passed
        ]
        metrics = f"; out of their bounds: {', '.join(bad)}" if bad else ""
        if self.wrong:
            return f"wrong: {len(self.wrong)} faults{metrics}"
        if self.stale or self.rows["pending"]:
            rows = max(len(self.stale), self.rows["pending"])
            return f"stale: {rows} rows are to be made anew or are not named yet; run the split again{metrics}"
        return (
            f"not good enough{metrics}" if bad else f"good: {self.files} files of {self.images} images are as recorded"
        )

    @property
    def passed(self) -> bool:
        """Whether all is as it must be."""
        return not self.faults and all(verdict.passed for verdict in self.verdicts)

    def plain(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "split": self.split,
            "passed": self.passed,
            "verdict": self.verdict,
            "rows": dict(self.rows),
            "images": self.images,
            "files": self.files,
            "mib": round(self.mib, 1),
            "faults": [{"code": fault.code, "file": str(fault.file), "text": fault.text} for fault in self.faults],
            "tags": self.tags,
            "duplicates": [
                {"image": pair.own.index, "other_image": pair.other.index, "bits": pair.bits}
                for pair in self.duplicates
            ],
            "rejected_skins": self.rejected_skins,
            "metrics": [asdict(verdict) for verdict in self.verdicts],
            "measured": [asdict(each) for each in self.measured],
        }


def verify_split(
    split: SplitCsv,
    recipe: Recipe,
    settings: Settings,
    *,
    quality: Quality | None = None,
    experiment: str | None = None,
    sample: int | None = None,
    storage: Storage = LOCAL,
    steps: Steps = no_steps,
) -> Verification:
    """Verify a split, or ``sample`` of its images, evenly spread; what the records claim, whether current or not.

    ``quality`` holds the thresholds; None: those of the settings.  ``storage`` is where the split's files lie;
    ``steps`` begins what is counted, rows and images.

    Raises:
        OutputFolderError: a run is at work there, or the folder cannot be read.
    """
    with locked_folder(SplitLayout(split_folder(settings.output_root, split.split, experiment), storage), to_read=True):
        state = _hashed(
            split, recipe, settings, experiment, storage=storage, steps=steps
        )  # as it is now that nobody writes
        files = read_files(state, recipe, sample, settings.photo_root, steps("images read"))
        whole = _some_whole(state, files.faults)
        consistency = [
            each
            for record in watched(whole, len(whole), steps("albedos tried"))
            for each in _consistency(record, state, recipe)
        ]
        mapping = mapping_path(state, settings, experiment)
        reason = refusal(state)
        faults = [
            *([Fault("origin", state.layout.origin, reason)] if reason is not None else []),
            *unreadable_records(state),
            *files.faults,
            *_replayed(watched(whole, len(whole), steps("images made again")), state, recipe),
            *_duplicates(state.layout, _by_number(state)),
            *mapping_faults(state, mapping),
            *variants_faults(state, variants_path(state, settings, experiment)),
        ]
        tags, photos = _tags_and_photos(state)
    megabytes = sum(files.sizes) / (1 << 20)
    return Verification(
        split.split,
        state.row_counts(),
        files.images,
        len(files.sizes),
        megabytes,
        faults,
        _verdicts(files, consistency, recipe, quality or settings.quality),
        files.measured,
        tags,
        duplicates_within(photos),
        rejected_skins(state),
    )


def _hashed(
    split: SplitCsv, recipe: Recipe, settings: Settings, experiment: str | None, *, storage: Storage, steps: Steps
) -> SplitState:
    """Where a split stands once the files are hashed of which only the size is known."""
    scan = partial(load_split_state, split, recipe, settings, experiment, storage=storage)
    state = scan(watch=steps("rows scanned"))
    paths = [path for image in state.images.values() for path in image.unchecked]
    if not paths:
        return state
    stamp = partial(stamp_of, image_root=settings.photo_root, layouts=[state.layout])
    del state  # before there is another
    with ThreadPoolExecutor(cores()) as threads:
        stamps = watched(threads.map(stamp, map(Path, paths)), len(paths), steps("files hashed"))
        hashes = dict(zip(paths, stamps, strict=True))
    return scan(hashes=hashes, watch=steps("rows scanned"))


def _verdicts(
    files: "FilesRead", consistency: Sequence[tuple[int, float]], recipe: Recipe, quality: Quality
) -> list[Verdict]:
    return [
        *verdicts(files.measured, recipe, quality),
        *variants_differ(files.distances, quality),
        *consistent(consistency, quality),
    ]


def _some_whole(state: SplitState, faults: Sequence[Fault]) -> list[Record]:
    """The records of a few finished images, spread over the split, of whose files no fault was reported."""
    known = {fault.file.name.partition("_")[0] for fault in faults if fault.code in ("missing", "altered")}
    done = (image for image in state.images.values() if image.status == "done" and image.index is not None)
    whole = [image for image in done if f"{image.index:05d}" not in known]
    if len(whole) > REPLAYED:
        whole = [whole[number * len(whole) // REPLAYED] for number in range(REPLAYED)]
    return [image.record for image in recorded_images(state.layout, whole)]


def _consistency(record: Record, state: SplitState, recipe: Recipe) -> Iterator[tuple[int, float]]:
    """How far two lights on an image's albedo are apart once they are taken out; nothing of a learned albedo."""
    method = record.stages["albedo"].numbers.get("method")
    if method not in ("retinex", "retinex_fast"):
        return
    try:
        albedo, person = (
            decode_png(state.layout.storage.read(state.layout.png(record.index, name)) or b"")
            for name in ("albedo", "foreground")
        )
        faces = unpacked(record.stages["masks"].numbers)
    except (OSError, ImageError, FacesUnreadableError):
        return  # reported elsewhere
    if person.shape[2:] != (4,) or albedo.shape != (*person.shape[:2], 3):
        return
    parameters = recipe.albedo_extraction.methods.retinex
    yield record.index, light_inconsistency(albedo, np.ascontiguousarray(person[..., 3]), faces, parameters, method)


def _replayed(records: Iterable[Record], state: SplitState, recipe: Recipe) -> Iterator[Fault]:
    """Images that do not come out the same from record and foreground alone, among a few."""
    degradation = recipe.degradation
    own = (degradation.hard_shadow.gobo_dir, degradation.environment.environment_dir)
    folders = OwnFolders(*(None if folder is None else Path(folder) for folder in own))
    for record in records:
        path = state.layout.record(record.index)
        try:
            made = replay(path, folders=folders, storage=state.layout.storage)
        except NotInRecordError:
            continue
        except UserError as error:
            yield Fault("replay", path, f"cannot be recomputed: {error}")
            continue
        except Exception as error:  # noqa: BLE001  (one image's fault is no other's)
            yield Fault("replay", path, f"cannot be recomputed: {cause_of(error)}")
            continue
        for each in made:
            if not each.same:
                image = state.layout.artifact(record.index, each.name)
                yield Fault("replay", image, "has other bytes when it is recomputed from record and foreground")


def _by_number(state: SplitState) -> Iterator[RecordedImage]:
    """The images that have a record, in the order of their numbers."""
    images = sorted(state.images.values(), key=lambda image: -1 if image.index is None else image.index)
    return recorded_images(state.layout, images)


def _tags_and_photos(state: SplitState) -> tuple[dict[str, int], list[Photo]]:
    """How many images have each tag of a photo, and the photos; of one pass over the records."""
    statistics, photos = SplitStatistics(), []
    for image in _by_number(state):
        statistics.add(image)
        photos.append(Photo.of(state.split.split, image.record))
    return {name: statistics.tags[name] for names in TAGS.values() for name in names}, photos


def _duplicates(layout: SplitLayout, images: Iterable[RecordedImage]) -> Iterator[Fault]:
    """Lights are drawn for each image, so none has the bytes of another, unless the photos are the same."""
    for index, name, other, there in same_outputs(images):
        faults = f"has the bytes of {layout.png(other, there).name}, which is another image"
        yield Fault("duplicate", layout.png(index, name), faults)
