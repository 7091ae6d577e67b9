"""``NNNNN_metadata.json`` and ``NNNNN_failure.json``: what is committed, and what could not be done.

A record is the one source of truth about an image; everything else can be rebuilt from records.  So
reading is strict: a file that is damaged, or was written by a newer version, counts as no record, and
its stages are done again.  Plain dataclasses and ``json`` because 12,000 of them are read for a plan.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from relight_assets.dataset.files import FileStamp, write_atomic
from relight_assets.dataset.layout import STAGE_FILES, SplitLayout, png_name
from relight_assets.recipe import STAGES, Stage

SCHEMA_VERSION = 1
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The source picture: stamp of its file, and its size in pixels, upright, before any downscale."""

    sha256: str
    size: int
    mtime_ns: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One committed stage: its digest, the files it wrote (by name) and every number it drew or found."""

    digest: str
    files: dict[str, FileStamp]
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is committed for one image.

    ``image_path`` is the image's name in the index (``paths.index_key``), from which the index can be
    rebuilt.  ``light_direction`` is a unit vector: x right, y down, z to the camera.
    """

    index: int
    image_path: str
    source: SourceInfo
    stages: dict[Stage, StageEntry] = field(default_factory=dict)
    degradation_type: str | None = None
    light_direction: list[float] | None = None
    seed: int
    package_version: str
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an image could not be done.

    ``source_*`` (of the file as it was tried) and ``digest`` (of the stage that was tried) let a later
    run see whether anything changed since, without which a lasting fault is not tried again.
    """

    index: int
    image_path: str
    code: str
    stage: Stage | None
    message: str
    attempts: int
    rejected: bool
    retryable: bool
    source_sha256: str | None = None
    source_size: int | None = None
    source_mtime_ns: int | None = None
    digest: str | None = None
    traceback: str | None = None
    package_version: str


def read_record(path: Path | str) -> Record | None:
    """The record at ``path``; None where there is none, or a damaged one, or one of a newer version.

    Raises:
        OSError: the file is there and cannot be read.  (Taking that for "no record" would redo it.)
    """
    return _read(path, _record)


def read_failure(path: Path | str) -> Failure | None:
    """The failure at ``path``; None as for :func:`read_record`."""
    return _read(path, _failure)


def write_record(layout: SplitLayout, record: Record, *, durable: bool = True) -> None:
    """Write an image's record atomically, with fsync unless ``durable`` is off.

    Raises:
        ValueError: a number that is not finite.
        OSError: as :func:`~relight_assets.dataset.files.write_atomic`.
    """
    stages = {
        stage: {
            "digest": entry.digest,
            "files": {name: _plain(entry.files[name]) for name in STAGE_FILES[stage] if name in entry.files},
            "numbers": dict(sorted(entry.numbers.items())),
        }
        for stage in STAGES
        if (entry := record.stages.get(stage)) is not None
    }
    content = _plain(record) | {"source": _plain(record.source), "stages": stages}
    content["timings_ms"] = dict(sorted(record.timings_ms.items()))
    write_atomic(layout.record(record.index), _dump(content), durable=durable)


def write_failure(layout: SplitLayout, failure: Failure, *, durable: bool = True) -> None:
    """Write an image's failure file atomically; as :func:`write_record`."""
    write_atomic(layout.failure(failure.index), _dump(_plain(failure)), durable=durable)


def remove_failure(layout: SplitLayout, index: int) -> None:
    """Remove an image's failure file; nothing happens where there is none."""
    layout.failure(index).unlink(missing_ok=True)


def files_match(layout: SplitLayout, record: Record, stage: Stage) -> bool:
    """Whether the record has ``stage`` and all its files are there with the recorded size and mtime."""
    entry = record.stages.get(stage)
    if entry is None:
        return False
    folder = str(layout.folder)
    for name in STAGE_FILES[stage]:
        stamp = entry.files.get(name)
        if stamp is None:
            return False
        try:
            # Text and not Path: a plan asks 72,000 times, and making the Path costs as much as the stat.
            status = os.stat(f"{folder}/{png_name(record.index, name)}")  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return False
        if status.st_size != stamp.size or status.st_mtime_ns != stamp.mtime_ns:
            return False
    return True


