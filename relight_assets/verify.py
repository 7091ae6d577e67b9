"""Is a finished split what its records say?  Reads every file; changes nothing.

Each picture must have the sha256 of its record, each composite exactly the background wherever the person's alpha is
0, and the mapping CSV the input's rows, in order, with outputs that are there. What is whole is also measured, and held
against the recipe's thresholds.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.png import decode_png
from relight_assets.dataset.records import Record
from relight_assets.dataset.split_csv import OUTPUT_COLUMN, SplitCsv
from relight_assets.engine.devices import cores
from relight_assets.engine.locks import locked_folder
from relight_assets.engine.outgoing import mapping_path
from relight_assets.engine.run import look
from relight_assets.engine.survey import ImageState, RowStatus, Survey
from relight_assets.errors import ImageCorruptError, UserError
from relight_assets.quality.image_metrics import Pixels, measure
from relight_assets.quality.light_spread import Vector
from relight_assets.quality.verdicts import Measured, Verdict, verdicts
from relight_assets.recipe import Recipe
from relight_assets.recipe_yaml import load_recipe
from relight_assets.settings import Settings, load_project_recipe


@dataclass(frozen=True)
class Fault:
    """Something that is not as it must be.  ``code``: missing, altered, background, mapping."""

    code: str
    file: Path
    text: str


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
    """Each image that is whole and finished."""

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
            "metrics": [asdict(verdict) for verdict in self.verdicts],
            "measured": [asdict(each) for each in self.measured],
        }


def verify_split(
    split: SplitCsv, recipe: Recipe, settings: Settings, *, experiment: str | None = None, sample: int | None = None
) -> Verification:
    """Verify a split, or ``sample`` of its images, evenly spread; what the records claim, whether current or not.

    Raises:
        OutputFolderError: a run is at work there, or the folder cannot be read.
    """
    survey = look(split, recipe, settings, experiment)
    # A split that was never run has no folder to keep still, and is not given one.
    there = survey.layout.folder.is_dir()
    with locked_folder(survey.layout) if there else nullcontext():
        survey = look(split, recipe, settings, experiment)  # as it is now that nobody writes
        files = read_files(survey, recipe, sample)
        faults = [*files.faults, *mapping_faults(survey, mapping_path(survey, settings, experiment))]
    megabytes = sum(files.sizes) / (1 << 20)
    return Verification(
        split.split,
        survey.row_counts(),
        files.images,
        len(files.sizes),
        megabytes,
        faults,
        verdicts(files.measured, recipe),
        files.measured,
    )


def recipe_of(split: str, settings: Settings, experiment: str | None) -> Recipe:
    """The recipe that a split's outputs are of: the project's, or the one that an experiment was run with last.

    Raises:
        UserError: there is no such experiment of this split, or its recipe cannot be used.
    """
    if experiment is None:
        return load_project_recipe().recipe
    written = SplitLayout(split_folder(settings.output_root, split, experiment)).recipe
    if not written.exists():
        raise UserError(f"the experiment `{experiment}` has nothing of the split `{split}`: no {written}")
    return load_recipe(written).recipe


@dataclass(frozen=True)
class FilesRead:
    """Files that were held against their records."""

    images: int
    sizes: list[int]
    faults: list[Fault]
    measured: list[Measured]
    """What was measured of the images that are whole and finished."""


def read_files(survey: Survey, recipe: Recipe, sample: int | None) -> FilesRead:
    """Read the files of all images, or of ``sample`` of them, and hold them against records and background."""
    images = [image for image in survey.images.values() if image.record is not None and image.record.stages]
    if sample is not None and sample < len(images):
        images = [images[number * len(images) // sample] for number in range(sample)]
    gray = recipe.background.gray_color if recipe.background.use_gray else None
    with ThreadPoolExecutor(cores()) as threads:  # reading, hashing and decoding let go of the interpreter
        read = list(threads.map(partial(_of_image, layout=survey.layout, gray=gray), images))
    return FilesRead(
        len(images),
        [size for one in read for size in one.sizes],
        [fault for one in read for fault in one.faults],
        [one.measured for one in read if one.measured is not None],
    )


@dataclass(frozen=True)
class _Read:
    sizes: list[int]
    faults: list[Fault]
    measured: Measured | None


def _of_image(image: ImageState, *, layout: SplitLayout, gray: tuple[int, int, int] | None) -> _Read:
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
    sizes = [len(data) for data in content.values()]
    # A composite that is not current may be on another gray, rightly.
    measured = None
    if "composites" in image.current and not faults:
        try:
            pictures = {name: decode_png(data) for name, data in content.items()}
            _require_fit(pictures)
        except ImageCorruptError as error:
            faults.append(Fault("altered", layout.record(record.index), f"claims what no run has written: {error}"))
        else:
            faults += _of_background(pictures, layout.png(record.index, "output"), gray)
            measured = _measured(record, pictures)
    return _Read(sizes, faults, measured)


_CHANNELS = {"input": 3, "foreground": 4, "background": 4, "albedo": 3, "degraded_fg": 4, "output": 3}


def _require_fit(pictures: dict[str, Pixels]) -> None:
    """Raise :class:`ImageCorruptError` unless every picture is there, of one size and with its own channels."""
    for name, channels in _CHANNELS.items():
        if name not in pictures:
            raise ImageCorruptError(f"there is no `{name}`")
        wanted = (*pictures["input"].shape[:2], channels)
        if pictures[name].shape != wanted:
            raise ImageCorruptError(f"`{name}` has the shape {pictures[name].shape}, not {wanted}")


def _measured(record: Record, pictures: dict[str, Pixels]) -> Measured | None:
    names = ("input", "foreground", "background", "albedo", "degraded_fg")
    metrics = measure(*(pictures[name] for name in names))
    if metrics is None or record.light_direction is None:
        return None
    x, y, z = record.light_direction
    skin = record.stages["masks"].numbers.get("skin_lightness")
    if not isinstance(skin, float | int):
        skin = None
    light = record.stages["degraded"].numbers
    rim = light.get("mask_rim")
    return Measured(
        record.index,
        record.degradation_type or "none",
        (x, y, z),
        skin,
        metrics,
        source_light=_vector(light.get("source_light_direction")),
        mask_rim=rim if isinstance(rim, float | int) else None,
    )


def _vector(found: object) -> Vector | None:
    if not (isinstance(found, list) and len(found) == 3 and all(isinstance(part, float | int) for part in found)):
        return None
    x, y, z = found
    return x, y, z


def _of_background(pictures: dict[str, Pixels], path: Path, gray: tuple[int, int, int] | None) -> Iterator[Fault]:
    behind = np.array(gray, np.uint8) if gray is not None else pictures["input"]
    alpha = pictures["degraded_fg"][..., 3]
    outside = alpha == 0
    there = np.ascontiguousarray(behind[outside]) if behind.ndim == 3 else behind
    wrong = int((pictures["output"][outside] != there).any(axis=-1).sum())
    if wrong:
        told = "the photo's own background" if gray is None else f"exactly {list(gray)}"
        yield Fault("background", path, f"{wrong} pixels beside the person are not {told}")


def mapping_faults(survey: Survey, path: Path) -> Iterator[Fault]:
    """Hold a mapping CSV against the input's rows, in order, and against the outputs that there are."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True))
    except FileNotFoundError:
        yield Fault("mapping", path, "is not there; `relight run` writes it")
        return
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        yield Fault("mapping", path, f"cannot be read: {error}")
        return
    table = survey.split.table
    header, body = (rows[0], rows[1:]) if rows else ([], [])
    if header != [*table.columns, OUTPUT_COLUMN]:
        yield Fault("mapping", path, f"has the columns {', '.join(header) or 'none'}")
        return
    inputs = [list(row) for row in table.itertuples(index=False, name=None)]
    if [row[:-1] for row in body] != inputs:
        yield Fault("mapping", path, f"has {len(body)} rows that are not the input's {len(inputs)}, in order")
        return
    wanted = ["" if output is None else str(output.absolute()) for output in survey.outputs()]
    for number, (row, output) in enumerate(zip(body, wanted, strict=True)):
        if row[-1] != output:
            told = f"row {number + 1} says {row[-1] or 'nothing'} where there is {output or 'nothing'}"
            yield Fault("mapping", path, told)
        elif output and not Path(output).is_file():
            yield Fault("mapping", path, f"row {number + 1}: there is no file {output}")
