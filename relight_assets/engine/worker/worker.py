"""One process, one device: portraits come in, and their files and records are written.

Decoding, the segmenter, and the stages with their encoding overlap; memory in flight is bounded in bytes.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
from msgspec.structs import replace

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.regular_files import AnyRoot
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import read_record
from relight_assets.dataset.tombstones import NO_TOMBSTONES, Tombstones
from relight_assets.engine.execution.messages import ImageResult, Shrunk, WorkItem
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.worker.artifacts import DamagedFileError, WorkerContext, segment_together
from relight_assets.engine.worker.environment_files import load_environments
from relight_assets.engine.worker.gobo_files import load_gobos
from relight_assets.engine.worker.image_task import ImageTask
from relight_assets.engine.worker.memory_budget import ByteBudget
from relight_assets.engine.worker.person_networks import PersonNetworks
from relight_assets.engine.worker.pipeline import Pipeline, Steps
from relight_assets.errors import OutputFolderError, RecordUnreadableError
from relight_assets.imaging.decode import size_of
from relight_assets.models import loading
from relight_assets.models.files import ModelFiles
from relight_assets.models.segmenters.batching import Segmentation
from relight_assets.stages.degraded.families.registry import register_families
from relight_assets.stages.registry import register_stages
from relight_assets.storage.base import Storage
from relight_assets.storage.files import host_limit
from relight_assets.storage.local import LOCAL

DECODE_BYTES_PER_PIXEL = 12
"""What decoding takes at most of a source's pixels, the file's bytes included."""
BYTES_PER_PIXEL = 44
"""What the stages take at most of an image's pixels, after a downscale to ``image_size``.

A portrait of 62 megapixels took 49 bytes per pixel in all, decoding included."""
LEARNED_BYTES_PER_PIXEL = 12
"""What a learned albedo takes beyond that."""
GEOMETRY_BYTES_PER_PIXEL = 30
"""What normals of the photo's size take when their file is decoded."""
VARIANT_BYTES_PER_PIXEL = 7
"""What every light beyond the first takes: its two artifacts are kept until the image is done."""
LIGHT_BYTES = 8 << 20
"""What a light takes that is kept: nine planes of half floats at working size, and its file."""
_READER_SHARE = 8
"""Decoding takes about an eighth of the time of what comes after it."""


@dataclass(frozen=True)
class _OnItsWay:
    """A portrait in the pipeline, and the memory that it has taken."""

    portrait: ImageTask
    taken: int


