"""One image on its way through the stages, and the commit of each.

The order of writing is what makes a kill at any moment harmless.  Before a file of a stage is touched, a
record that claims only the stages before it is written; then the files, each under a temporary name that is
renamed; then the record with them.  A record never claims bytes that are not there.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight_assets import __version__
from relight_assets.dataset.files import FileStamp, stamp_source, write_stamped
from relight_assets.dataset.images import DecodedImage, decode
from relight_assets.dataset.layout import STAGE_FILES, SplitLayout
from relight_assets.dataset.png import decode_png, encode_png
from relight_assets.dataset.records import (
    Failure,
    Record,
    SourceInfo,
    StageEntry,
    files_match,
    read_failure,
    remove_failure,
    write_failure,
    write_record,
)
from relight_assets.engine.digests import Digests
from relight_assets.engine.segmentation import Probability, Segmentation
from relight_assets.engine.survey import failed
from relight_assets.engine.work import UPSTREAM_STALE, ImageResult, Outcome, WorkItem
from relight_assets.errors import DeviceFailedError, DeviceOomError, HostLimitError, ImageError, InternalError
from relight_assets.models.face_mesh import TRIANGLES, FaceMesh
from relight_assets.recipe import STAGES, Recipe, Stage
from relight_assets.stages import albedo, composites, degraded, masks

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class StageTools:
    """What the images of one worker share; safe to use from several threads."""

    layout: SplitLayout
    recipe: Recipe
    max_pixels: int
    digests: Digests
    segmentation: Segmentation
    faces: Callable[[Pixels], list[FaceMesh]]
    clock: Callable[[], float]


@dataclass(frozen=True)
class StageOutput:
    """What a stage made: pixels by file name, or finished PNG bytes, and its numbers."""

    files: dict[str, Pixels | bytes]
    numbers: dict[str, Any]


class DamagedFileError(Exception):
    """A file that a stage reads is not the one its record describes."""

    def __init__(self, stage: Stage):
        self.stage = stage


class Portrait:
    """One image on its way through the stages."""

    def __init__(self, tools: StageTools, item: WorkItem, previous: Record | None):
        self.tools, self.item, self.previous = tools, item, previous
        self.layout = tools.layout
        self.entries: dict[Stage, StageEntry] = {}
        self.outcomes: dict[Stage, Outcome] = {}
        self.pixels: dict[str, Pixels] = {}
        self.timings: dict[str, float] = {}
        self.source: SourceInfo | None = None
        self._decoded: DecodedImage | Exception | None = None
        self.probability: Probability | DeviceOomError | None = None
        """The segmenter's answer, or why there is none; None: it was not asked yet."""
        self._faces: list[FaceMesh] | None = None

    # -- ahead of the stages -------------------------------------------------------------------------------

    def read_ahead(self) -> None:
        """Decode the source if the masks will be made of it.  What goes wrong is told by :meth:`run`."""
        if "masks" in self.item.stages and not self._masks_are_current():
            with suppress(Exception):
                self.decoded()

    @property
    def waits_for_segmenter(self) -> bool:
        """Whether there is a picture to segment."""
        if not isinstance(self._decoded, DecodedImage):
            return False
        # Only now is it known that the source was merely touched.
        return not self._reusable("masks", self.tools.digests.of("masks", self._decoded.source.sha256, {}))

    def _masks_are_current(self) -> bool:
        source = self._known_source()
        return source is not None and self._reusable("masks", self.tools.digests.of("masks", source.sha256, {}))

    def run(self) -> ImageResult:
        """Bring the selected stages up to date, and commit each.

        Raises:
            DamagedFileError: a file is not what its record says; the stage that made it must be redone.
            OSError, HostLimitError, DeviceFailedError, MemoryError: what is no fault of the image's.
        """
        stage: Stage = "masks"
        digest: str | None = None
        committed: set[Stage] | None = None  # None: nothing was written yet
        try:
            self.source = self._known_source() or self.decoded().source
            for stage in STAGES:
                if any(up not in self.entries for up in self.tools.digests.upstream(stage)):
                    self.outcomes[stage] = "pending"
                    continue
                digest = self.tools.digests.of(stage, self.source.sha256, self._shas())
                if self.previous and self._reusable(stage, digest):
                    self.entries[stage], self.outcomes[stage] = self.previous.stages[stage], "reused"
                elif stage in self.item.stages:
                    if committed != set(self.entries):
                        self._commit()  # claims only what stays, before anything is overwritten
                    self.entries[stage] = self._made(stage, digest)
                    self.outcomes[stage] = "computed"
                    self._commit()
                    committed = set(self.entries)
                else:
                    self.outcomes[stage] = "pending"
        except ImageError as error:
            return self._fail(stage, digest, error, None)
        except (DamagedFileError, HostLimitError, DeviceFailedError, OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  (one image's fault never stops the others)
            tail = "".join(traceback.format_exception(error))[-4000:]
            return self._fail(stage, digest, InternalError(f"{type(error).__name__}: {error}"), tail)
        if committed is None:
            self._remember_touched_source()
        elif committed != set(self.entries):
            self._commit()
        self._forget_failure()
        return self._result(None)

    # -- what the stages read ------------------------------------------------------------------------------

    def _reusable(self, stage: Stage, digest: str) -> bool:
        """Whether the record has this stage, made of the same, and its files are there."""
        old = self.previous.stages.get(stage) if self.previous else None
        return bool(old and self.previous and old.digest == digest and files_match(self.layout, self.previous, stage))

    def _known_source(self) -> SourceInfo | None:
        """The record's word for the source, if its size and modification time still are the same."""
        if self.previous is None:
            return None
        remembered = self.previous.source
        try:
            status = Path(self.item.file).stat()
        except OSError:
            return None  # decoding will say why
        same = (remembered.size, remembered.mtime_ns) == (status.st_size, status.st_mtime_ns)
        return remembered if same else None

    def decoded(self) -> DecodedImage:
        """The source, decoded once.  Raises whatever :func:`~relight_assets.dataset.images.decode` raised."""
        if self._decoded is None:
            try:
                with self._timed("decode"):
                    self._decoded = decode(
                        Path(self.item.file), image_size=self.tools.recipe.image_size, max_pixels=self.tools.max_pixels
                    )
            except Exception as error:  # noqa: BLE001  (raised below, and again whenever it is asked for)
                self._decoded = error
        if isinstance(self._decoded, Exception):
            raise self._decoded
        self.source = self._decoded.source
        return self._decoded

    def _person(self, rgb: Pixels) -> Probability:
        """The segmenter's answer; asked for now where nobody did ahead."""
        if self.probability is None:
            with self._timed("segment"):
                (self.probability,) = self.tools.segmentation([rgb])
        if isinstance(self.probability, DeviceOomError):
            raise self.probability
        return self.probability

    def _read(self, name: str) -> Pixels:
        """The pixels of one output file, as the file holds them."""
        if name not in self.pixels:
            stage = next(s for s in STAGES if name in STAGE_FILES[s])
            try:
                data = self.layout.png(self.item.index, name).read_bytes()
            except FileNotFoundError:
                raise DamagedFileError(stage) from None
            if sha256(data).hexdigest() != self.entries[stage].files[name].sha256:
                raise DamagedFileError(stage)
            self.pixels[name] = decode_png(data)
        return self.pixels[name]

    def _shas(self) -> dict[str, str]:
        return {name: stamp.sha256 for entry in self.entries.values() for name, stamp in entry.files.items()}

    def _face_meshes(self, rgb: Pixels) -> list[FaceMesh]:
        if self._faces is None:
            self._faces = self.tools.faces(rgb)
        return self._faces

    # -- the stages ----------------------------------------------------------------------------------------

    def _made(self, stage: Stage, digest: str) -> StageEntry:
        compute: dict[Stage, Callable[[], StageOutput]] = {
            "masks": self._masks,
            "albedo": self._albedo,
            "degraded": self._degraded,
            "composites": self._composites,
        }
        with self._timed(stage):
            output = compute[stage]()
        with self._timed("encode"):
            stamps = dict(map(self._write, output.files.items()))
        self.pixels.update({name: made for name, made in output.files.items() if isinstance(made, np.ndarray)})
        return StageEntry(digest=digest, files=stamps, numbers=output.numbers)

    def _masks(self) -> StageOutput:
        image = self.decoded()
        probability = self._person(image.rgb)
        faces = self._face_meshes(image.rgb)
        numbers = masks.person_numbers(probability)
        masks.require_person(numbers, len(faces), self.tools.recipe.masks)
        alpha = masks.clean_alpha(probability, image.rgb)
        layers = masks.separate(image.rgb, alpha, self.tools.recipe.background.blend)
        self.pixels["input"] = image.rgb
        return StageOutput(
            files={
                "input": image.rgb if image.verbatim is None else image.verbatim,
                "foreground": layers.foreground,
                "background": layers.background,
            },
            numbers={
                "score": round(float(numbers.score), 6),
                "coverage": round(float((alpha > 127).mean()), 6),
                "faces": len(faces),
                "face_presence": round(float(faces[0].presence), 4) if faces else None,
            },
        )

    def _albedo(self) -> StageOutput:
        made = albedo.extract(self._read("foreground"), self.tools.recipe.albedo_extraction.methods.retinex)
        return StageOutput({"albedo": made.image}, made.numbers)

    def _degraded(self) -> StageOutput:
        assert self.source is not None  # noqa: S101  (set before any stage)
        recipe = self.tools.recipe
        rgb = self._read("input")
        made = degraded.degrade(
            input_rgb=rgb,
            foreground=self._read("foreground"),
            albedo=self._read("albedo"),
            faces=[face.points for face in self._face_meshes(rgb)],
            triangles=TRIANGLES,
            degradation=recipe.degradation,
            lights=recipe.light_sampling,
            seed=recipe.seed,
            source_sha256=self.source.sha256,
        )
        numbers = {
            "degradation_type": made.degradation_type,
            "light_direction": [float(part) for part in made.light_direction],
            **made.numbers,
        }
        return StageOutput({"degraded_fg": made.image}, numbers)

    def _composites(self) -> StageOutput:
        recipe = self.tools.recipe.background
        behind = None if recipe.use_gray else self._read("background")
        made = composites.composite(self._read("degraded_fg"), behind, recipe)
        return StageOutput({"output": made}, {"background": "gray" if recipe.use_gray else "original"})

    def _write(self, named: tuple[str, Pixels | bytes]) -> tuple[str, FileStamp]:
        name, made = named
        data = made if isinstance(made, bytes) else encode_png(made)
        return name, write_stamped(self.layout.png(self.item.index, name), data)

    # -- the commit ----------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Write the record of what is current now."""
        assert self.source is not None  # noqa: S101  (set before any stage)
        before = self.previous
        light = self.entries["degraded"].numbers if "degraded" in self.entries else {}
        record = Record(
            index=self.item.index,
            image_path=self.item.image_path,
            source=self.source,
            stages=dict(self.entries),
            degradation_type=light.get("degradation_type"),
            light_direction=light.get("light_direction"),
            seed=self.tools.recipe.seed,
            package_version=__version__,
            # What was not done now keeps the time that it took when it was done.
            timings_ms=(before.timings_ms if before else {})
            | {name: round(spent, 2) for name, spent in self.timings.items()},
        )
        # Not flushed to the disk one by one: after a power cut a lost file differs in size from its record.
        write_record(self.layout, record, durable=False)

    def _remember_touched_source(self) -> None:
        """The same bytes with another modification time: remember that, and keep all that the record says."""
        before = self.previous
        if before and self.source and before.source != self.source and before.source.sha256 == self.source.sha256:
            write_record(self.layout, replace(before, source=self.source), durable=False)

    def _forget_failure(self) -> None:
        failure = read_failure(self.layout.failure(self.item.index))
        if failure is None or self.outcomes.get(failure.stage or "masks") in ("computed", "reused"):
            remove_failure(self.layout, self.item.index)  # a damaged one too

    def _fail(self, stage: Stage, digest: str | None, error: ImageError, tail: str | None) -> ImageResult:
        """Record the failure.

        Of a stage that cannot be done, and of what follows it, nothing is left that could be mistaken for
        its output.  A fault that may pass (a disk that did not answer) takes nothing away.
        """
        later = STAGES[STAGES.index(stage) :]
        self.outcomes.update(dict.fromkeys(later, "rejected" if error.rejected else "failed"))
        if not error.retryable:
            self._remove(later)
        stamp = self._tried_source()
        if stage == "masks" and stamp is not None:
            digest = self.tools.digests.of("masks", stamp.sha256, {})
        previous = read_failure(self.layout.failure(self.item.index))
        failure = failed(
            self.item.image_path,
            self.item.index,
            error,
            stage,
            previous=previous,
            source=stamp,
            digest=digest,
            traceback=tail,
        )
        write_failure(self.layout, failure, durable=False)
        return self._result(failure)

    def _remove(self, stages: tuple[Stage, ...]) -> None:
        if self.entries:
            self._commit()
        else:
            self.layout.record(self.item.index).unlink(missing_ok=True)
        for stage in stages:
            for name in STAGE_FILES[stage]:
                self.layout.png(self.item.index, name).unlink(missing_ok=True)

    def _tried_source(self) -> FileStamp | None:
        """What was tried, so that the same bytes are not tried again; None where they cannot be read."""
        if self.source is not None:
            return FileStamp(self.source.sha256, self.source.size, self.source.mtime_ns)
        try:
            return stamp_source(Path(self.item.file))
        except ImageError:
            return None

    def _result(self, failure: Failure | None) -> ImageResult:
        waiting = any(self.outcomes[stage] == "pending" for stage in self.item.stages)
        return ImageResult(
            index=self.item.index,
            outcomes=self.outcomes,
            code=failure.code if failure else UPSTREAM_STALE if waiting else None,
            message=failure.message if failure else None,
            numbers={stage: entry.numbers for stage, entry in self.entries.items()},
            timings_ms=self.timings,
        )

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = self.tools.clock()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + (self.tools.clock() - start) * 1000.0


def segment_together(portraits: Sequence[Portrait]) -> None:
    """Ask the segmenter for the masks of portraits that were read ahead.

    Raises:
        DeviceFailedError: the process can compute no more.
    """
    tools = portraits[0].tools
    start = tools.clock()
    try:
        answers = tools.segmentation([portrait.decoded().rgb for portrait in portraits])
    except DeviceFailedError:
        raise
    except Exception:  # noqa: BLE001  (each asks again, alone, and the one that is to blame fails)
        return
    share = (tools.clock() - start) * 1000.0 / len(portraits)
    for portrait, answer in zip(portraits, answers, strict=True):
        portrait.probability = answer
        portrait.timings["segment"] = share
