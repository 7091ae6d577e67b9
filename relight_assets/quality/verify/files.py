"""The files of a split against their records: each is read, hashed, decoded and measured.

What cannot be read is named, whatever stands there, and costs its image alone.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from relight_assets.config.recipe.recipe import Background, Recipe
from relight_assets.core.arrays import Pixels8
from relight_assets.core.best_effort import cause_of
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.messages.steps import Watch, unwatched, watched
from relight_assets.core.regular_files import AnyRoot
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.metrics import is_drawn
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import metric_faults, read_failure
from relight_assets.engine.hardware.devices import cores
from relight_assets.engine.hash_files import stamp_of
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ConfigError, ImageCorruptError, RecordUnreadableError
from relight_assets.imaging.png import decode_png
from relight_assets.quality.diversity import variant_distance
from relight_assets.quality.light_maps import TOLERANCE, difference, variants_of
from relight_assets.quality.measured import Measured
from relight_assets.quality.statistics import measured_of
from relight_assets.quality.verify.csvs import Fault
from relight_assets.stages.base import variant_name
from relight_assets.stages.image_metrics import few_of, measure
from relight_assets.storage.base import Storage
from relight_assets.storage.files import FileStamp

VARIANTS_COMPARED = 8
"""Of each image, two by two."""


def unreadable_records(state: SplitState) -> Iterator[Fault]:
    """Records and failures that are there and cannot be used: whatever they said is lost until they can be read."""
    storage = state.layout.storage
    for image in state.images.values():
        if image.index is None:
            continue
        record, failure = state.layout.record(image.index), state.layout.failure(image.index)
        if image.failure is not None and image.failure.code == RecordUnreadableError.code:
            about = record if image.source is None else failure
            yield Fault("record", about, image.failure.message.removeprefix(f"{about.name} "))
        elif not image.recorded and storage.kind(record):
            yield Fault(
                "record", record, "is damaged, no file, or another image's; the next run makes its images again"
            )
        else:
            try:
                read_failure(failure, storage)
            except OSError as error:
                yield Fault("record", failure, f"cannot be read: {error.strerror}")


@dataclass(frozen=True)
class FilesRead:
    """Files that were compared with their records."""

    images: int
    sizes: list[int]
    faults: list[Fault]
    measured: list[Measured]
    """What was measured of the images that are whole and finished, light by light."""
    distances: list[tuple[int, float]]
    """How far two variants of an image are apart, and the image's number."""


