"""Reading and writing ``NNNNN_metadata.json`` and ``NNNNN_failure.json``: what is committed, and what failed.

A record is the one source of truth about an image; everything else can be rebuilt from records.  So
reading is strict: a file that is damaged, is stored under another image's name, or was written by a newer version,
counts as no record, and its stages are done again.
"""

import errno
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import asdict

from relight_assets.dataset import metrics
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_format import decoded, encoded
from relight_assets.dataset.record_types import Failure, PhotoRecord, Record, RecordStamps, WrittenRecord
from relight_assets.stages.base import Stage, artifact_file
from relight_assets.stages.registry import all_stage_names, is_stage, stage_spec
from relight_assets.storage.base import Storage
from relight_assets.storage.files import host_limit
from relight_assets.storage.local import LOCAL

_Kind = TypeVar("_Kind", WrittenRecord, PhotoRecord, RecordStamps, Failure)
_Found = TypeVar("_Found", Record, RecordStamps, Failure)
_NO_FILE = {errno.ELOOP, errno.ENXIO, errno.ENODEV}  # a link in a circle, a socket, a device


def read_record(path: Path | str, storage: Storage = LOCAL) -> Record | None:
    """The record at ``path``; None where there is none, or a damaged one, another image's, or one of a newer version.

    A pipe, a device or a link that leads nowhere is no record; a folder cannot be read.

    Raises:
        OSError: the file is there and cannot be read.  (Taking that for "no record" would redo it.)
    """
    written = _read(path, WrittenRecord, storage)
    return written.fitted() if written is not None else None


def read_stamps(path: Path | str, storage: Storage = LOCAL) -> RecordStamps | None:
    """What the record at ``path`` says of files; None and errors as for :func:`read_record`."""
    return _read(path, RecordStamps, storage)


def read_photo(path: Path | str, storage: Storage = LOCAL) -> RecordStamps | None:
    """What the record at ``path`` says of files and of its photo; None and errors as for :func:`read_record`.

    Not a :class:`PhotoRecord` where the metrics are not such that they can be read alone.
    """
    try:
        return _read(path, PhotoRecord, storage, refuses=msgspec.ValidationError)
    except msgspec.ValidationError:
        return _read(path, RecordStamps, storage)


def metric_faults(path: Path | str, storage: Storage = LOCAL) -> list[str]:
    """A sentence for each metric of a record that does not fit its schema; none where there is no record.

    Raises:
        OSError: the file is there and cannot be read.
    """
    written = _read(path, WrittenRecord, storage)
    if written is None:
        return []
    found = [
        message
        for stage, entry in written.stages.items()
        for message in metrics.misfits(stage, metrics.renamed(stage, entry.numbers))
    ]
    fitted = written.fitted()
    names = ("degradation_type", "light_direction", "seed", "recipe", "package_version", "timings_ms")
    lost = (name for name in names if getattr(fitted, name) != getattr(written, name))
    return found + [f"`{name}` does not fit" for name in lost if (name, getattr(written, name)) != ("timings_ms", None)]


def read_failure(path: Path | str, storage: Storage = LOCAL) -> Failure | None:
    """The failure at ``path``; None as for :func:`read_record`.

    Raises:
        OSError: the file is there and cannot be read.
    """
    return _read(path, Failure, storage)


def known_record(layout: SplitLayout, index: int) -> Record | None:
    """As :func:`read_record`, and None too where it cannot be read: for what can do without it.

    Raises:
        HostLimitError: no more files can be opened.
    """
    return _if_readable(partial(read_record, storage=layout.storage), layout.record(index))


def known_stamps(layout: SplitLayout, index: int) -> RecordStamps | None:
    """As :func:`read_stamps` likewise."""
    return _if_readable(partial(read_stamps, storage=layout.storage), layout.record(index))


def known_failure(layout: SplitLayout, index: int) -> Failure | None:
    """An image's failure likewise."""
    return _if_readable(partial(read_failure, storage=layout.storage), layout.failure(index))


def _if_readable(read: Callable[[Path], _Found | None], path: Path) -> _Found | None:
    try:
        return read(path)
    except OSError as error:
        if limit := host_limit(error):
            raise limit from error
        return None


