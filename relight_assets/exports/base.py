"""What an export is: one frozen object for each layout, the options, and the pairs that it is made of."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from relight_assets.config.datasets.exports import ExportOptions

Role = Literal["target", "condition", "mask", "caption"]
"""What a file of a pair is: the picture to be learnt, the picture that is given, the person, and the text."""
IMAGES: tuple[Role, ...] = ("target", "condition", "mask")


Size = tuple[int, int]
"""Width and height, in pixels."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the split that a picture is made of: its path, sha256, size in bytes and token."""

    path: Path
    sha256: str
    size: int
    token: str


CaptionSource = Literal["column", "command", "measured", "drawn", "fixed", "none"]


@dataclass(frozen=True, slots=True)
class Caption:
    """A text and where it came from.  It is empty only where no caption was asked for."""

    text: str
    source: CaptionSource


@dataclass(frozen=True, slots=True)
class Pair:
    """One light of one photo: a row of an export."""

    stem: str
    """Digits: the names of its files."""
    image_path: str
    number: int
    """Of the image in its split."""
    variant: int
    """Of the light, from 0."""
    sources: Mapping[str, Source]
    """Files of the split, by artifact: input, foreground, background, albedo, degraded_fg, output.

    Those of the light that the target shows, where that is another one, begin with ``target_``."""
    caption: Caption
    licence: str | None
    """Of the photo, as its rows have it; None: they give none."""
    labels_sha256: str
    """Of its row in samples.csv."""
    made_by: str
    """Digest of the recipe, the versions and the segmenter that made it."""


@dataclass(frozen=True, slots=True)
class Framing:
    """What is cut out of a picture of ``size`` (width, height), and to what size that is reduced."""

    size: Size
    left: int
    top: int
    width: int
    height: int
    out: Size

    @property
    def is_whole(self) -> bool:
        """Whether pictures stay as they are."""
        return (self.left, self.top) == (0, 0) and (self.width, self.height) == self.size == self.out


@dataclass(frozen=True)
class IndexInputs:
    """What the files beside the pictures are written from."""

    split: str
    folder: Path
    """Where the snapshot will lie: absolute."""
    options: ExportOptions
    pairs: tuple[Pair, ...]
    spec: "ExportSpec"

    def paths(self, pair: Pair) -> dict[Role, str]:
        """The files of a pair, relative to the snapshot."""
        return {role: pattern.format(stem=pair.stem) for role, pattern in self.spec.files.items()}


WriteIndexes = Callable[[IndexInputs], Iterator[tuple[str, Iterable[str]]]]
"""Gives each index file: its path in the snapshot, and its text in pieces."""


def _no_indexes(_: IndexInputs) -> Iterator[tuple[str, Iterable[str]]]:
    return iter(())


@dataclass(frozen=True, slots=True)
class PairBytes:
    """A pair as a shard holds it."""

    stem: str
    image_path: str
    caption: str
    licence: str | None
    images: Mapping[Role, bytes]
    """PNG files, by role."""


@dataclass(frozen=True)
class Shards:
    """How pairs are packed into files."""

    path: str
    """Of a shard in the snapshot; ``{split}``, ``{number}`` and ``{count}`` are put in."""
    max_bytes: int
    """Of the pictures in one, about."""
    write: Callable[[Path, Iterable[PairBytes]], None]
    read: Callable[[Path], Iterator[PairBytes]]
    """Raises ValueError or OSError where a shard is damaged."""
    needs: tuple[str, ...] = ()
    """Packages of the extra ``export``."""


@dataclass(frozen=True)
class ExportSpec:
    """A layout: which files a pair has, where, and what lies beside them."""

    name: str
    reader: str
    """Who reads it."""
    files: Mapping[Role, str]
    """Where the files of a pair lie, by role; ``{stem}`` is the pair's.  With shards: the names within them."""
    indexes: WriteIndexes = field(default=_no_indexes)
    start: str = ""
    """How it is used, in one line; ``{folder}`` is the snapshot."""
    load: str = """import pandas, PIL.Image
first = pandas.read_csv("{folder}/samples.csv", dtype={{"stem": str}}).iloc[0]
target, condition = (PIL.Image.open("{folder}/" + first[side]) for side in ("target", "condition"))"""
    """Lines of Python that read its first pair; ``{folder}`` is the snapshot."""
    shards: Shards | None = None
    """None: each picture is a file."""


TREE: Mapping[Role, str] = {
    "target": "image/{stem}.png",
    "condition": "conditioning_image/{stem}.png",
    "mask": "mask/{stem}.png",
    "caption": "image/{stem}.txt",
}
"""The tree that nearly every trainer reads: three folders with equal names, the caption beside the target."""