def read_files(
    state: SplitState,
    recipe: Recipe,
    sample: int | None,
    image_root: AnyRoot = None,
    watch: Watch = unwatched,
) -> FilesRead:
    """Read the files of all images, or of ``sample`` of them, and hold them against records and background.

    With ``image_root`` no photo is opened that does not lie in it.  ``watch`` is told how many images are read.
    """
    images = [image for image in state.images.values() if image.recorded]
    if sample is not None and sample < len(images):
        images = [images[number * len(images) // sample] for number in range(sample)]
    with ThreadPoolExecutor(cores()) as threads:  # reading, hashing and decoding let go of the interpreter
        one = partial(_of_image, layout=state.layout, laid=recipe.background, image_root=image_root)
        read = [found for found in watched(threads.map(one, images), len(images), watch) if found is not None]
    return FilesRead(
        len(read),
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


def _of_image(image: ImageState, *, layout: SplitLayout, laid: Background, image_root: AnyRoot) -> _Read | None:
    """Read and measure one image; None where its record has no stage."""
    recorded = next(recorded_images(layout, [image]), None)
    if recorded is None or not recorded.record.stages:
        return None
    record = recorded.record
    faults: list[Fault] = []
    content: dict[str, bytes] = {}
    for entry in record.stages.values():
        for name, stamp in entry.files.items():
            path = layout.artifact(record.index, name)
            read = _content(path, stamp, layout.storage)
            if isinstance(read, Fault):
                faults.append(read)
                continue
            content[name] = read
            if (found := sha256_hex(read)) != stamp.sha256:
                faults.append(Fault("altered", path, f"has sha256 {found}, its record says {stamp.sha256}"))
    faults += _of_source(image, record, image_root)
    faults_of_metrics = list(_of_metrics(layout.record(record.index), layout.storage))
    looked_at = _Looked([], [], [])
    # A composite that is not current may be on another gray, rightly.
    if "composites" in recorded.current and not faults:
        try:
            looked_at = _measure_images(record, content, layout, laid)
        except ImageCorruptError as error:
            faults.append(Fault("altered", layout.record(record.index), f"claims what no run has written: {error}"))
        except Exception as error:  # noqa: BLE001  (one image's fault is no other's)
            message = f"its images cannot be measured: {cause_of(error)}"
            faults_of_metrics.append(Fault("metric", layout.record(record.index), message))
    if "light_maps" in record.stages and not faults:
        faults += _of_light(record, content, layout)
    sizes = [len(data) for data in content.values()]
    distances = [(record.index, distance) for distance in looked_at.distances]
    return _Read(sizes, [*faults, *faults_of_metrics, *looked_at.faults], looked_at.measured, distances)


def _of_light(record: Record, content: Mapping[str, bytes], layout: SplitLayout) -> Iterator[Fault]:
    """Lights that were kept, and from which the degraded picture does not come back."""
    count = variants_of(record)
    for variant in range(count):
        path = layout.artifact(record.index, variant_name("light.exr", variant, count))
        try:
            levels = difference(record, variant, content.__getitem__)
        except ImageCorruptError as error:
            yield Fault("light", path, f"cannot be used: {error}")
        except ConfigError:
            raise  # the package for these files is not installed
        except Exception as error:  # noqa: BLE001  (one image's fault is no other's)
            yield Fault("light", path, f"cannot be used: {cause_of(error)}")
        else:
            if levels > TOLERANCE:
                message = (
                    f"from it the degraded picture comes back with a difference of {levels} levels, not {TOLERANCE}"
                )
                yield Fault("light", path, message)


def _content(path: Path, stamp: FileStamp, storage: Storage) -> bytes | Fault:
    """The bytes of an image, of which no more are read than its record says it has."""
    try:
        data = storage.read(path, max_bytes=stamp.size)
        size, _ = storage.state(path)
    except OSError as error:
        return Fault("missing", path, f"cannot be read: {error.strerror}")
    if data is not None:
        return data
    if (kind := storage.kind(path)) != "a file":
        return Fault("missing", path, f"is {kind}, not a file")
    return Fault("altered", path, f"has {size:,} bytes, its record says {stamp.size:,}")


def _of_metrics(record: Path, storage: Storage) -> Iterator[Fault]:
    try:
        yield from (Fault("metric", record, message) for message in metric_faults(record, storage))
    except OSError as error:
        yield Fault("record", record, f"cannot be read: {error.strerror}")


def _of_source(image: ImageState, record: Record, image_root: AnyRoot) -> Iterator[Fault]:
    """Whether the photo of a finished image is the one that its images were made of."""
    if image.status != "done" or image.file is None:
        return
    stamp = stamp_of(image.file, image_root=image_root)
    if stamp is None:
        yield Fault("source", image.file, "cannot be read")
    elif stamp.sha256 != record.source.sha256:
        message = f"has sha256 {stamp.sha256}, and the images {record.index:05d}_* were made of {record.source.sha256}"
        yield Fault("source", image.file, message)


class _Looked(NamedTuple):
    faults: list[Fault]
    measured: list[Measured]
    distances: list[float]


def _measure_images(record: Record, content: Mapping[str, bytes], layout: SplitLayout, laid: Background) -> _Looked:
    """Measure an image variant by variant: of many on a large photo one is in memory at a time.

    Raises:
        ImageCorruptError: an image is not there, or has not the size of the others or its own channels.
    """
    photo = _decoded(content, "input", 3)
    size = photo.shape[:2]
    foreground, background = (_decoded(content, name, 4, size) for name in ("foreground", "background"))
    albedo = _decoded(content, "albedo", 3, size)
    outside = foreground[..., 3] == 0
    behind = np.array(laid.gray_color, np.uint8) if laid.use_gray else np.ascontiguousarray(photo[outside])
    found = _Looked([], [], [])
    persons: list[Pixels8] = []
    pairs = zip(*(record.stages[stage].names(stage) for stage in ("degraded", "composites")), strict=True)
    lights = record.stages["degraded"].lights
    for variant, (person_name, name) in enumerate(pairs):
        person, composite = _decoded(content, person_name, 4, size), _decoded(content, name, 3, size)
        if wrong := int((composite[outside] != behind).any(axis=-1).sum()):
            message = f"exactly {list(laid.gray_color)}" if laid.use_gray else "the photo's own background"
            path = layout.png(record.index, name)
            found.faults.append(Fault("background", path, f"{wrong} pixels beside the person are not {message}"))
        if variant < len(lights) and not is_drawn(lights[variant]):
            continue  # what is made of a light may be as weak as it likes
        metrics = measure(photo, foreground, background, albedo, person, blend=laid.blend)
        if metrics is not None:
            found.measured.append(measured_of(record, variant, metrics))
        varied = variant < len(lights) and lights[variant].get("varied") is not None
        if variant < VARIANTS_COMPARED and not varied:  # lights that differ in one attribute may be near each other
            persons.append(few_of(person))
    found.distances.extend(variant_distance(*two) for two in combinations(persons, 2))
    return found


def _decoded(content: Mapping[str, bytes], name: str, channels: int, size: tuple[int, ...] | None = None) -> Pixels8:
    if name not in content:
        raise ImageCorruptError(f"there is no `{name}`")
    image = decode_png(content[name])
    wanted = (*(size or image.shape[:2]), channels)
    if image.shape != wanted:
        raise ImageCorruptError(f"`{name}` has the shape {image.shape}, not {wanted}")
    return image
