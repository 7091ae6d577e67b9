"""What of one image is in memory: its decoded source, its mask's probability, and the artifacts of its stages."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Layers, Pixels8
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.regular_files import AnyRoot
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.worker.geometry_maps import GeometryMap
from relight_assets.engine.worker.person_networks import PersonNetworks
from relight_assets.errors import DeviceFailedError, DeviceOomError
from relight_assets.imaging.decode import DecodedImage, decode
from relight_assets.imaging.exr import encode_exr
from relight_assets.imaging.png import decode_png, encode_png
from relight_assets.models.networks.albedo import AlbedoExtractor
from relight_assets.models.networks.geometry import ShapeEstimator
from relight_assets.models.segmenters.batching import Segmentation
from relight_assets.stages.base import FileContent, Stage
from relight_assets.stages.degraded.environments.panorama import Environments
from relight_assets.stages.degraded.gobos import Gobos
from relight_assets.stages.masks.person_mask import PersonMask
from relight_assets.stages.registry import stage_of
from relight_assets.storage.files import FileStamp, host_limit


@dataclass(frozen=True)
class WorkerContext:
    """What the images of one worker share; safe to use from several threads."""

    layout: SplitLayout
    recipe: Recipe
    max_pixels: int
    digests: Digests
    segmentation: Segmentation
    segmenter_identity: dict[str, str]
    """Name and sha256 of the segmenter, for the records."""
    person_networks: PersonNetworks
    albedo_extractor: AlbedoExtractor | None
    """None: the recipe never draws a learned one."""
    shape_estimator: ShapeEstimator | None
    """None: the recipe asks no network for depth or normals."""
    image_root: AnyRoot
    gobos: Gobos
    environments: Environments
    """The user's own shadow patterns."""
    tombstones: Tombstones
    """Photos that are not processed again."""
    clock: Callable[[], float]


class DamagedFileError(Exception):
    """A file that a stage reads is not the one its record describes."""

    def __init__(self, stage: Stage):
        self.stage = stage


class ImageArtifacts:
    """The artifacts of one image that are in memory, each made or read once."""

    def __init__(self, context: WorkerContext, item: WorkItem):
        self.context, self._item = context, item
        self.timings: dict[str, float] = {}
        """Milliseconds by step."""
        self.mask: PersonMask | DeviceOomError | None = None
        """The segmenter's answer, or why there is none; None: it was not asked yet."""
        self.geometry = GeometryMap(
            context.recipe.geometry,
            Path(item.file),
            image_root=context.image_root,
            max_pixels=context.max_pixels,
            estimator=context.shape_estimator,
            files=item.geometry_file,
        )
        self._decoded: DecodedImage | Exception | None = None
        self._pixels: dict[str, Pixels8] = {}
        self.handed_on: dict[str, Any] = {}
        """What a stage has left in memory for a later one."""

    @property
    def ahead(self) -> DecodedImage | None:
        """The source, if it was decoded already."""
        return self._decoded if isinstance(self._decoded, DecodedImage) else None

    def decoded(self) -> DecodedImage:
        """The source.  Raises whatever :func:`~relight_assets.imaging.decode.decode` raises, each time."""
        if self._decoded is None:
            recipe = self.context.recipe
            try:
                with self.timed("decode"):
                    self._decoded = decode(
                        Path(self._item.file),
                        image_size=recipe.image_size,
                        max_pixels=self.context.max_pixels,
                        image_root=self.context.image_root,
                        forgotten=self.context.tombstones,
                    )
            except Exception as error:  # noqa: BLE001  (raised below, and again whenever it is asked for)
                self._decoded = error
        if isinstance(self._decoded, Exception):
            raise self._decoded
        return self._decoded

    def person(self) -> PersonMask:
        """The segmenter's answer; asked for now where nobody did ahead.

        Raises:
            DeviceOomError: the device's memory does not hold the image.
        """
        if self.mask is None:
            with self.timed("segment"):
                (self.mask,) = self.context.segmentation([self.decoded().rgb])
        if isinstance(self.mask, DeviceOomError):
            raise self.mask
        return self.mask

    def keep(self, name: str, pixels: Pixels8) -> None:
        """Remember what a file holds, so that it need not be read."""
        self._pixels[name] = pixels

    def read(self, name: str, stamps: dict[str, FileStamp]) -> Pixels8:
        """The pixels of one output file, as the file holds them.

        Raises:
            DamagedFileError: it is not the file of its stamp, or cannot be read.
            HostLimitError: no more files can be opened.
        """
        if name not in self._pixels:
            stage = stage_of(name)
            try:
                path, layout = self.context.layout.artifact(self._item.index, name), self.context.layout
                data = layout.storage.read(path, max_bytes=stamps[name].size)
            except OSError as error:
                raise host_limit(error) or DamagedFileError(stage) from error
            if data is None or sha256_hex(data) != stamps[name].sha256:
                raise DamagedFileError(stage)
            self._pixels[name] = decode_png(data)
        return self._pixels[name]

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time spent to a step's."""
        start = self.context.clock()
        try:
            yield
        finally:
            self.timings[step] = self.timings.get(step, 0.0) + (self.context.clock() - start) * 1000.0


def segment_together(everyone: Sequence[ImageArtifacts]) -> None:
    """Ask the segmenter for the masks of images whose sources were decoded ahead.

    Raises:
        DeviceFailedError: the process can compute no more.
    """
    context = everyone[0].context
    start = context.clock()
    try:
        answers = context.segmentation([artifacts.decoded().rgb for artifacts in everyone])
    except DeviceFailedError:
        raise
    except Exception:  # noqa: BLE001  (each asks again, alone, and the one that is to blame fails)
        return
    share = (context.clock() - start) * 1000.0 / len(everyone)
    for artifacts, answer in zip(everyone, answers, strict=True):
        artifacts.mask = answer
        artifacts.timings["segment"] = share


def encoded(content: FileContent) -> bytes:
    """The bytes of a file: a PNG of pixels, an OpenEXR file of half floats.

    Raises:
        ConfigError: half floats, and the package for OpenEXR files is not installed.
    """
    if isinstance(content, bytes):
        return content
    return encode_exr(content) if isinstance(content, Layers) else encode_png(content)


def encoded_files(files: Mapping[str, FileContent]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file; what several files are to hold is encoded once, and kept until the last of them."""
    left = Counter(map(id, files.values()))
    kept: dict[int, bytes] = {}
    for name, content in files.items():
        data = kept.pop(id(content), None) or encoded(content)
        left[id(content)] -= 1
        if left[id(content)]:
            kept[id(content)] = data
        yield name, data
