"""Everything that is thrown at the platform: damaged records, indexes, small files and CSVs, from one seed."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from relight_assets_tests.conftest import sealed

Path = tuple[str | int, ...]
"""Where in a JSON value something is."""
_RAW = "\x02"
_DEEP = "[" * 600 + "]" * 600
TOKENS = (
    *("null", "true", "false", "-1", "0", "1", "0.5", "1e400", "-1e400", "1e300", "1" + "0" * 30, "1" + "0" * 400),
    *("1" + "0" * 5000, "NaN", "Infinity", "-Infinity", '""', '"x"', '"\\ud800"', '"\\u0000"', '"/"', '"[/red]"'),
    *("[]", "{}", "[null]", "[[[[1]]]]", '{"a": {"b": [1]}}', _DEEP, '"' + "y" * 100_000 + '"', '"' + "f" * 64 + '"'),
)
"""JSON, and what nearly is, to stand in any value's place."""


@dataclass(frozen=True)
class Mutation:
    """One record, damaged in one way."""

    kind: str
    where: str
    """The place in the record, dotted; empty where it was damaged as bytes."""
    data: bytes


# -- bytes ------------------------------------------------------------------------------------------------------------


def flipped(rng: Random, data: bytes) -> bytes:
    """Some bits the other way round, one as a rule."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def cut(rng: Random, data: bytes) -> bytes:
    """The end, the start or a piece is missing."""
    first, last = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
    return rng.choice((data[:first], data[first:], data[:first] + data[last:]))


def grown(rng: Random, data: bytes) -> bytes:
    """Bytes are there that were not: some of its own again, or any."""
    place, length = rng.randrange(len(data)), rng.choice((1, 3, 40, 400))
    piece = data[place : place + length] if rng.random() < 0.5 else rng.randbytes(length)
    return data[:place] + piece + data[place:]


def emptied(rng: Random, data: bytes) -> bytes:
    """Nothing is left, or nothing but zeros, as after a power cut."""
    return rng.choice((b"", b"\0" * len(data), b"\n", b"{}", b"[]", b"null"))


BYTES: dict[str, Callable[[Random, bytes], bytes]] = {
    "bits flipped": flipped,
    "bytes cut": cut,
    "bytes inserted": grown,
    "emptied": emptied,
}

# -- values -----------------------------------------------------------------------------------------------------------


def spelled(content: Any) -> bytes:
    """JSON as a record has it, with the raw text of tokens that JSON cannot hold."""
    text = json.dumps(content, indent=1)
    quoted = json.dumps(_RAW)[1:-1]
    for number, token in enumerate(TOKENS):
        text = text.replace(f'"{quoted}{number}"', token)
    # Keys that are there twice.
    return text.replace(quoted, "").encode()


def raw(rng: Random) -> str:
    """Stands for one of the tokens until it is spelled."""
    return f"{_RAW}{rng.randrange(len(TOKENS))}"


def some_place(rng: Random, content: Any) -> Path:
    """A place in a JSON value, near its root as often as deep in it."""
    path: Path = ()
    while (isinstance(content, dict | list)) and content and (not path or rng.random() < 0.75):
        key = rng.choice(list(content) if isinstance(content, dict) else range(len(content)))
        path, content = (*path, key), content[key]
    return path


def at(content: Any, path: Path) -> Any:
    """What is at a place."""
    for key in path:
        content = content[key]
    return content


def _value(rng: Random, content: Any, path: Path) -> None:
    at(content, path[:-1])[path[-1]] = raw(rng)


def _removed(rng: Random, content: Any, path: Path) -> None:
    del at(content, path[:-1])[path[-1]]


def _renamed(rng: Random, content: Any, path: Path) -> None:
    holder = at(content, path[:-1])
    if isinstance(holder, dict):
        name = rng.choice((*holder, "x", "", f"{path[-1]} ", "masks", "sha256"))
        holder[name] = holder.pop(path[-1])
    else:
        holder.insert(0, holder.pop())


def _doubled(rng: Random, content: Any, path: Path) -> None:
    holder = at(content, path[:-1])
    if isinstance(holder, dict):
        holder[f"{path[-1]}{_RAW}"] = rng.choice((raw(rng), holder[path[-1]]))
    else:
        holder.append(holder[-1])


def _unknown(rng: Random, content: Any, path: Path) -> None:
    holder = at(content, path[:-1])
    if isinstance(holder, dict):
        holder[rng.choice(("unknown", "é", "__class__", "mtime_ns", "token"))] = raw(rng)
    else:
        holder.append(raw(rng))


VALUES: dict[str, Callable[[Random, Any, Path], None]] = {
    "value replaced": _value,
    "key removed": _removed,
    "key renamed": _renamed,
    "key doubled": _doubled,
    "key unknown": _unknown,
}
_LIGHT: tuple[Path, ...] = (("light_direction",), ("degradation_type",))
PASTES: dict[str, tuple[Path, ...]] = {
    "other's faces": (("stages", "masks", "numbers", "face_meshes"),),
    **{f"other's {stage}": (("stages", stage),) for stage in ("masks", "albedo", "degraded", "composites")},
    "other's source": (("source",),),
    "other's name": (("image_path",),),
    "other's name and place": (("image_path",), ("source", "place")),
    "other's light": (("stages", "degraded", "numbers"), *_LIGHT),
    "all of other's, own index": (("image_path",), ("source",), ("stages",), *_LIGHT),
    "other's record": (),
}


def as_schema_1(content: dict[str, Any]) -> dict[str, Any]:
    """A record as the first version wrote it: mtimes for tokens, neither a place nor a sha256 of itself."""
    old = copy.deepcopy(content) | {"schema_version": 1}
    old.pop("sha256", None)
    old["source"].pop("place")
    stamps = [old["source"]]
    for entry in old["stages"].values():
        stamps += [*entry["files"].values(), *entry.get("reads", {}).values()]
    for stamp in stamps:
        stamp["mtime_ns"] = int(stamp.pop("token").partition(".")[0])
    return old


def record_text(content: dict[str, Any], schema: int, *, seal: bool = True) -> bytes:
    """A record's file; without ``seal`` the sha256 that it had stands there still."""
    if schema == 1:
        return spelled(content) + b"\n"
    content = dict(content)
    before = content.pop("sha256", "0" * 64)
    text = spelled(content)
    return sealed(text) if seal else text.removesuffix(b"\n}") + f',\n "sha256": "{before}"\n}}\n'.encode()


