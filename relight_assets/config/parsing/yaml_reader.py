"""YAML that is plain data: sections, lists, text, numbers, true, false and null, and not too much of it.

Whatever else YAML can do is refused in a sentence that names the line, before anything is built from it: tags that make
objects, anchors that repeat each other into billions, sections in sections without end, numbers of a million digits.
"""

import re
import unicodedata
from collections.abc import Hashable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from relight_assets.core.regular_files import open_regular
from relight_assets.errors import ConfigError, PathRefusedError

MAX_BYTES = 256 << 10
"""Read within two seconds, whatever it is; the shipped files have some 10 KiB."""
MAX_VALUES = 10_000
"""Keys and values, those that an anchor repeats counted each time; the shipped recipe has some 300."""
MAX_DEPTH = 32
"""The recipe has 6 levels."""
_MAX_DIGITS = 100
_MAX_SHOWN = 60
_MAX_SEARCHED = 500
"""Characters of a text in which an address is looked for; the rest is not shown."""
_YAML = "tag:yaml.org,2002:"
_PLAIN_TAGS = {f"{_YAML}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_COLLECTIONS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_ADDRESS = re.compile(
    r"(?:[^\s:@]*:[^\s@]*@|[a-z0-9+.-]*:[/\\]|[/\\]{2}|(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?[/\\]).*",
    re.IGNORECASE | re.DOTALL,
)
"""What is, or was meant to be, a URL, and what follows it."""
_QUOTED = re.compile(r"`(?!\w*hook\w*`).*`|(?<!\w)'.*'", re.IGNORECASE)
"""What a message of ours quotes of a file, but for the key of a webhook."""
_NAME = re.compile(r"'[^'\s<]{3,}'")
"""The same in a message of PyYAML, which quotes names of anchors and tags, and else single characters."""
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def read_yaml_mapping(path: Path, content: bytes | None = None) -> dict[str, Any]:
    """One YAML file as a mapping.  An empty file is an empty mapping.

    ``content`` is what it holds, if somebody has read it.

    Raises:
        ConfigError: missing, unreadable, no regular file, too large, or as :func:`parse_yaml`; or not a mapping.
    """
    data = parse_yaml(_text(path, _read(path) if content is None else content), printable(path))
    if data is None:
        return {}
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else "one text or number"
        raise ConfigError(f"{printable(path)}: must hold `key: value` lines, found {found}")
    return data


def parse_yaml(text: str, origin: str) -> Any:
    """One YAML document as plain values; a date is text.

    Raises:
        ConfigError: names ``origin`` and the line: not YAML, a key that is given twice or is no text, a tag or value
            that is not plain data, data that holds itself, more than there can be.
    """
    return deepcopy(_parsed(text, origin))


