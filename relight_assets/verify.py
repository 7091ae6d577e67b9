"""Is a finished split what its records say?  Reads every file; changes nothing.

Each picture must have the sha256 of its record, each photo the one that its pictures were made of, each composite
exactly the background wherever the person's alpha is 0, and the mapping CSV the input's rows, in order, with outputs
that are there. A few are made again from their records.
What is whole is also measured, and held against the thresholds.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from relight_assets.dataset.files import FileStamp, stamp_source
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.png import decode_png
from relight_assets.dataset.records import Record, metric_faults
from relight_assets.dataset.split_csv import SplitCsv
from relight_assets.engine.devices import cores
from relight_assets.engine.identity import refusal
from relight_assets.engine.image_state import ImageState, RowStatus
from relight_assets.engine.locks import still_folder
from relight_assets.engine.look_alikes import Pair, same_outputs, twins
from relight_assets.engine.outgoing import mapping_path, variants_path
from relight_assets.engine.recorded_faces import FacesUnreadableError, unpacked
from relight_assets.engine.replay import NotInRecordError, replay
from relight_assets.engine.run import look
from relight_assets.engine.statistics import measured_of, rejected_skins, tags
from relight_assets.engine.survey import Survey
from relight_assets.errors import ImageCorruptError, ImageError, UserError
from relight_assets.quality.diversity import variant_distance, variants_differ
from relight_assets.quality.image_metrics import Pixels, few_of, measure
from relight_assets.quality.light_consistency import consistent, light_inconsistency
from relight_assets.quality.verdicts import Measured, Verdict, verdicts
from relight_assets.recipe import Background, Recipe
from relight_assets.recipe_yaml import LoadedRecipe, load_recipe
from relight_assets.settings import Settings, load_project_recipe
from relight_assets.thresholds import Quality
from relight_assets.verify_csvs import Fault, mapping_faults, variants_faults

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
    """How many images have each tag of a photo."""
    twins: list[Pair]
    """Photos that the split has twice, or nearly; no fault."""
    rejected_skins: list[float]
    """CIE L* of the face of each photo that `photo_qa` turned away and that has one."""

    @property
    def passed(self) -> bool:
        """Whether all is as it must be."""
        return not self.faults and all(verdict.passed for verdict in self.verdicts)

    def plain(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "split": self.split,
            "passed": self.passed,
            "rows": dict(self.rows),
            "images": self.images,
            "files": self.files,
            "mib": round(self.mib, 1),
            "faults": [{"code": fault.code, "file": str(fault.file), "text": fault.text} for fault in self.faults],
            "tags": self.tags,
            "twins": [
                {"image": pair.own.index, "other_image": pair.other.index, "bits": pair.bits} for pair in self.twins
            ],
            "rejected_skins": self.rejected_skins,
            "metrics": [asdict(verdict) for verdict in self.verdicts],
            "measured": [asdict(each) for each in self.measured],
        }


def verify_finished(
    split: SplitCsv, settings: Settings, *, experiment: str | None = None, sample: int | None = None
) -> Verification:
    """:func:`verify_split` by the recipe, and the thresholds, that its outputs are of.

    Raises:
        UserError: see :func:`verify_split` and :func:`recipe_of`.
    """
    loaded = recipe_of(split.split, settings, experiment)
    quality = settings.quality_of(loaded)
    return verify_split(split, loaded.recipe, settings, quality=quality, experiment=experiment, sample=sample)


def verify_split(
    split: SplitCsv,
    recipe: Recipe,
    settings: Settings,
    *,
    quality: Quality | None = None,
    experiment: str | None = None,
    sample: int | None = None,
) -> Verification:
    """Verify a split, or ``sample`` of its images, evenly spread; what the records claim, whether current or not.

    ``quality`` holds the thresholds; None: those of the settings.

    Raises:
        OutputFolderError: a run is at work there, or the folder cannot be read.
    """
    survey = look(split, recipe, settings, experiment)
    with still_folder(survey.layout):
        survey = _hashed(split, recipe, settings, experiment)  # as it is now that nobody writes
        files = read_files(survey, recipe, sample)
        consistency = [
            each for record in _some_whole(survey, files.faults) for each in _consistency(record, survey, recipe)
        ]
        mapping = mapping_path(survey, settings, experiment)
        reason = refusal(survey)
        faults = [
            *([Fault("origin", survey.layout.origin, reason)] if reason is not None else []),
            *files.faults,
            *_replayed(survey, recipe, files.faults),
            *_duplicates(survey),
            *mapping_faults(survey, mapping),
            *variants_faults(survey, variants_path(survey, settings, experiment)),
        ]
    megabytes = sum(files.sizes) / (1 << 20)
    return Verification(
        split.split,
        survey.row_counts(),
        files.images,
        len(files.sizes),
        megabytes,
        faults,
        _verdicts(files, consistency, recipe, quality or settings.quality),
        files.measured,
        tags(survey),
        twins(survey),
        rejected_skins(survey),
    )


def _hashed(split: SplitCsv, recipe: Recipe, settings: Settings, experiment: str | None) -> Survey:
    """Where a split stands once the files are hashed of which only the size is known."""
    survey = look(split, recipe, settings, experiment)
    paths = [path for image in survey.images.values() for path in image.unchecked]
    if not paths:
        return survey
    with ThreadPoolExecutor(cores()) as threads:
        hashes = dict(zip(paths, threads.map(_stamp, map(Path, paths)), strict=True))
    return look(split, recipe, settings, experiment, hashes)


def _stamp(path: Path) -> FileStamp | None:
    try:
        return stamp_source(path)
    except ImageError:
        return None


def _verdicts(
    files: "FilesRead", consistency: Sequence[tuple[int, float]], recipe: Recipe, quality: Quality
) -> list[Verdict]:
    return [
        *verdicts(files.measured, recipe, quality),
        *variants_differ(files.distances, quality),
        *consistent(consistency, quality),
    ]


def recipe_of(split: str, settings: Settings, experiment: str | None) -> LoadedRecipe:
    """The recipe that a split's outputs are of: the project's, or the one that an experiment was run with last.

    Raises:
        UserError: there is no such experiment of this split, or its recipe cannot be used.
    """
    if experiment is None:
        return load_project_recipe()
    written = SplitLayout(split_folder(settings.output_root, split, experiment)).recipe
    if not written.exists():
        raise UserError(f"the experiment `{experiment}` has nothing of the split `{split}`: no {written}")
    return load_recipe(written)


@dataclass(frozen=True)
class FilesRead:
    """Files that were held against their records."""

    images: int
    sizes: list[int]
    faults: list[Fault]
    measured: list[Measured]
    """What was measured of the images that are whole and finished, light by light."""
    distances: list[tuple[int, float]]
    """How far two variants of an image are apart, and the image's number."""