def mutation(rng: Random, own: bytes, other: bytes) -> Mutation:
    """One mutation of a record, which may take something of another row's.

    Args:
        rng: what decides.
        own: the text of the record.
        other: the text of another image's record.
    """
    schema = rng.choice((1, 2, 2))
    mine, theirs = json.loads(own), json.loads(other)
    if schema == 1:
        mine, theirs = as_schema_1(mine), as_schema_1(theirs)
    name = rng.choice((*BYTES, *VALUES, *VALUES, *PASTES))
    if name in BYTES:
        kind = f"{name}, schema {schema}"
        return Mutation(kind, "", BYTES[name](rng, record_text(mine, schema)))
    seal = rng.random() < 0.75
    kind = f"{name}, schema {schema}{'' if schema == 1 else ', sealed' if seal else ', not sealed'}"
    if name in VALUES:
        seal_itself = {"sha256"} & mine.keys()
        old = {key: mine.pop(key) for key in seal_itself}
        path = some_place(rng, mine)
        VALUES[name](rng, mine, path)
        return Mutation(kind, ".".join(map(str, path)), record_text(mine | old, schema, seal=seal))
    paths = [path for path in PASTES[name] if path != ("source", "place") or schema == 2]
    for path in paths:
        at(mine, path[:-1])[path[-1]] = at(theirs, path)
    if not paths:
        return Mutation(kind, "", record_text(theirs, schema, seal=seal))
    return Mutation(kind, " ".join(".".join(map(str, path)) for path in paths), record_text(mine, schema, seal=seal))


# -- CSVs -------------------------------------------------------------------------------------------------------------

_PIECES = (
    *("", " ", "a", "é", "😀", "\u202e", "\ufeff", "\u0085", "\u2028", "\t", "\x1c", "\x7f", "\r", "\n", "\r\n"),
    *(",", '"', '""', "'", ";", "\\", "=1+1", "@x", "-2", "%20", "..", "../..", "//", "./", "~", "$HOME", "http://x/y"),
    *("C:\\x", "loop/a.png", "x" * 300, "y" * 5000, "00000", "9" * 30, "٣", "nan", "NULL", "None"),
)


def text_of(rng: Random) -> str:
    """The text of a cell."""
    return "".join(rng.choice(_PIECES) for _ in range(rng.choice((0, 1, 1, 2, 3, 6))))


def spellings(rng: Random, path: str) -> str:
    """The same path in another spelling."""
    folder, _, name = path.rpartition("/")
    spelled_so = (path, f" {path} ", f"{folder}//{name}", f"{folder}/./{name}", f"{folder}/x/../{name}", f"{path}/")
    return rng.choice(spelled_so)


def quoted(rng: Random, cell: str) -> str:
    """A cell as a CSV may spell it: rightly as a rule."""
    if rng.random() < 0.01:
        return cell
    if rng.random() < 0.3 or any(each in cell for each in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def csv_bytes(rng: Random, paths: list[str], rows: int | None = None) -> bytes:
    """A CSV, most of them good ones; ``paths`` are those of photos."""
    width = rng.choice((1, 2, 2, 3, 5))
    header = [f"column {number}" if rng.random() < 0.7 else text_of(rng) for number in range(width)]
    if rng.random() < 0.95:
        header[rng.randrange(width)] = "image_path"
    if rng.random() < 0.05:
        header.append(rng.choice(("output_image_path", "output_variant", header[0])))
    lines = [header]
    for _ in range(rng.choice((0, 1, 3, 10, 40)) if rows is None else rows):
        row = [text_of(rng) for _ in header]
        if "image_path" in header and rng.random() < 0.6:
            row[header.index("image_path")] = spellings(rng, rng.choice(paths))
        lines.append(row)
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    ends = [end if rng.random() < 0.97 else rng.choice(("\n", "\r\n", "\n\n", "\r\r\n")) for _ in lines]
    text = "".join(",".join(quoted(rng, cell) for cell in line) + end for line, end in zip(lines, ends, strict=True))
    data = rng.choice((b"", b"", b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf")) + text.encode()
    return _spoiled(rng, data) if rng.random() < 0.15 else data


def _spoiled(rng: Random, data: bytes) -> bytes:
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data.decode().encode("utf-16"),
        lambda: data + b"\0",
        lambda: data + b"\xff\xfe,\n",
        lambda: data.removesuffix(b"\n"),
        lambda: data + b',,,,,,,,"\n',
        lambda: data + b'"' + b"z" * 200_000 + b'"\n',
        lambda: flipped(rng, data),
        lambda: cut(rng, data),
        lambda: b"",
    )
    return rng.choice(changes)()


def mutations(rng: Random, texts: list[bytes], own: int) -> Iterator[tuple[int, Mutation]]:
    """A mutation of each of the first ``own`` records; what they take is of the others, which stay whole."""
    for number in range(own):
        yield number, mutation(rng, texts[number], texts[rng.randrange(own, len(texts))])