class ImageWorker:
    """Brings images of one split up to date."""

    def __init__(
        self,
        *,
        folder: Path,
        recipe: Recipe,
        max_pixels: int,
        threads: int,
        models: ModelFiles | None = None,
        family_modules: Sequence[str] = (),
        image_root: AnyRoot = None,
        storage: Storage = LOCAL,
        batch: int = 4,
        memory_bytes: int = 2 << 30,
        stage_modules: Sequence[str] = (),
        tombstones: Tombstones = NO_TOMBSTONES,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """Load the models.

        Args:
            folder: of the split.
            recipe: what the pixels are to be.
            max_pixels: larger images are refused.
            threads: for the stages and their encoding; reading and the segmenter have threads of their own.
            models: where the model files are; None: in the user's cache, and those alone that are fetched into it.
            family_modules: dotted names of modules with families of light beyond those of this package.
            image_root: if set, photos and files of depth or normals must lie in it when they are opened.
            storage: where the folder lies.
            batch: images that the segmenter is given at a time, at most.
            memory_bytes: of images in flight; an image that alone needs more has all of it.
            stage_modules: dotted names of modules whose stages were added to those of this package.
            tombstones: photos that are not processed again.
            clock: in seconds; ``time.thread_time`` has the results tell CPU time instead of wall time.

        Raises:
            ModelFileError: a model file is missing or altered, or a package that it needs is not installed.
            ConfigError: a shadow pattern of the user's cannot be read.
        """
        cv2.setNumThreads(1)
        register_stages(stage_modules)
        register_families(family_modules)
        self._threads = threads
        self._budget_bytes = memory_bytes
        models = models or ModelFiles()
        segmenter = loading.make_segmenter(recipe, models)
        self.context = WorkerContext(
            layout=SplitLayout(folder, storage),
            recipe=recipe,
            max_pixels=max_pixels,
            digests=Digests(recipe, models.sha256_of),
            segmentation=Segmentation(segmenter, batch),
            segmenter_identity={
                "segmenter": recipe.segmenter,
                "segmenter_sha256": models.sha256_of(recipe.segmenter),
            },
            person_networks=PersonNetworks(models),
            albedo_extractor=loading.albedo_extractor(recipe, models),
            shape_estimator=loading.shape_estimator(recipe, models),
            image_root=image_root,
            gobos=load_gobos(recipe),
            environments=load_environments(recipe),
            tombstones=tombstones,
            clock=clock,
        )

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult | Shrunk]:
        """Bring images up to date; each one's result comes when it is finished.

        Raises:
            OutputFolderError: an output cannot be written (disk full, read-only): no image could be.
            HostLimitError: no more files can be opened.
            DeviceFailedError: the device can do nothing more for this process.
        """
        budget = ByteBudget(self._budget_bytes)

        def read(item: WorkItem) -> _OnItsWay:
            taken = budget.acquire(self.need(item))
            with self._whole_run_faults():
                portrait = ImageTask(self.context, item, self._record_of(item))
                portrait.read_ahead()
            return _OnItsWay(portrait, taken)

        def finish(way: _OnItsWay) -> ImageResult | Shrunk:
            try:
                with self._whole_run_faults():
                    return _finished(way.portrait)
            finally:
                budget.release(way.taken)

        steps = Steps(
            read=read,
            wants_segmenter=lambda way: way.portrait.waits_for_segmenter,
            segment=lambda ways: segment_together([way.portrait.artifacts for way in ways]),
            batch=lambda: self.context.segmentation.batch,
            finish=finish,
        )
        readers = 1 + self._threads // _READER_SHARE
        pipeline = Pipeline(steps, readers=readers, finishers=self._threads)
        self.context.segmentation.on_shrink = lambda batch: pipeline.say(Shrunk(batch))
        try:
            yield from pipeline.run(items)
        finally:
            budget.close()

    def _record_of(self, item: WorkItem) -> Record | RecordUnreadableError | None:
        """The image's record; None where what lies there is another image's."""
        try:
            record = read_record(self.context.layout.record(item.index), self.context.layout.storage)
        except OSError as error:
            if host_limit(error):
                raise
            return RecordUnreadableError.of(self.context.layout.record(item.index).name, error)
        return record if record is not None and record.image_path == item.image_path else None

    def need(self, item: WorkItem) -> int:
        """Bytes that an image takes on its way, by its header; refused ones take nothing."""
        width, height = size_of(Path(item.file), self.context.image_root)
        if width * height > self.context.max_pixels:
            return 0
        scale = min(1.0, (self.context.recipe.image_size or width + height) / max(width, height, 1))
        stages = BYTES_PER_PIXEL + (LEARNED_BYTES_PER_PIXEL if self.context.albedo_extractor else 0)
        stages += GEOMETRY_BYTES_PER_PIXEL if self.context.recipe.geometry.from_file else 0
        recipe = self.context.recipe
        stages += VARIANT_BYTES_PER_PIXEL * (recipe.variant_count - 1)
        light = LIGHT_BYTES * recipe.variants * (1 + recipe.no_gobo) if recipe.keep_light else 0
        return int(width * height * (DECODE_BYTES_PER_PIXEL + stages * scale * scale)) + light

    @contextmanager
    def _whole_run_faults(self) -> Iterator[None]:
        """What the system refuses outside a source photo would be refused to every image."""
        try:
            yield
        except OSError as error:
            folder = self.context.layout.folder
            raise host_limit(error) or OutputFolderError(f"{folder}: cannot be written: {error}") from error


def _finished(portrait: ImageTask) -> ImageResult:
    """Run a portrait; where a file turns out not to be what its record says, the stage that made it too."""
    while True:
        try:
            return portrait.run()
        except DamagedFileError as damage:
            previous = portrait.previous
            assert previous is not None  # noqa: S101  (only a record's file can be damaged)
            kept = {stage: entry for stage, entry in previous.stages.items() if stage != damage.stage}
            portrait = ImageTask(portrait.context, portrait.item, replace(previous, stages=kept))
