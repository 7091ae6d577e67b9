"""Where a file is, or is likely to be, whose path is spelled otherwise than on the disk.

Two spellings are the same text in Unicode's eyes: ``é`` is one character (NFC) or two (NFD, as macOS wrote it into
archives).  All others are only reported.  Folders are listed once, and no more of them than is cheap.
"""

import difflib
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote

MAX_NAMES = 200_000
"""Names that are read of all folders together; beyond, nothing is guessed.  A quarter of a second, 60 MiB."""
MAX_COMPARED = 200_000
"""Names that are compared with misspelled ones, about a second; beyond, only case, extension and slashes are."""
_MAX_ALIKE = 8
"""Paths that may be the same text and are followed side by side."""
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
Inside = Callable[[str], bool]
"""Whether a folder may be listed."""


@dataclass
class _Names:
    """The names in a folder."""

    folded: dict[str, list[str]] = field(default_factory=dict)
    """By what they are without case and in NFC."""
    stems: dict[str, list[str]] = field(default_factory=dict)
    """Those of images, by their folded stems."""
    numbered: dict[str, list[str]] = field(default_factory=dict)
    """The folded names by the digits in them: 0017.jpg is no misspelling of 0018.jpg."""

    def add(self, name: str) -> None:
        """One more of them."""
        folded = _folded(name)
        if folded not in self.folded:
            self.numbered.setdefault(_digits(folded), []).append(folded)
        self.folded.setdefault(folded, []).append(name)
        stem, ending = os.path.splitext(folded)  # noqa: PTH122  (a Path each would cost more than the rest)
        if ending in _IMAGE_ENDINGS:
            self.stems.setdefault(stem, []).append(name)


_NONE = _Names()


class Folders:
    """Where folders lead and what is in them, remembered for as long as a caller wants to believe it.

    One scan of a split, as a rule, in which thousands of files share a few folders.  With ``max_names=0`` none is
    listed, and nothing guessed.
    """

    def __init__(self, max_names: int = MAX_NAMES):
        self._real: dict[str, str] = {}
        self._above: dict[str, str] = {}
        self._are: dict[str, bool] = {}
        self._names: dict[str, _Names] = {}
        self._names_left = max_names
        self._compared_left = MAX_COMPARED
        self.guesses = max_names > 0

    def real(self, folder: str) -> str:
        """The path of a folder with every link resolved."""
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return self._real[folder]

    def real_above(self, folder: str) -> str:
        """How the paths of what is in a folder begin, with every link resolved."""
        if folder not in self._above:
            self._above[folder] = os.path.join(self.real(folder or "/"), "")  # noqa: PTH118
        return self._above[folder]

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder."""
        if path not in self._are:
            self._are[path] = os.path.isdir(path)  # noqa: PTH112  (text all the way, for speed)
        return self._are[path]

    def names(self, folder: str) -> _Names:
        """The names in a folder; none where it cannot be listed, or holds too many."""
        if folder not in self._names:
            self._names[folder] = self._listed(folder)
        return self._names[folder]

    def _listed(self, folder: str) -> _Names:
        found = _Names()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._names_left <= 0:
                        return _NONE
                    self._names_left -= 1
                    found.add(entry.name)
        except (OSError, ValueError):
            return _NONE
        return found

    def nearest(self, folder: str, name: str, *, is_file: bool) -> str | None:
        """The name in a folder that is most likely meant by one that is not there."""
        names = self.names(folder)
        for spelled in dict.fromkeys((name, unquote(name))):
            folded = _folded(spelled)
            if folded in names.folded:
                return min(names.folded[folded])
            stems = {folded, PurePosixPath(folded).stem} if is_file else set()
            if alike := [other for stem in stems for other in names.stems.get(stem, ())]:
                return min(alike)
        folded = _folded(name)
        others = names.numbered.get(_digits(folded), [])
        if len(others) > self._compared_left:
            return None
        self._compared_left -= len(others)
        close = difflib.get_close_matches(folded, others, n=1, cutoff=0.75)
        return min(names.folded[close[0]]) if close else None


def same_text(base: str, text: str, folders: Folders, inside: Inside) -> list[str]:
    """The paths on the disk that are, below ``base``, the same text as one that is not there; the nearest first.

    Args:
        base: a folder, or ``/``, which is taken as it is spelled.
        text: the path below it.
        folders: what is remembered of folders.
        inside: asked before a folder is listed.
    """
    found = [base]
    for part in text.lstrip("/").split("/"):
        found = [os.path.join(path, name) for path in found for name in _spelled(path, part, folders, inside)]  # noqa: PTH118
        found = found[:_MAX_ALIKE]
    return [path for path in found if os.path.lexists(path)]


def _spelled(folder: str, part: str, folders: Folders, inside: Inside) -> list[str]:
    if part.isascii():
        return [part]
    nfc = unicodedata.normalize("NFC", part)
    direct = dict.fromkeys((part, nfc, unicodedata.normalize("NFD", part)))
    if there := [name for name in direct if os.path.lexists(os.path.join(folder, name))]:  # noqa: PTH118
        return there
    if not folders.is_folder(folder) or not inside(folder):
        return []
    alike = folders.names(folder).folded.get(_folded(part), ())
    return sorted(name for name in alike if unicodedata.normalize("NFC", name) == nfc)


@dataclass(frozen=True)
class Guess:
    """What is likely wrong with a path that leads nowhere."""

    likely: str | None = None
    """A spelling under which there is a file."""
    no_folder: str | None = None
    """The first folder on the way that is not there."""


def guess(base: str, text: str, folders: Folders, inside: Inside) -> Guess:
    """What is likely wrong with a path that is not there; arguments as for :func:`same_text`."""
    if not folders.is_folder(base):
        return Guess(no_folder=base)
    root = "/" if text.startswith("/") else ""
    parts = [part for part in text.replace("\\", "/").split("/") if part not in {"", "."}]
    taken: list[str] = []
    gone: str | None = None
    for number, part in enumerate(parts, start=1):
        folder = os.path.join(base, *taken)  # noqa: PTH118
        path = os.path.join(folder, part)  # noqa: PTH118
        is_file = number == len(parts)
        if os.path.isfile(path) if is_file else folders.is_folder(path):  # noqa: PTH113
            taken.append(part)
            continue
        gone = gone or (None if is_file else path)
        near = folders.nearest(folder, part, is_file=is_file) if inside(folder) else None
        if near is None:
            taken = parts[-1:]  # a folder too many, perhaps
            break
        taken.append(near)
    path = os.path.join(base, *taken)  # noqa: PTH118
    likely = root + "/".join(taken)
    fits = likely != text and os.path.isfile(path) and inside(os.path.dirname(os.path.realpath(path)))  # noqa: PTH113, PTH120
    return Guess(likely if fits else None, gone)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold() if not name.isascii() else name.lower()


def _digits(name: str) -> str:
    return "".join(re.findall(r"[0-9]+", name))
