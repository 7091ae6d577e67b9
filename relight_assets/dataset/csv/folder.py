"""The CSVs of a folder: which splits they give, which of them can be used, and what is wrong with the others.

One bad file costs itself: it is named, and the others are used.  :mod:`relight_assets.dataset.csv.contents` tells the
same of what they hold without reading again what did not change.
"""

import errno
import fnmatch
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from relight_assets.core.regular_files import kind_of
from relight_assets.dataset.csv.read import SplitCsv, is_output_csv, name_part, read_split_csv, split_name
from relight_assets.errors import CsvError


@dataclass(frozen=True)
class CsvFolder:
    """The CSVs of a folder, as far as their names and kinds tell; none was read."""

    csv_dir: Path
    glob: str
    found: dict[str, Path]
    """By split, sorted by name."""
    faults: dict[Path, CsvError]
    """What is wrong with each of the others."""

    def only(self, split: str) -> "CsvFolder":
        """One split of the folder.

        Raises:
            CsvError: it has no CSV, or one whose name or kind is wrong.
        """
        return replace(self, found={split: self.path_of(split)}, faults={})

    def fault_of(self, split: str) -> CsvError | None:
        """What is wrong with the name or kind of the CSV that would be a split's; None: nothing, or there is none."""
        return next((fault for path, fault in self.faults.items() if name_part(path) == split), None)

    def path_of(self, split: str) -> Path:
        """The CSV of a split.

        Raises:
            CsvError: there is none, or its name or kind is wrong.
        """
        if split in self.found:
            return self.found[split]
        raise self.fault_of(split) or CsvError(
            f"the split `{split}` has no CSV in {self.csv_dir} (pattern {self.glob}); splits there: "
            f"{', '.join(self.found) or 'none'}"
        )

    def read(self, split: str) -> SplitCsv:
        """The CSV of a split, read.

        Raises:
            CsvError: as :meth:`path_of`, or it cannot be read.
        """
        return read_csv(self.path_of(split))

    def read_all(self) -> Iterator[tuple[Path, SplitCsv | CsvError]]:
        """Every CSV in the order of names, read when its turn comes, or what is wrong with it."""
        for path in sorted([*self.faults, *self.found.values()]):
            try:
                yield path, self.faults.get(path) or read_csv(path)
            except CsvError as error:
                yield path, error


def no_csv(csv_dir: Path, glob: str) -> str:
    """That a folder has no CSV of a split, and which files were found that may have been meant."""
    try:
        others = sorted(
            path.name for path in csv_dir.iterdir() if path.suffix.lower() == ".csv" and not is_output_csv(path.name)
        )
    except OSError:
        others = []
    found = (
        f"; found {', '.join(map(shown, others[:3]))}, which {'does' if len(others) == 1 else 'do'} not match {glob}"
        if others
        else ""
    )
    return f"no CSV matches {glob} in {csv_dir}{found}"


def list_csvs(csv_dir: Path, glob: str) -> CsvFolder:
    """The CSVs in a folder.

    Args:
        csv_dir: the folder; folders inside it are not searched.
        glob: a pattern of file names, for instance ``*_images.csv``.  Hidden files and this platform's output
            CSVs never match.

    Two files that give one split are both faults; names that differ only in case count as one, because on some disks
    their folders would be one.

    Raises:
        CsvError: no such folder, or no such pattern.
    """
    if "/" in glob:
        raise CsvError(f"The pattern {glob!r} must be one of file names, without a folder.")
    try:
        paths = sorted(csv_dir.iterdir())
    except OSError as error:
        raise CsvError(f"The CSV folder {csv_dir} cannot be listed: {error.strerror}.") from error
    by_name: dict[str, list[tuple[str, Path]]] = {}
    faults: dict[Path, CsvError] = {}
    for path in (path for path in paths if _matches(path.name, glob)):
        try:
            if not _is_file(path):
                continue
            split = split_name(path)
        except CsvError as error:
            faults[path] = CsvError(shown(str(error)))
        else:
            by_name.setdefault(split.casefold(), []).append((split, path))
    found: dict[str, Path] = {}
    for (split, path), *others in by_name.values():
        if not others:
            found[split] = path
        for _, other in others:
            fault = CsvError(f"{path} and {other} both give the split {split!r}. Rename one of them.")
            faults |= {path: fault, other: fault}
    return CsvFolder(csv_dir, glob, dict(sorted(found.items())), dict(sorted(faults.items())))


def read_csv(path: Path) -> SplitCsv:
    """As :func:`read_split_csv`, with a message that can be shown anywhere.

    Raises:
        CsvError: the CSV cannot be used.
    """
    try:
        return read_split_csv(path)
    except CsvError as error:
        raise CsvError(shown(str(error))) from error.__cause__
    except MemoryError as error:
        raise CsvError(f"{shown(str(path))} does not fit into memory. Split it into several CSVs.") from error


def split_label(path: Path) -> str:
    """What to call a CSV's split, whatever its name."""
    return shown(name_part(path))


def no_rows(path: Path) -> str:
    """What to tell of a CSV that has a header and nothing else."""
    return f"{shown(str(path))} has a header and no rows, so there is nothing to do."


def shown(text: str) -> str:
    """Text in which whatever cannot be shown, such as a byte that is no UTF-8 in a file's name, is escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _matches(name: str, glob: str) -> bool:
    return not name.startswith(".") and not is_output_csv(name) and fnmatch.fnmatchcase(name, glob)


def _is_file(path: Path) -> bool:
    """Whether it is a file; false for a folder, and for what has gone meanwhile.

    Raises:
        CsvError: it is neither, or a link that cannot be followed.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if not path.is_symlink():
            if error.errno == errno.ENOENT:
                return False
            raise CsvError(f"{path} cannot be read: {error.strerror}.") from error
        why = {errno.ENOENT: "which is not there", errno.ELOOP: "and on in a circle"}.get(error.errno or 0)
        raise CsvError(
            f"{path} is a link to {_target(path)}, {why or f'which may not be followed: {error.strerror}'}. Mend or "
            f"remove the link."
        ) from error
    if stat.S_ISDIR(mode):
        return False
    if not stat.S_ISREG(mode):
        raise CsvError(f"{path} is {kind_of(mode)}, not a file.")
    return True


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return "somewhere"