def read_files(survey: Survey, recipe: Recipe, sample: int | None) -> FilesRead:
    """Read the files of all images, or of ``sample`` of them, and hold them against records and background."""
    images = [image for image in survey.images.values() if image.record is not None and image.record.stages]
    if sample is not None and sample < len(images):
        images = [images[number * len(images) // sample] for number in range(sample)]
    with ThreadPoolExecutor(cores()) as threads:  # reading, hashing and decoding let go of the interpreter
        read = list(threads.map(partial(_of_image, layout=survey.layout, laid=recipe.background), images))
    return FilesRead(
        len(images),
        [size for one in read for size in one.sizes],
        [fault for one in read for fault in one.faults],
        [measured for one in read for measured in one.measured],
        [pair for one in read for pair in one.distances],
    )


@dataclass(frozen=True)
class _Read:
    sizes: list[int]
    faults: list[Fault]
    measured: list[Measured]
    distances: list[tuple[int, float]]
    """Of the image's variants, two by two."""


def _of_image(image: ImageState, *, layout: SplitLayout, laid: Background) -> _Read:
    """Read and measure one image."""
    record = image.record
    assert record is not None  # noqa: S101  (others are not asked about)
    faults: list[Fault] = []
    content: dict[str, bytes] = {}
    for entry in record.stages.values():
        for name, stamp in entry.files.items():
            path = layout.png(record.index, name)
            try:
                content[name] = path.read_bytes()
            except OSError as error:
                faults.append(Fault("missing", path, f"cannot be read: {error.strerror}"))
                continue
            if (found := hashlib.sha256(content[name]).hexdigest()) != stamp.sha256:
                faults.append(Fault("altered", path, f"has sha256 {found}, its record says {stamp.sha256}"))
    faults += _of_source(image, record)
    faults_of_metrics = [
        Fault("metric", layout.record(record.index), told) for told in metric_faults(layout.record(record.index))
    ]
    looked_at = _Looked([], [], [])
    # A composite that is not current may be on another gray, rightly.
    if "composites" in image.current and not faults:
        try:
            looked_at = _look_at(record, content, layout, laid)
        except ImageCorruptError as error:
            faults.append(Fault("altered", layout.record(record.index), f"claims what no run has written: {error}"))
    sizes = [len(data) for data in content.values()]
    distances = [(record.index, distance) for distance in looked_at.distances]
    return _Read(sizes, [*faults, *faults_of_metrics, *looked_at.faults], looked_at.measured, distances)


def _of_source(image: ImageState, record: Record) -> Iterator[Fault]:
    """Whether the photo of a finished image is the one that its pictures were made of."""
    if image.status != "done" or image.file is None:
        return
    stamp = _stamp(image.file)
    if stamp is None:
        yield Fault("source", image.file, "cannot be read")
    elif stamp.sha256 != record.source.sha256:
        told = f"has sha256 {stamp.sha256}, and the pictures {record.index:05d}_* were made of {record.source.sha256}"
        yield Fault("source", image.file, told)


class _Looked(NamedTuple):
    faults: list[Fault]
    measured: list[Measured]
    distances: list[float]


def _look_at(record: Record, content: Mapping[str, bytes], layout: SplitLayout, laid: Background) -> _Looked:
    """Measure an image light by light: of many lights on a large photo one is in memory at a time.

    Raises:
        ImageCorruptError: a picture is not there, or has not the size of the others or its own channels.
    """
    photo = _decoded(content, "input", 3)
    size = photo.shape[:2]
    foreground, background = (_decoded(content, name, 4, size) for name in ("foreground", "background"))
    albedo = _decoded(content, "albedo", 3, size)
    outside = foreground[..., 3] == 0
    behind = np.array(laid.gray_color, np.uint8) if laid.use_gray else np.ascontiguousarray(photo[outside])
    found = _Looked([], [], [])
    persons: list[Pixels] = []
    pairs = zip(*(record.stages[stage].names(stage) for stage in ("degraded", "composites")), strict=True)
    for variant, (person_name, name) in enumerate(pairs):
        person, composite = _decoded(content, person_name, 4, size), _decoded(content, name, 3, size)
        if wrong := int((composite[outside] != behind).any(axis=-1).sum()):
            told = f"exactly {list(laid.gray_color)}" if laid.use_gray else "the photo's own background"
            path = layout.png(record.index, name)
            found.faults.append(Fault("background", path, f"{wrong} pixels beside the person are not {told}"))
        metrics = measure(photo, foreground, background, albedo, person, blend=laid.blend)
        if metrics is not None:
            found.measured.append(measured_of(record, variant, metrics))
        if variant < VARIANTS_COMPARED:
            persons.append(few_of(person))
    found.distances.extend(variant_distance(*two) for two in combinations(persons, 2))
    return found


def _decoded(content: Mapping[str, bytes], name: str, channels: int, size: tuple[int, ...] | None = None) -> Pixels:
    if name not in content:
        raise ImageCorruptError(f"there is no `{name}`")
    picture = decode_png(content[name])
    wanted = (*(size or picture.shape[:2]), channels)
    if picture.shape != wanted:
        raise ImageCorruptError(f"`{name}` has the shape {picture.shape}, not {wanted}")
    return picture


def _some_whole(survey: Survey, told: Sequence[Fault]) -> list[Record]:
    """The records of a few finished images, spread over the split, of whose files no fault was told."""
    known = {fault.file.name.partition("_")[0] for fault in told if fault.code in ("missing", "altered")}
    records = [image.record for image in survey.images.values() if image.status == "done" and image.record is not None]
    whole = [record for record in records if f"{record.index:05d}" not in known]
    return [whole[number * len(whole) // REPLAYED] for number in range(REPLAYED)] if len(whole) > REPLAYED else whole


def _consistency(record: Record, survey: Survey, recipe: Recipe) -> Iterator[tuple[int, float]]:
    """How far two lights on an image's albedo are apart once they are taken out; nothing of a learned albedo."""
    method = record.stages["albedo"].numbers.get("method")
    if method not in ("retinex", "retinex_fast"):
        return
    try:
        albedo, person = (
            decode_png(survey.layout.png(record.index, name).read_bytes()) for name in ("albedo", "foreground")
        )
        faces = unpacked(record.stages["masks"].numbers)
    except (OSError, ImageCorruptError, FacesUnreadableError):
        return  # told elsewhere
    if person.shape[2:] != (4,) or albedo.shape != (*person.shape[:2], 3):
        return
    parameters = recipe.albedo_extraction.methods.retinex
    yield record.index, light_inconsistency(albedo, np.ascontiguousarray(person[..., 3]), faces, parameters, method)


def _replayed(survey: Survey, recipe: Recipe, told: Sequence[Fault]) -> Iterator[Fault]:
    """Pictures that do not come out the same from record and foreground alone, among a few images."""
    gobo_dir = recipe.degradation.hard_shadow.gobo_dir
    for record in _some_whole(survey, told):
        path = survey.layout.record(record.index)
        try:
            made = replay(path, gobo_dir=Path(gobo_dir) if gobo_dir is not None else None)
        except NotInRecordError:
            continue
        except UserError as error:
            yield Fault("replay", path, f"cannot be made again: {error}")
            continue
        for each in made:
            if not each.same:
                picture = survey.layout.png(record.index, each.name)
                yield Fault("replay", picture, "comes out otherwise when it is made again from record and foreground")


def _duplicates(survey: Survey) -> Iterator[Fault]:
    """Lights are drawn for each picture, so none has the bytes of another, unless the photos are the same."""
    for index, name, other, there in same_outputs(survey):
        told = f"has the bytes of {survey.layout.png(other, there).name}, which is another picture"
        yield Fault("duplicate", survey.layout.png(index, name), told)
