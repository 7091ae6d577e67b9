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
from pathlib import Path, PurePosixPath

from relight_assets.dataset.files import kind_of
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


Folders = dict[str, str]
"""Real paths of folders, by the paths that led to them."""


def resolve_image_path(cell: str, csv_folder: Path, image_root: Path | None, *, known: Folders | None = None) -> Path:
    """The file that a cell names, with every symbolic link resolved.  Nothing is opened.

    A relative path is looked for in ``image_root`` where one is set, then in ``csv_folder``.  With an
    ``image_root`` the file must lie in it, wherever it was found.  ``known`` remembers where folders
    lead, for as long as a caller wants to believe that: one scan of a split, in which thousands of files
    share a few.  Files themselves are always looked at.

    Raises:
        BlankPathError: nothing in the cell.
        PathRefusedError: no path that may be opened; the message says why.
        SourceMissingError: there is no such file.
        SourceUnreadableError: a folder on the way cannot be entered.
    """
    return locate_image(cell, csv_folder, image_root, known=known)[0]


def locate_image(
    cell: str, csv_folder: Path, image_root: Path | None, *, known: Folders | None = None
) -> tuple[Path, str]:
    """The file that a cell names, as :func:`resolve_image_path`, and its place: the path as named, links unresolved.

    Raises:
        ImageError: as :func:`resolve_image_path`.
    """
    text = _normal(cell)
    if not text:
        raise BlankPathError("The image_path cell is empty.")
    reason = _textual_fault(text)
    if reason:
        raise PathRefusedError(f"The image_path {_shown(text)} is refused: {reason}.")
    faults: list[ImageError] = []
    for candidate in _candidates(text, csv_folder, image_root):
        try:
            return _checked(text, candidate, image_root, {} if known is None else known), plain_text(candidate)
        except ImageError as error:
            faults.append(error)
    raise next((fault for fault in faults if not isinstance(fault, SourceMissingError)), faults[0])


def possible_places(cell: str, csv_folder: Path, image_root: Path | None) -> list[str]:
    """The places at which the file of a cell is looked for, in that order; absolute.  Nothing is opened."""
    return [plain_text(candidate) for candidate in _candidates(_normal(cell), csv_folder, image_root)]


def _candidates(text: str, csv_folder: Path, image_root: Path | None) -> list[str]:
    # Text all the way, for speed: an absolute one stands for itself.
    folders = [csv_folder] if image_root is None else [image_root, csv_folder]
    return [text] if text.startswith("/") else [os.path.join(folder, text) for folder in folders]  # noqa: PTH118


def plain_text(path: str) -> str:
    """A path as text that every file can hold, also where a folder's name is none in UTF-8."""
    return path if path.isprintable() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _normal(cell: str) -> str:
    if not _UNTIDY.search(cell):  # as nearly all are
        return cell
    text, before = cell.strip(), None
    while text and text != before:  # once is not always enough: a slash taken away may uncover a blank
        text, before = str(PurePosixPath(text)).strip(), text
    return text


def _textual_fault(text: str) -> str | None:
    # These are refused although nothing would expand or fetch them: a file of that name is hardly
    # meant, and "no such file" would send the user looking in the wrong place.
    # Printable text holds neither; most is, and that is known in one call.
    if not text.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return "it holds a control character"
    if text.startswith("~"):
        return "a home folder '~' is not expanded; write the full path"
    if _WINDOWS.match(text):
        return "it is a Windows or network path"
    if ":/" in text or _SCHEME.match(text):
        return "only files are read, no addresses (URLs)"
    if _VARIABLE.search(text):
        return "variables are not expanded; write the full path"
    if len(os.fsencode(text)) >= _MAX_PATH:
        return f"it is longer than {_MAX_PATH - 1} bytes"
    if any(len(os.fsencode(part)) > _MAX_COMPONENT for part in text.split("/")):
        return f"one of its names is longer than {_MAX_COMPONENT} bytes"
    return None


def _checked(text: str, candidate: str, image_root: Path | None, folders: Folders) -> Path:
    real = _real(candidate, folders)
    # Before any look at the file: whether something outside the root exists is nobody's business.
    if image_root is not None and not Path(real).is_relative_to(_real_folder(str(image_root), folders)):
        raise PathRefusedError(f"The image_path {_shown(text)} is refused: it leads outside image_root.")
    try:
        mode = os.stat(real).st_mode  # noqa: PTH116
    except OSError as error:
        raise _not_there(text, error) from error
    if not stat.S_ISREG(mode):
        raise PathRefusedError(f"The image_path {_shown(text)} is refused: it is {kind_of(mode)}.")
    return Path(real)


def _real(candidate: str, folders: Folders) -> str:
    """``os.path.realpath``, with that of the folder remembered."""
    folder, name = os.path.split(candidate)
    if name in {"", ".", ".."}:
        return os.path.realpath(candidate)
    path = os.path.join(_real_folder(folder, folders), name)  # noqa: PTH118
    return os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114


def _real_folder(folder: str, folders: Folders) -> str:
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return folders[folder]


def _not_there(text: str, error: OSError) -> ImageError:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return SourceMissingError(f"There is no file {_shown(text)}. Check the path and that its disk is there.")
    if error.errno == errno.ELOOP:
        return PathRefusedError(f"The image_path {_shown(text)} is refused: its links form a loop.")
    if error.errno == errno.ENAMETOOLONG:
        return PathRefusedError(f"The image_path {_shown(text)} is refused: the full path is too long.")
    return SourceUnreadableError(f"{_shown(text)} cannot be reached: {error.strerror}. Check permissions.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else f"{text[:120]}...{text[-70:]}")