# A process reads the same few files again and again, a daemon at every tick; parsing takes a twentieth of a second.
@lru_cache(maxsize=16)
def _parsed(text: str, origin: str) -> Any:
    try:
        if len(text) > MAX_BYTES:
            raise _PlainError(f"it has more than {MAX_BYTES >> 10} KiB")  # noqa: TRY301  (reported as all others)
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a SafeLoader)
    except ConfigError as error:
        raise ConfigError(f"{origin}: {_discreet(str(error), text)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"line {line}: the character U+{int(error.character):04X} is not allowed"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"line {mark.line + 1}: {error.problem}" if mark is not None else f"{error.problem}"
        problem = _discreet(problem, text, _NAME)
    except _PlainError as error:
        problem = _discreet(str(error), text)
    raise ConfigError(f"{origin}: is not plain YAML: {problem}")


def _discreet(problem: str, text: str, quoted: re.Pattern[str] = _QUOTED) -> str:
    """What a message says of a line, without quoting from that of a webhook, which is a secret."""
    line = re.match(r"line (\d+): ", problem)
    above = text.splitlines()[: int(line[1])] if line else []
    while above:
        entry = above.pop()
        if "hook" in entry.lower():
            return quoted.sub("(not shown)", problem)
        if entry.strip() and not entry[0].isspace():
            break  # what an entry says stands below it, indented
    return problem


def shown(text: str) -> str:
    """A text as a message shows it: on one line, not too long, and without a URL, which may be a secret."""
    text = hide_address(text)
    short = text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
    return short if short.isprintable() else ascii(short)[1:-1]


def printable(path: Path | str) -> str:
    """A path as a message names it: characters that cannot be printed, or turn the text around, are escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)[1:-1]


def hide_address(text: str) -> str:
    """A text without the URL in it, or what was meant to be one, and what follows; it may be a secret."""
    cut = text if len(text) <= _MAX_SEARCHED else f"{text[:_MAX_SEARCHED]}..."
    return _ADDRESS.sub("(an address, not shown)", cut)


def odd_character(text: str) -> str | None:
    """What is in a text that no path or prompt holds, in words; None as a rule."""
    if text.isprintable():
        return None
    for character in text:
        if unicodedata.category(character) == "Cs":
            return "bytes that are no UTF-8" if "\udc80" <= character <= "\udcff" else "half a character"
        if unicodedata.category(character) == "Cc" and character not in "\t\n\r":
            return f"the control character U+{ord(character):04X}"
    return None


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            data = b""
            while len(data) <= MAX_BYTES and (piece := file.read(MAX_BYTES + 1)):
                data += piece
            return data
    except FileNotFoundError:
        raise ConfigError(f"{printable(path)}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{printable(path)}: cannot be read: {error.strerror}") from None
    except PathRefusedError as error:
        raise ConfigError(f"{printable(path)}: cannot be read: {error}") from None


def _text(path: Path, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{printable(path)}: is larger than the {MAX_BYTES >> 10} KiB that are taken")
    if data.startswith(_UTF16_BOMS):
        raise ConfigError(f"{printable(path)}: is UTF-16 text; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{printable(path)}: line {line}: the byte 0x{data[error.start]:02X} is not UTF-8; save it as UTF-8"
        ) from None


class WholeNumber(int):
    """A whole number that a file has in another form: `0x10`, `1_000`, and `12:30`, which is 750."""

    written: str


class Number(float):
    """The same with a fraction, or in exponents."""

    written: str


def _written(number: Any, text: str) -> WholeNumber | Number:
    found = WholeNumber(number) if isinstance(number, int) else Number(number)
    found.written = text
    return found


class _PlainError(Exception):
    """YAML that is not plain data; the message says where and why."""


def _at(node: yaml.Node | yaml.Event, problem: str) -> _PlainError:
    assert node.start_mark is not None  # noqa: S101  (what was read from text)
    return _PlainError(f"line {node.start_mark.line + 1}: {problem}")


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader for plain data; refuses a key given twice too, of which YAML would silently let the last one win."""

    def __init__(self, text: str):
        super().__init__(text)
        self._level = 0
        self._values = 0
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}
        """Of each node that is whole: how many values it comes to, and how deep it is."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self._check_tag(event)
        self._level += isinstance(event, _COLLECTIONS)
        if self._level > MAX_DEPTH:
            raise _at(event, f"more than {MAX_DEPTH} levels of sections and lists")
        before = self._values
        node = super().compose_node(parent, index)
        if node is None:
            return None
        if isinstance(event, yaml.AliasEvent):
            if node not in self._sizes:
                raise _at(event, f"`*{shown(str(event.anchor))}` holds itself")
            size, depth = self._sizes[node]
            if self._level + depth > MAX_DEPTH:
                raise _at(event, f"more than {MAX_DEPTH} levels of sections and lists")
        else:
            size, depth = 1, 0
        self._values += size
        if self._values > MAX_VALUES:
            raise _at(event, f"more than {MAX_VALUES:,} keys and values, those that `*` repeats counted each time")
        if not isinstance(event, yaml.AliasEvent):
            self._level -= isinstance(event, _COLLECTIONS)
            self._sizes[node] = self._values - before, _depth(node, self._sizes)
        return node

    def _check_tag(self, event: yaml.Event) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!" and tag not in _PLAIN_TAGS:
            name = tag.replace(_YAML, "!!", 1) if tag.startswith(_YAML) else tag
            raise _at(event, f"the tag {shown(name)} is no plain data; write the value without it")

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001
        read: set[Any] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                msg = f"line {line}: the key {shown(str(key))} is not text"
                raise ConfigError(msg)
            if key in read:
                msg = f"line {line}: the key `{shown(key)}` is given twice"
                raise ConfigError(msg)
            read.add(key)
        return super().construct_mapping(node, deep)

    def _text(self, node: yaml.ScalarNode) -> str:
        text = str(self.construct_scalar(node))
        if (odd := odd_character(text)) is not None:
            raise _at(node, f"a text holds {odd}")
        return text

    def _number(self, node: yaml.ScalarNode) -> Any:
        text = str(self.construct_scalar(node))
        if len(text) > _MAX_DIGITS:
            raise _at(node, f"a number of more than {_MAX_DIGITS} characters")
        whole = node.tag == f"{_YAML}int"
        try:
            number = self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)
            return number if text == str(number) else _written(number, text)
        except (ValueError, IndexError, OverflowError):
            raise _at(node, f"{shown(text)!r} is no {'whole ' if whole else ''}number") from None

    def _bool(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_bool(node)
        except KeyError:
            raise _at(node, f"{shown(str(node.value))!r} is neither true nor false") from None

    def _date(self, node: yaml.ScalarNode) -> str:
        try:
            self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError) as error:
            raise _at(node, f"{shown(str(node.value))!r} is no date ({error}); quote it if it is text") from None
        return str(node.value)

    def _sign(self, node: yaml.Node) -> Any:
        problem = "`<<` does not merge sections here; write the keys out" if "merge" in node.tag else "quote `=`"
        raise _at(node, problem)

    yaml_constructors = {  # noqa: RUF012  (PyYAML's way to say so)
        f"{_YAML}str": _text,
        f"{_YAML}int": _number,
        f"{_YAML}float": _number,
        f"{_YAML}bool": _bool,
        f"{_YAML}null": yaml.SafeLoader.construct_yaml_null,
        f"{_YAML}map": yaml.SafeLoader.construct_yaml_map,
        f"{_YAML}seq": yaml.SafeLoader.construct_yaml_seq,
        # These have no tag in the text, and only look like more than that.
        f"{_YAML}timestamp": _date,
        f"{_YAML}merge": _sign,
        f"{_YAML}value": _sign,
    }


def _depth(node: yaml.Node, sizes: dict[yaml.Node, tuple[int, int]]) -> int:
    if isinstance(node, yaml.MappingNode):
        below = [each for pair in node.value for each in pair]
    elif isinstance(node, yaml.SequenceNode):
        below = node.value
    else:
        return 0
    return 1 + max((sizes[each][1] for each in below), default=0)
