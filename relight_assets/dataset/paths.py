"""From a CSV's cell to a file that may be opened, and to the name under which the image is numbered.

A CSV comes from anywhere.  So a cell is only ever a path: nothing in it is expanded or fetched, and
where an image root is set, nothing outside it is reached, not even through a symbolic link.  Both
functions go by the same normalised text, so two cells with one name are one file.
"""

import errno
import os
import re
import stat
import unicodedata
from contextlib import suppress
from pathlib import Path, PurePosixPath

from msgspec import Struct

from relight_assets.core.regular_files import AnyRoot, ImageRoot, kind_of
from relight_assets.dataset.spelling import Folders, guess, same_text
from relight_assets.errors import (
    BlankPathError,
    ImageError,
    PathRefusedError,
    SourceMissingError,
    SourceUnreadableError,
)

_MAX_PATH = 4096
_MAX_COMPONENT = 255
_VARIABLE = re.compile(r"(?:^|/)(?:\$\{|\$[A-Za-z_]|%[A-Za-z_][A-Za-z0-9_]{2,}%)|\$\{[^}/]*\}")
_UNTIDY = re.compile(r"\A\s|\s\Z|//|(?:\A|/)\.(?:/|\Z)|[\s\S]/\Z")
_SCHEME = re.compile(r"(?:file|data|https?):", re.IGNORECASE)
_WINDOWS = re.compile(r"\\\\|[A-Za-z]:\\")


def index_key(cell: str, csv_folder: Path, image_root: Path | None) -> str:  # noqa: ARG001 - see below
    """The lasting name of an image, by which its number is kept.

    The cell's text, stripped, without ``./`` and doubled slashes; relative to ``image_root`` where one
    is set and the path lies in it, so that a moved root re-labels nothing.  ``csv_folder`` does not
    enter on purpose: a moved CSV re-labels nothing either.  Purely textual (``..`` and links are left
    alone: what they lead to may change), and never an error.  A blank cell gives ``""``.
    """
    text = _normal(cell)
    if image_root is None or not text.startswith("/"):
        return text
    root = PurePosixPath(os.path.abspath(image_root))  # noqa: PTH100 - textual: resolve() follows links
    path = PurePosixPath(text)
    return str(path.relative_to(root)) if path.is_relative_to(root) else text


def resolve_image_path(cell: str, csv_folder: Path, image_root: AnyRoot, *, known: Folders | None = None) -> Path:
    """The file that a cell names, with every symbolic link resolved.  Nothing is opened.

    A relative path is looked for in ``image_root`` where one is set, then in ``csv_folder``.  With an
    ``image_root`` the file must lie in it, wherever it was found;
    :func:`~relight_assets.core.regular_files.open_regular` looks at that again, and at its other names (hard links),
    when it opens it.

    Where there is no file of exactly this name, one is taken whose path is the same text to Unicode: composed accents
    (NFC) for decomposed ones (NFD), or the other way round.  ``known`` remembers folders, for as long as a caller wants
    to believe what it saw: one scan of a split.  Files themselves are always looked at.

    Raises:
        BlankPathError: nothing in the cell.
        PathRefusedError: no path that may be opened; the message says why.
        SourceMissingError: there is no such file; the message names the folder that was searched and,
            where one is likely meant, the right spelling.
        SourceUnreadableError: a folder on the way cannot be entered.
    """
    return Path(locate_image(cell, csv_folder, image_root, known=known).path)


def locate_image(cell: str, csv_folder: Path, image_root: AnyRoot, *, known: Folders | None = None) -> "Located":
    """The file that a cell names, as :func:`resolve_image_path`, its place and its status.

    Raises:
        ImageError: as :func:`resolve_image_path`.
    """
    return Locator(csv_folder, image_root, Folders() if known is None else known).locate(cell)


class Located(Struct, frozen=True, gc=False):
    """A file that a cell names.  Paths are text: one is made for every row, and a Path costs more than the stat."""

    path: str
    """With every link resolved."""
    place: str
    """The path as named, links unresolved."""
    status: os.stat_result


def possible_places(cell: str, csv_folder: Path, image_root: Path | None) -> list[str]:
    """The places at which the file of a cell is looked for, in that order; absolute.  Nothing is opened."""
    return [plain_text(candidate) for candidate in _candidates(_normal(cell), csv_folder, image_root)]


