"""The bytes of records and failures: JSON that begins with its schema version.

A record ends with the sha256 of everything before that line, because later stages are computed from what it holds.
Schema 1 had neither that sha256 nor places, and mtimes for tokens; its files are read as they are.
"""

import json
import math
from functools import cache, lru_cache
from threading import Lock
from typing import Any, TypeVar

import msgspec
from msgspec.structs import asdict

from relight_assets.core.hashing import sha256_hex

SCHEMA_VERSION = 2


class _Version(msgspec.Struct):
    schema_version: int


_Kind = TypeVar("_Kind", bound=msgspec.Struct)
_VERSIONS = msgspec.json.Decoder(_Version)
_OURS = b'{\n "schema_version": %d,' % SCHEMA_VERSION  # to parse a whole file for its version costs half of the rest
_SEAL, _END = b',\n "sha256": "', b'"\n}\n'
_SEALED = len(_SEAL) + 64 + len(_END)
_NESTED = 4
"""How deep the keys of objects have lines of their own: those of ``stages``, ``masks``, ``numbers``."""


def encoded(content: dict[str, Any], *, sealed: bool) -> bytes:
    """The file of a record or a failure; ``sealed``: with its own sha256 as the last key.

    Raises:
        ValueError: a number that is not finite.
    """
    data = f"{_lines({'schema_version': SCHEMA_VERSION, **content})}\n".encode()
    return _sealed(data) if sealed else data


def decoded(data: bytes, kind: type[_Kind], *, sealed: bool) -> _Kind | None:
    """What a file holds; None where a newer version wrote it, or where its seal is to fit and does not.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is damaged.
    """
    # The version by itself and first: a newer one may look like ours in all that ours looks at.
    version = SCHEMA_VERSION if data.startswith(_OURS) else _VERSIONS.decode(data).schema_version
    if version == 1:
        _decoder(kind)  # which has the kind prepared
        return msgspec.convert(_from_schema_1(msgspec.json.decode(data)), kind)
    if version != SCHEMA_VERSION or (sealed and not _seal_fits(data)):
        return None
    return _decoder(kind).decode(data)


def _lines(value: Any, depth: int = 0) -> str:
    """JSON with a line for each key down to the metrics; every byte of white space is hashed and parsed by plans."""
    if type(value) is float and math.isfinite(value):
        return repr(value)  # a record has hundreds of them, and the encoder takes ten times as long
    if isinstance(value, msgspec.Struct):
        value = asdict(value)
    if not isinstance(value, dict) or not value or depth == _NESTED:
        return _compact(value)
    inner = "\n" + " " * (depth + 1)
    entries = (f"{inner}{_quoted(str(key))}: {_lines(each, depth + 1)}" for key, each in value.items())
    return f"{{{','.join(entries)}\n{' ' * depth}}}"


@lru_cache(maxsize=4096)
def _quoted(key: str) -> str:
    # Records have the same keys.
    return _compact(key)


_PREPARED = Lock()


@cache
def _decoder(kind: type[_Kind]) -> msgspec.json.Decoder[_Kind]:
    # msgspec looks at a struct's fields when it is first used, and a second thread that meets it half-way crashes.
    with _PREPARED:
        return msgspec.json.Decoder(kind)


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
    """A JSON object as :func:`encoded` writes it, with the sha256 of its text as its last key."""
    content = text.removesuffix(b"\n}\n")
    return content + _SEAL + sha256_hex(content).encode() + _END


def _seal_fits(data: bytes) -> bool:
    content, seal = memoryview(data)[:-_SEALED], data[-_SEALED:]
    return seal == _SEAL + sha256_hex(content).encode() + _END


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return asdict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot stand in a record")


# By json, which refuses numbers that are not finite; msgspec would write null.
_compact = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain).encode