def _read(path: Path | str, build: Callable[[dict[str, Any]], _T]) -> _T | None:
    try:
        with FileIO(path) as file:
            data = file.readall()
    except FileNotFoundError:
        return None
    try:
        content = _DECODER.decode(data.decode("utf-8"))
        return build(content) if content["schema_version"] == SCHEMA_VERSION else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # damaged in one of the ways that JSON of the wrong shape can be


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _record(data: dict[str, Any]) -> Record:
    light = _optional(data["light_direction"], list)
    stages = _exact(data["stages"], dict)
    if light is not None and len(light) != 3:
        raise ValueError("a direction has three numbers")
    return Record(
        index=_number(data["index"]),
        image_path=_text(data["image_path"]),
        source=_source(data["source"]),
        stages={stage: _entry(stages[stage]) for stage in STAGES if stage in stages},
        degradation_type=_optional(data["degradation_type"], str),
        light_direction=None if light is None else [float(value) for value in light],
        seed=_number(data["seed"]),
        package_version=_text(data["package_version"]),
        timings_ms={name: float(value) for name, value in _exact(data["timings_ms"], dict).items()},
    )


def _source(data: dict[str, Any]) -> SourceInfo:
    sizes = (_number(data[name]) for name in ("size", "mtime_ns", "width", "height"))
    return SourceInfo(_text(data["sha256"]), *sizes)


def _entry(data: dict[str, Any]) -> StageEntry:
    files = {name: _stamp(stamp) for name, stamp in data["files"].items()}
    return StageEntry(_text(data["digest"]), files, _exact(data["numbers"], dict))


def _stamp(data: dict[str, Any]) -> FileStamp:
    sha256, size, mtime_ns = data["sha256"], data["size"], data["mtime_ns"]
    # _exact of each, in one line: a plan asks 72,000 times
    if type(sha256) is not str or type(size) is not int or type(mtime_ns) is not int:
        raise TypeError("a stamp is a text and two whole numbers")
    return FileStamp(sha256, size, mtime_ns)


def _failure(data: dict[str, Any]) -> Failure:
    stage = _optional(data["stage"], str)
    if stage is not None and stage not in STAGES:
        raise ValueError(f"no stage is called {stage}")
    return Failure(
        index=_number(data["index"]),
        image_path=_text(data["image_path"]),
        code=_text(data["code"]),
        stage=stage,
        message=_text(data["message"]),
        attempts=_number(data["attempts"]),
        rejected=_exact(data["rejected"], bool),
        retryable=_exact(data["retryable"], bool),
        source_sha256=_optional(data["source_sha256"], str),
        source_size=_optional(data["source_size"], int),
        source_mtime_ns=_optional(data["source_mtime_ns"], int),
        digest=_optional(data["digest"], str),
        traceback=_optional(data["traceback"], str),
        package_version=_text(data["package_version"]),
    )


def _exact(value: object, kind: type[_T]) -> _T:
    if type(value) is not kind:  # not isinstance: True is no number here
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _number(value: object) -> int:
    return _exact(value, int)


def _text(value: object) -> str:
    return _exact(value, str)


def _optional(value: object, kind: type[_T]) -> _T | None:
    return None if value is None else _exact(value, kind)


def _plain(item: Any) -> dict[str, Any]:
    return {entry.name: getattr(item, entry.name) for entry in fields(item)}


def _dump(content: dict[str, Any]) -> bytes:
    versioned = {"schema_version": SCHEMA_VERSION, **content}
    text = json.dumps(versioned, indent=1, allow_nan=False, ensure_ascii=False, default=_from_numpy)
    return f"{text}\n".encode()


def _from_numpy(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot stand in a record")