def _candidates(text: str, csv_folder: Path, image_root: Path | None) -> list[str]:
    # Text all the way, for speed: an absolute one stands for itself.
    return [text] if text.startswith("/") else [f"{above}{text}" for above in _above(csv_folder, image_root)]


def _above(csv_folder: Path, image_root: Path | None) -> list[str]:
    """The folders below which a relative path is looked for, each with a slash at its end."""
    folders = [csv_folder] if image_root is None else [image_root, csv_folder]
    return [os.path.join(folder, "") for folder in folders]  # noqa: PTH118


def plain_text(path: str) -> str:
    """A path as text that every file can hold, also where a folder's name is none in UTF-8."""
    return path if path.isprintable() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _normal(cell: str) -> str:
    if _is_tidy(cell):
        return cell
    text, before = cell.strip(), None
    while text and text != before:  # once is not always enough: a slash taken away may uncover a blank
        text, before = str(PurePosixPath(text)).strip(), text
    return text


def _is_tidy(cell: str) -> bool:
    """Whether a cell is certainly normal, as nearly all are; the pattern decides of the others."""
    if cell and not (cell[0] in "./" or cell[-1] == "/" or "//" in cell or "/." in cell):
        return not (cell[0].isspace() or cell[-1].isspace())
    return not _UNTIDY.search(cell)


def _textual_fault(text: str) -> str | None:
    # Addresses are refused although nothing would fetch them: a file of that name is hardly meant, and
    # "no such file" would send the user looking in the wrong place.
    # Printable text holds neither; most is, and that is known in one call.
    if not text.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return "it holds a control character"
    if "\\" in text and _WINDOWS.match(text):
        return "it is a Windows or network path"
    if ":" in text and (":/" in text or _SCHEME.match(text)):
        return "only files are read, no addresses (URLs)"
    if len(text) * 4 < _MAX_COMPONENT:
        return None
    if len(os.fsencode(text)) >= _MAX_PATH:
        return f"it is longer than {_MAX_PATH - 1} bytes"
    # In NFC: decomposed, a name takes up to three times the bytes, and may lie on the disk composed.
    if any(len(os.fsencode(unicodedata.normalize("NFC", part))) > _MAX_COMPONENT for part in text.split("/")):
        return f"one of its names is longer than {_MAX_COMPONENT} bytes"
    return None


class _OutsideRootError(PathRefusedError):
    """A path that leads out of ``image_root``."""


def _weight(fault: ImageError) -> int:
    """Which fault is reported for a path that was searched in several places: a file may be missing in another."""
    return 0 if isinstance(fault, _OutsideRootError) else 1 if isinstance(fault, SourceMissingError) else 2


