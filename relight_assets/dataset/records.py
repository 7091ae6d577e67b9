"""``NNNNN_metadata.json`` and ``NNNNN_failure.json``: what is committed, and what could not be done.

A record is the one source of truth about an image; everything else can be rebuilt from records.  So
reading is strict: a file that is damaged, lies under another image's name, or was written by a newer version, counts
as no record, and its stages are done again.  A record ends with the sha256 of everything before that line, because
later stages are computed from what it holds.  msgspec reads and checks them at once, because 12,000 are read for a
plan; ``gc=False`` says to the garbage collector that they hold no cycles.

Schema 1 had neither that sha256 nor places, and mtimes for tokens; its files are read as they are.
"""

import errno
import json
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec.structs import asdict

from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset import metrics
from relight_assets.dataset.layout import SplitLayout, png_name
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names, stage_spec
from relight_assets.storage.base import Storage
from relight_assets.storage.files import Count, FileStamp, Sha256, SourceInfo, host_limit
from relight_assets.storage.local import LOCAL

SCHEMA_VERSION = 2


class StageStamps(msgspec.Struct, frozen=True, gc=False):
    """What one committed stage says of files: its digest, and the stamps of the files it wrote (by name).

    ``reads`` are the user's own files that it read (depth, normals), by role; the source is not among them.
    ``code`` is the version of the stage's code.
    """

    digest: Sha256
    files: dict[str, FileStamp]
    reads: dict[str, FileStamp] = msgspec.field(default_factory=dict)
    code: str = ""

    def names(self, stage: Stage) -> tuple[str, ...]:
        """The files that it must have, being the entry of ``stage``."""
        spec = stage_spec(stage)
        return spec.files(max(1, len(self.files) // len(spec.artifacts)))


class StageEntry(StageStamps, frozen=True, gc=False):
    """One committed stage: its digest, the files it wrote and every number it drew or found."""

    numbers: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def lights(self) -> list[dict[str, Any]]:
        """The numbers of each variant of the light; where there is one, those of the stage."""
        return metrics.lights_of(self.numbers)


class RecordStamps(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a record says of files, without its metrics: all that decides whether a stage is current.

    Decoding it takes half the time and a quarter of the memory of a :class:`Record`.
    """

    index: Count
    image_path: Annotated[str, msgspec.Meta(min_length=1)]
    source: SourceInfo
    stages: Mapping[Stage, StageStamps] = msgspec.field(default_factory=dict)


class Record(RecordStamps, frozen=True, gc=False, kw_only=True):
    """What is committed for one image.

    ``image_path`` is the image's name in the index (``paths.index_key``), from which the index can be
    rebuilt.  ``light_direction`` is a unit vector: x right, y down, z to the camera; with ``degradation_type``
    it is that of the first variant.  ``recipe`` is what decides the pixels and differs from this version's defaults.
    """

    stages: dict[Stage, StageEntry] = msgspec.field(default_factory=dict)
    degradation_type: str | None = None
    light_direction: list[float] | None = None
    seed: int | None
    recipe: dict[str, Any] | None = None
    package_version: str
    timings_ms: dict[str, float] = msgspec.field(default_factory=dict)


class _WrittenEntry(StageStamps, frozen=True, gc=False):
    """A :class:`StageEntry` as a file has it: what must fit, and metrics that may be anything."""

    numbers: Any = None


class _WrittenRecord(RecordStamps, frozen=True, gc=False, kw_only=True):
    """A :class:`Record` as a file has it, with metrics that are not yet checked."""

    stages: dict[Stage, _WrittenEntry] = msgspec.field(default_factory=dict)
    degradation_type: Any = None
    light_direction: Any = None
    seed: Any = None
    recipe: Any = None
    package_version: Any = None
    timings_ms: Any = None

    def fitted(self) -> Record:
        """The record with its metrics as far as they fit; the others are null, or not there."""
        return Record(
            index=self.index,
            image_path=self.image_path,
            source=self.source,
            stages={
                stage: StageEntry(
                    entry.digest,
                    entry.files,
                    entry.reads,
                    entry.code,
                    metrics.fitted(stage, metrics.renamed(stage, entry.numbers)),
                )
                for stage, entry in self.stages.items()
            },
            degradation_type=metrics.fitted_family(self.degradation_type),
            light_direction=metrics.fitted_direction(self.light_direction),
            seed=self.seed if type(self.seed) is int else None,
            recipe=self.recipe if isinstance(self.recipe, dict) else None,
            package_version=self.package_version if isinstance(self.package_version, str) else "unknown",
            timings_ms=metrics.fitted_timings(self.timings_ms),
        )


class Failure(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Why an image could not be done.

    ``source`` and ``reads`` (stamps of the files as they were tried) and ``digest`` (of the stage that was tried) let a
    later run see whether anything changed since, without which a lasting fault is not tried again.
    """

    index: int
    image_path: str
    code: str
    stage: Stage | None
    message: str
    attempts: int
    rejected: bool
    retryable: bool
    source: FileStamp | None = None
    digest: str | None = None
    traceback: str | None = None
    skin_lightness: float | None = None
    """Median CIE L* of the face of a photo that was rejected."""
    package_version: str
    reads: dict[str, FileStamp] = msgspec.field(default_factory=dict)


_Kind = TypeVar("_Kind", _WrittenRecord, RecordStamps, Failure)
_Found = TypeVar("_Found", Record, Failure)


def read_record(path: Path | str, storage: Storage = LOCAL) -> Record | None:
    """The record at ``path``; None where there is none, or a damaged one, another image's, or one of a newer version.

    A pipe, a device or a link that leads nowhere is no record; a folder cannot be read.

    Raises:
        OSError: the file is there and cannot be read.  (Taking that for "no record" would redo it.)
    """
    written = _read(path, _WrittenRecord, storage)
    return written.fitted() if written is not None else None


def read_stamps(path: Path | str, storage: Storage = LOCAL) -> RecordStamps | None:
    """What the record at ``path`` says of files; None and errors as for :func:`read_record`."""
    return _read(path, RecordStamps, storage)


def metric_faults(path: Path | str, storage: Storage = LOCAL) -> list[str]:
    """A sentence for each metric of a record that does not fit its schema; none where there is no record.

    Raises:
        OSError: the file is there and cannot be read.
    """
    written = _read(path, _WrittenRecord, storage)
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
        for stage in stage_names()
        if (entry := record.stages.get(stage)) is not None
    }
    content = asdict(record) | {"stages": stages, "timings_ms": dict(sorted(record.timings_ms.items()))}
    layout.storage.put(layout.record(record.index), _sealed(_dump(content)), durable=durable, over_folder=True)


def write_failure(layout: SplitLayout, failure: Failure, *, durable: bool = True) -> None:
    """Write an image's failure file atomically; as :func:`write_record`."""
    content = {key: value for key, value in asdict(failure).items() if key != "reads" or value}
    layout.storage.put(layout.failure(failure.index), _dump(content), durable=durable, over_folder=True)


def remove_failure(layout: SplitLayout, index: int) -> None:
    """Remove an image's failure file, as :meth:`relight_assets.storage.base.Storage.remove`."""
    layout.storage.remove(layout.failure(index))


def remove_record(layout: SplitLayout, index: int) -> None:
    """Remove an image's record, as :meth:`relight_assets.storage.base.Storage.remove`."""
    layout.storage.remove(layout.record(index))


def files_match(layout: SplitLayout, record: RecordStamps, stage: Stage) -> bool:
    """Whether the record has ``stage`` and all its files are there with the recorded size and token."""
    entry = record.stages.get(stage)
    if entry is None or entry.files.keys() != _names(stage, len(entry.files)):
        return False
    # Text and not Path: a plan asks 72,000 times, and making the Path costs as much as the stat.
    folder, state = str(layout.folder), layout.storage.state
    for name, stamp in entry.files.items():
        try:
            size, token = state(f"{folder}/{png_name(record.index, name)}")
        except OSError:  # a link in a circle, a disk that does not answer: then it is made again
            return False
        if size != stamp.size or token != stamp.token:
            return False
    return True


class _Version(msgspec.Struct):
    schema_version: int


_VERSIONS = msgspec.json.Decoder(_Version)
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (_WrittenRecord, RecordStamps, Failure)
}
_OURS = b'{\n "schema_version": %d,' % SCHEMA_VERSION  # to parse a whole file for its version costs half of the rest
_SEAL, _END = b',\n "sha256": "', b'"\n}\n'
_SEALED = len(_SEAL) + 64 + len(_END)
_NO_FILE = {errno.ELOOP, errno.ENXIO, errno.ENODEV}  # a link in a circle, a socket, a device


def _read(path: Path | str, kind: type[_Kind], storage: Storage) -> _Kind | None:
    try:
        data = storage.read(path)
        found = _decoded(data, kind) if data else None
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    # A file under another image's name is not that image's.
    name = os.path.basename(path)  # noqa: PTH119  (text, for speed)
    fits = found is not None and name.startswith(f"{found.index:05d}_")
    if isinstance(found, RecordStamps):
        fits = fits and _files_are_known(found) and _place_fits(found)
    elif isinstance(found, Failure):
        fits = fits and (found.stage is None or found.stage in stage_names())
    return found if fits else None


def _files_are_known(record: RecordStamps) -> bool:
    """Whether each stage of a record is known, and names the files that it writes and no others."""
    known = stage_names()
    return all(
        stage in known and entry.files.keys() == _names(stage, len(entry.files))
        for stage, entry in record.stages.items()
    )


def _place_fits(record: RecordStamps) -> bool:
    """Whether the photo's place ends as its name does: a name is a path, or the end of one."""
    place, name = record.source.place, record.image_path
    return place is None or place == name or place.endswith(f"/{name}")


@cache
def _names(stage: Stage, count: int) -> frozenset[str]:
    """The files of a stage that wrote so many."""
    spec = stage_spec(stage)
    return frozenset(spec.files(max(1, count // len(spec.artifacts))))


def _decoded(data: bytes, kind: type[_Kind]) -> _Kind | None:
    # The version by itself and first: a newer one may look like ours in all that ours looks at.
    version = SCHEMA_VERSION if data.startswith(_OURS) else _VERSIONS.decode(data).schema_version
    if version == 1:
        return msgspec.convert(_from_schema_1(msgspec.json.decode(data)), kind)
    if version != SCHEMA_VERSION or (kind is not Failure and not _seal_fits(data)):
        return None
    return _DECODERS[kind].decode(data)


def _from_schema_1(found: Any) -> Any:
    """The content of a record or a failure of schema 1 under today's names; what does not fit is left as it is."""
    if not isinstance(found, dict):
        return found
    if "source_sha256" in found and all(found.get(f"source_{part}") is not None for part in ("sha256", "size")):
        stamp = {part: found.get(f"source_{part}") for part in ("sha256", "size", "mtime_ns")}
        found["source"] = stamp
    stages = found.get("stages")
    for entry in [found, *(stages.values() if isinstance(stages, dict) else ())]:
        for key in ("files", "reads"):
            stamps = entry.get(key) if isinstance(entry, dict) else None
            for stamp in stamps.values() if isinstance(stamps, dict) else ():
                _name_token(stamp)
    _name_token(found.get("source"))
    return found


def _name_token(stamp: Any) -> None:
    mtime_ns = stamp.pop("mtime_ns", None) if isinstance(stamp, dict) else None
    if isinstance(mtime_ns, int) and not isinstance(mtime_ns, bool):
        stamp["token"] = str(mtime_ns)


def _sealed(text: bytes) -> bytes:
    """A JSON object as :func:`_dump` writes it, with the sha256 of its text as its last key."""
    content = text.removesuffix(b"\n}\n")
    return content + _SEAL + sha256_hex(content).encode() + _END


def _seal_fits(data: bytes) -> bool:
    content, seal = memoryview(data)[:-_SEALED], data[-_SEALED:]
    return seal == _SEAL + sha256_hex(content).encode() + _END


def _dump(content: dict[str, Any]) -> bytes:
    # By json, which refuses numbers that are not finite; msgspec would write null.
    versioned = {"schema_version": SCHEMA_VERSION, **content}
    text = json.dumps(versioned, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return msgspec.json.format(text.encode(), indent=1) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return asdict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot stand in a record")
