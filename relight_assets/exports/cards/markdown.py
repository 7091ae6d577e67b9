"""Parts of Markdown."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$])")


def plain(text: str) -> str:
    """Text on one line that reads as it is written, whatever characters are in it."""
    return _SPECIAL.sub(r"\\\1", _line(text))


def code(text: str) -> str:
    """Text as code, on one line, in a cell too; plain where it holds a sign that code cannot."""
    line = _line(text)
    return plain(line) if "`" in line or "|" in line else f"`{line}`"


def _line(text: str) -> str:
    """A text on one line, without characters that are not seen: control codes, and those that turn the direction."""
    seen = (character for character in " ".join(text.split()) if unicodedata.category(character)[0] != "C")
    return "".join(seen)


def number(value: int) -> str:
    """A count, with its thousands apart."""
    return f"{value:,}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already.  Columns whose every cell is a number are aligned to the right."""
    body = [list(row) for row in rows]
    numeric = [bool(body) and all(re.fullmatch(r"[\d.,]*", row[column]) for row in body) for column in range(len(head))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))