class Locator:
    """Finds the files that the cells of a CSV name.

    Args:
        csv_folder: the CSV's.
        image_root: the setting.
        known: what is remembered of folders.
    """

    def __init__(self, csv_folder: Path, image_root: AnyRoot, known: Folders):
        root = ImageRoot.of(image_root)
        self._csv_folder, self._known = csv_folder, known
        self._image_root = root.folder if root is not None else None
        self._above = _above(csv_folder, self._image_root)

    def locate(self, cell: str) -> Located:
        """As :func:`locate_image`."""
        text = _normal(cell)
        if not text:
            raise BlankPathError("The image_path cell is empty.")
        reason = _textual_fault(text)
        if reason:
            raise PathRefusedError(f"The image_path {_shown(text)} is refused: {reason}.")
        faults: list[ImageError] = []
        for above in self._above if text[0] != "/" else ("",):  # an absolute one stands for itself
            candidate = above + text
            try:
                real, status = self._checked(text, candidate)
            except ImageError as error:
                faults.append(error)
            else:
                return Located(real, plain_text(candidate), status)
        if not text.isascii() and (found := self._same_text(text)) is not None:
            return found
        raise self._error_of(text, max(faults, key=_weight))

    def _checked(self, text: str, candidate: str) -> tuple[str, os.stat_result]:
        """The real file at a place, and its status."""
        real, status = self._real(candidate)
        # Before any look at the file: whether something outside the root exists is nobody's business.
        if not self._is_inside(real):
            raise _OutsideRootError(f"The image_path {_shown(text)} is refused: it leads outside image_root.")
        if status is None:
            try:
                status = os.stat(real)  # noqa: PTH116
            except OSError as error:
                raise _not_there(text, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise PathRefusedError(f"The image_path {_shown(text)} is refused: it is {kind_of(status.st_mode)}.")
        # How many names the file has is asked where it is opened: a link that is made later costs no finished image.
        return real, status

    def _same_text(self, text: str) -> Located | None:
        """The file whose path is the same text, at its place as the cell has it; None where there is none.

        Raises:
            SourceMissingError: there are several, none of which is exactly what the cell says.
        """
        for base in self._bases(text):
            if os.path.lexists(os.path.join(base, text)):  # noqa: PTH118
                continue  # what has exactly this name is meant, whatever is wrong with it
            found: dict[str, tuple[str, os.stat_result]] = {}
            for path in same_text(base, text, self._known, self._may_be_listed):
                with suppress(ImageError):
                    real, status = self._checked(text, path)
                    found.setdefault(real, (path, status))
            if len(found) > 1:
                raise SourceMissingError(
                    f"There is no file {_shown(text)}, but {len(found)} whose accents are encoded otherwise, such "
                    f"as {' and '.join(ascii(path)[:200] for path, _ in list(found.values())[:2])}. Rename one of them."
                )
            for real, (_, status) in found.items():
                return Located(real, plain_text(os.path.join(base, text)), status)  # noqa: PTH118
        return None

    def _error_of(self, text: str, fault: ImageError) -> ImageError:
        """A fault as a person needs it: of a missing file, where it was looked for and what is there instead."""
        if not isinstance(fault, SourceMissingError) or not self._known.guesses:
            return fault
        bases = self._bases(text)
        guesses = [guess(base, text, self._known, self._may_be_listed) for base in bases]
        likely = next((each.likely for each in guesses if each.likely is not None), None)
        gone = next((each.no_folder for each in guesses if each.no_folder is not None), None)
        where = "" if text.startswith("/") else f" in {' or '.join(map(_shown, bases))}"
        message = f"There is no file {_shown(text)}{where}"
        if likely is not None and likely == text.replace("\\", "/"):
            message += f", but {_shown(likely)} is there: write / in place of \\."
        elif likely is not None:
            message += f". Did you mean {_shown(likely)}?"
        elif text.startswith("~") or _VARIABLE.search(text):
            message += ". Neither ~ nor a variable is expanded; write the full path."
        else:
            message += f": there is no folder {_shown(gone)}." if gone is not None else "."
            message += " Check the path and that its disk is there."
        if not text.startswith("/") and not self._may_be_listed(os.fspath(self._csv_folder)):
            message += " The CSV's own folder lies outside image_root, so it was not searched."
        return SourceMissingError(message)

    def _bases(self, text: str) -> list[str]:
        """The folders below which the file is looked for, those outside the root left out."""
        if text.startswith("/"):
            return ["/"]
        bases = dict.fromkeys(
            os.fspath(folder) for folder in (self._image_root, self._csv_folder) if folder is not None
        )
        return [base for base in bases if self._may_be_listed(base)]

    def _may_be_listed(self, folder: str) -> bool:
        return self._is_inside(self._known.real(folder))

    def _is_inside(self, real: str) -> bool:
        if self._image_root is None:
            return True
        root = self._known.real(os.fspath(self._image_root))
        return real == root or real.startswith(root if root.endswith("/") else f"{root}/")

    def _real(self, candidate: str) -> tuple[str, os.stat_result | None]:
        """``os.path.realpath``, with that of the folder remembered; and the status of what is there and no link."""
        folder, _, name = candidate.rpartition("/")
        if name in {"", ".", ".."}:
            return os.path.realpath(candidate), None
        path = f"{self._known.real_above(folder)}{name}"
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            return path, None
        return (os.path.realpath(path), None) if stat.S_ISLNK(status.st_mode) else (path, status)


def _not_there(text: str, error: OSError) -> ImageError:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return SourceMissingError(f"There is no file {_shown(text)}. Check the path and that its disk is there.")
    if error.errno == errno.ELOOP:
        return PathRefusedError(f"The image_path {_shown(text)} is refused: its links form a loop.")
    if error.errno == errno.ENAMETOOLONG:
        return PathRefusedError(f"The image_path {_shown(text)} is refused: the full path is too long.")
    return SourceUnreadableError(f"{_shown(text)} cannot be reached: {error.strerror}. Check permissions.")


def _shown(text: str) -> str:
    short = text if len(text) <= 200 else f"{text[:120]}...{text[-70:]}"
    return f"'{short}'" if short.isprintable() else repr(short)