def write_record(layout: SplitLayout, record: Record, *, durable: bool = True) -> None:
    """Write an image's record atomically, with fsync unless ``durable`` is off.

    Raises:
        ValueError: a number that is not finite.
        PlaceTakenError, OSError: as :meth:`relight_assets.storage.base.Storage.put`.
    """
    stages = {
        stage: {
            "digest": entry.digest,
            "code": entry.code,
            "files": {name: entry.files[name] for name in entry.names(stage) if name in entry.files},
            "numbers": dict(sorted(entry.numbers.items())),
            **({"reads": entry.reads} if entry.reads else {}),
        }
        for stage in all_stage_names()
        if (entry := record.stages.get(stage)) is not None
    }
    content = asdict(record) | {"stages": stages, "timings_ms": dict(sorted(record.timings_ms.items()))}
    layout.storage.put(layout.record(record.index), encoded(content, sealed=True), durable=durable, over_folder=True)


def write_failure(layout: SplitLayout, failure: Failure, *, durable: bool = True) -> None:
    """Write an image's failure file atomically; as :func:`write_record`."""
    content = {key: value for key, value in asdict(failure).items() if key != "reads" or value}
    layout.storage.put(layout.failure(failure.index), encoded(content, sealed=False), durable=durable, over_folder=True)


def remove_failure(layout: SplitLayout, index: int) -> None:
    """Remove an image's failure file, as :meth:`relight_assets.storage.base.Storage.remove`."""
    layout.storage.remove(layout.failure(index))


def remove_record(layout: SplitLayout, index: int) -> None:
    """Remove an image's record, as :meth:`relight_assets.storage.base.Storage.remove`."""
    layout.storage.remove(layout.record(index))


def files_match(layout: SplitLayout, record: RecordStamps, *stages: Stage) -> bool:
    """Whether the record has these stages and all their files are there with the recorded size and token.

    Which files a stage must have was checked when the record was read.
    """
    stamps = []
    for stage in stages:
        entry = record.stages.get(stage)
        if entry is None:
            return False
        for name, stamp in entry.files.items():
            stamps.append((artifact_file(name), stamp.size, stamp.token))
    return layout.storage.have_states(layout.numbered_as(record.index), stamps)


def _read(
    path: Path | str, kind: type[_Kind], storage: Storage, *, refuses: type[Exception] | tuple[()] = ()
) -> _Kind | None:
    """``refuses``: what is raised of a damaged file, and does not count as none."""
    try:
        data = storage.read(path)
        found = decoded(data, kind, sealed=kind is not Failure) if data else None
    except refuses:
        raise
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    # A file under another image's name is not that image's.
    if found is None or not os.fspath(path).rpartition("/")[2].startswith(f"{found.index:05d}_"):
        return None
    fits = _failure_fits(found) if isinstance(found, Failure) else _record_fits(found)
    return found if fits else None


def _failure_fits(failure: Failure) -> bool:
    """Whether the stage of a failure is one, and its sha256 are some."""
    sha256s = [stamp.sha256 for stamp in (*failure.reads.values(), failure.source) if stamp is not None]
    return (failure.stage is None or is_stage(failure.stage)) and _are_hexadecimal(sha256s)


def _record_fits(record: RecordStamps) -> bool:
    """Whether the stages of a record are some, name the files that they write and no others, with their sha256."""
    sha256s = [record.source.sha256]
    for stage, entry in record.stages.items():
        if not is_stage(stage) or entry.files.keys() != _names(stage, len(entry.files)):
            return False
        sha256s.append(entry.digest)
        for stamp in entry.files.values():
            sha256s.append(stamp.sha256)  # noqa: PERF401  (a comprehension for so few costs more than the loop)
        for stamp in entry.reads.values():
            sha256s.append(stamp.sha256)  # noqa: PERF401
    return _are_hexadecimal(sha256s) and _place_fits(record)


def _are_hexadecimal(texts: list[str]) -> bool:
    # A quarter of the time of a regular expression.
    return not "".join(texts).encode("utf-8", "surrogatepass").translate(None, b"0123456789abcdef")


def _place_fits(record: RecordStamps) -> bool:
    """Whether the photo's place ends as its name does: a name is a path, or the end of one."""
    place, name = record.source.place, record.image_path
    return place is None or place == name or place.endswith(f"/{name}")


@cache
def _names(stage: Stage, count: int) -> frozenset[str]:
    """The files of a stage that wrote so many."""
    spec = stage_spec(stage)
    return frozenset(spec.files(max(1, count // len(spec.artifacts))))
