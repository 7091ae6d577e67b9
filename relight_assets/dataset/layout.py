"""Names of the files in a split's folder, and who the folder belongs to.

Every output is named by its number alone: nothing that a CSV or a user says ever becomes part of a
file name, apart from the checked names of splits and experiments.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from relight_assets.errors import CsvError, OutputFolderError, UserError
from relight_assets.stages.base import Stage, artifact_file, variant_name
from relight_assets.stages.registry import stage_spec
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

RECORD_SUFFIX = "metadata.json"
FAILURE_SUFFIX = "failure.json"
RECORD_CACHE = ".records.sqlite"
THUMBNAILS = ".thumbnails"
GALLERY = "gallery"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MAX_NUMBER = 10**9 - 1
"""The largest number of an image; a larger one is a damaged file's."""
_DIGITS, _LAST = r"/([0-9]{5}|[1-9][0-9]{5,8})_", r"[A-Za-z0-9_]+\.(?:png|json|exr)"
_NUMBERED = re.compile(rf"{_DIGITS}({_LAST})(?=/)")
"""A numbered file's name among others, a slash before and behind each."""
_NUMBER = re.compile(rf"{_DIGITS}{_LAST}(?=/)")
_FAILURE = re.compile(rf"{_DIGITS}{re.escape(FAILURE_SUFFIX)}(?=/)")
_THUMBNAIL = re.compile(r"([0-9]{5}|[1-9][0-9]{5,8})\.jpg")
_NAMES_AT_ONCE = 10_000


def png_name(index: int, name: str) -> str:
    """File name of the picture ``name`` of image ``index``."""
    return f"{index:05d}_{name}.png"


@dataclass(frozen=True, slots=True)
class SplitLayout:
    """The file names of one split's folder.  Numbers have five digits, more when needed."""

    folder: Path
    storage: Storage = LOCAL
    """Where they lie: whoever reads or writes one asks it."""

    @property
    def is_there(self) -> bool:
        """Whether the split has its folder."""
        return self.storage.kind(self.folder) == "a folder"

    def numbered_as(self, index: int) -> str:
        """How the paths of the files of image ``index`` begin, as text: a Path costs as much as a stat."""
        return f"{self.folder}/{index:05d}_"

    def png(self, index: int, name: str) -> Path:
        """The picture ``name`` of image ``index``."""
        return self.folder / png_name(index, name)

    def artifact(self, index: int, name: str) -> Path:
        """The artifact ``name`` of image ``index``, a picture or another file."""
        return self.folder / f"{index:05d}_{artifact_file(name)}"

    def shown(self, index: int, name: str, variant: int = 0) -> Path:
        """The artifact ``name`` of image ``index``; of one of its variants, where it has several."""
        one = self.png(index, variant_name(name, variant, 2))
        return one if self.storage.kind(one) == "a file" else self.png(index, name)

    def leftovers(self, index: int, stage: Stage, variants: int) -> list[Path]:
        """Artifacts of a stage that another number of variants has left, the last first."""
        spec = stage_spec(stage)
        if not spec.per_light:
            return []
        kept = set(spec.files(variants))
        found = [self.artifact(index, name) for name in spec.artifacts if name not in kept]
        number = 0 if variants == 1 else variants
        while True:
            more = [self.artifact(index, variant_name(name, number, number + 2)) for name in spec.artifacts]
            if not any(map(self.storage.kind, more)):
                return list(filter(self.storage.kind, reversed(found)))
            found += more
            number += 1

    def record(self, index: int) -> Path:
        """The record of image ``index``: what is committed, stage by stage."""
        return self.folder / f"{index:05d}_{RECORD_SUFFIX}"

    def failure(self, index: int) -> Path:
        """The failure file of image ``index``; it is there only while the image cannot be done."""
        return self.folder / f"{index:05d}_{FAILURE_SUFFIX}"

    @property
    def index_csv(self) -> Path:
        """The lasting numbers of the images."""
        return self.folder / "index.csv"

    @property
    def origin(self) -> Path:
        """Whose folder this is: the CSV that it belongs to."""
        return self.folder / "origin.json"

    @property
    def samples(self) -> Path:
        """Every finished pair with every label."""
        return self.folder / "samples.csv"

    @property
    def samples_parquet(self) -> Path:
        """The same as Parquet."""
        return self.folder / "samples.parquet"

    @property
    def staged_mapping(self) -> Path:
        """The mapping until it was checked."""
        return self.folder / ".mapping.csv"

    @property
    def progress(self) -> Path:
        """Counts of the run that is under way."""
        return self.folder / ".progress.json"

    @property
    def recipe(self) -> Path:
        """The resolved recipe of the last run."""
        return self.folder / "recipe.yaml"

    @property
    def record_cache(self) -> Path:
        """What scans keep of the records; it may be removed at any time."""
        return self.folder / RECORD_CACHE

    @property
    def thumbnails(self) -> Path:
        """The folder of the small pictures that galleries show; it may be removed at any time."""
        return self.folder / THUMBNAILS

    def thumbnail(self, index: int) -> Path:
        """The small pictures of image ``index``, side by side."""
        return self.thumbnails / f"{index:05d}.jpg"

    def thumbnail_numbers(self) -> set[int]:
        """Every number that a thumbnail holds.

        Raises:
            OSError: the folder cannot be read.
        """
        if self.storage.kind(self.thumbnails) != "a folder":
            return set()
        found = (_THUMBNAIL.fullmatch(name) for name in self.storage.names(self.thumbnails))
        return {int(match[1]) for match in found if match is not None}

    @property
    def gallery(self) -> Path:
        """The folder of the page that shows all pairs; it may be removed at any time."""
        return self.folder / GALLERY

    @property
    def lock(self) -> Path:
        """The lock file of whoever writes in this folder."""
        return self.folder / ".lock"

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Number and last part of the name (``input.png``, ``metadata.json``) of every numbered file.

        In no order.  A folder that is not there has none.
        """
        for names in self._names():
            yield from ((int(digits), last) for digits, last in _NUMBERED.findall(names))

    def numbers(self, suffix: str | None = None) -> set[int]:
        """Every number that a file in the folder holds; with ``suffix``, files that end so alone."""
        if suffix is None:
            return self.held().numbers
        return {number for number, last in self.numbered() if last == suffix}

    def held(self) -> "HeldNumbers":
        """The numbers that files in the folder hold, of one listing; seven names of one image are one match each."""
        numbers: set[str] = set()
        failures: set[str] = set()
        for names in self._names():
            numbers.update(_NUMBER.findall(names))
            if FAILURE_SUFFIX in names:
                failures.update(_FAILURE.findall(names))
        return HeldNumbers(set(map(int, numbers)), set(map(int, failures)))

    def _names(self) -> Iterator[str]:
        """The names in the folder, many at once, a slash before and behind each: a match for each costs three times."""
        names = iter(self.storage.names(self.folder))
        while some := "/".join(islice(names, _NAMES_AT_ONCE)):
            yield f"/{some}/"


class HeldNumbers(NamedTuple):
    """The numbers of the images of which a folder has files."""

    numbers: set[int]
    failures: set[int]
    """Those with a failure file: it costs less to know than to ask for a file of each image that is not there."""


def split_folder(output_root: Path, split: str, experiment: str | None = None) -> Path:
    """The folder of a split, or of a split within a named experiment.  Creates nothing.

    Raises:
        UserError: a name that :func:`check_name` turns down.
    """
    check_name("split", split)
    if experiment is None:
        return output_root / f"data-{split}"
    return experiment_folder(output_root, experiment) / f"data-{split}"


def experiment_folder(output_root: Path, experiment: str) -> Path:
    """The folder of a named experiment, with all its splits.  Creates nothing.

    Raises:
        UserError: a name that :func:`check_name` turns down.
    """
    check_name("experiment", experiment)
    return output_root / "experiments" / experiment


def check_name(kind: str, name: str) -> None:
    """Turn down a name that is not safe in a file name, a partition key and a URL alike.

    Args:
        kind: what is named; the message says so.  ``"split"`` raises :class:`CsvError`.
        name: 1 to 64 letters, digits, ``_`` and ``-`` of ASCII, the first a letter or a digit.

    Raises:
        UserError: any other name.
    """
    if _NAME.fullmatch(name):
        return
    shown = name if len(name) <= 80 else f"{name[:80]}..."
    error = CsvError if kind == "split" else UserError
    raise error(
        f"The {kind} name {shown!r} cannot be used: use 1 to 64 letters, digits, '_' and '-' (no spaces, "
        f"dots or accents), starting with a letter or a digit."
    )


def refuse_foreign_folder(layout: SplitLayout, overwrite: bool) -> None:  # noqa: FBT001 - says what it is
    """Refuse a folder that holds somebody's older images: numbered, but without index and records.

    Raises:
        OutputFolderError: such a folder, unless ``overwrite`` is set.
    """
    if overwrite or layout.storage.kind(layout.index_csv) == "a file":
        return
    images = 0
    for _, last in layout.numbered():
        if last in {RECORD_SUFFIX, FAILURE_SUFFIX}:
            return
        images += last.endswith(".png")
    if images:
        raise OutputFolderError(
            f"{layout.folder} holds {images} numbered images but neither index.csv nor a record, so they "
            f"were made by something else. Choose another output folder, or give --overwrite to write there "
            f"all the same."
        )
