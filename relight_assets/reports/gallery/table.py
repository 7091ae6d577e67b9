"""The labels of many rows, column by column, in the short form that the page reads."""

import math
from array import array
from collections.abc import Mapping
from typing import Any

_DIGITS = 4
"""Significant digits of a number: more is never seen, and costs bytes of every row."""
_UNKNOWN = {True: "1", False: "0", None: "-"}


class Column:
    """The values of one column; ``None`` is a value that is not known."""

    def __init__(self, name: str, kind: type, unit: str = "", meaning: str = "", *, is_tag: bool = False):
        self._said = {"name": name, "unit": unit, "meaning": meaning, "tag": is_tag}
        self._kind = kind
        self._numbers = array("d")
        self._flags: list[str] = []
        self._words: dict[str, int] = {}
        self._codes = array("l")

    def add(self, value: Any) -> None:
        """Add the value of the next row."""
        if self._kind is bool:
            self._flags.append(_UNKNOWN[value])
        elif self._kind is str:
            self._codes.append(-1 if value is None else self._words.setdefault(str(value), len(self._words)))
        else:
            self._numbers.append(math.nan if value is None else value)

    def plain(self) -> dict[str, Any] | None:
        """As JSON has it; None where nothing is known of any row.

        Numbers: a list, null where not known.  Texts: the words, and for each row which one, -1 where not known.
        Flags: one character for each row, ``1``, ``0`` or ``-``.
        """
        said = {key: said for key, said in self._said.items() if said}
        if self._kind is bool:
            flags = "".join(self._flags)
            return {**said, "kind": "flag", "values": flags} if flags.strip("-") else None
        if self._kind is str:
            return {**said, "kind": "text", "words": [*self._words], "values": [*self._codes]} if self._words else None
        values = [None if math.isnan(value) else _short(value) for value in self._numbers]
        known = any(value is not None for value in values)
        return {**said, "kind": "number", "values": values} if known else None


class Table:
    """Rows, kept by column."""

    def __init__(self, columns: Mapping[str, Column]):
        self._columns = columns
        self.rows = 0

    def add(self, labels: Mapping[str, Any]) -> None:
        """Add a row; what it does not say is not known."""
        for name, column in self._columns.items():
            column.add(labels.get(name))
        self.rows += 1

    def plain(self) -> list[dict[str, Any]]:
        """The columns in which something is known, as JSON has them."""
        return [plain for column in self._columns.values() if (plain := column.plain()) is not None]


def _short(value: float) -> float | int:
    if not math.isfinite(value):
        return 0  # no metric is; JSON has no word for it
    if value == int(value) and abs(value) < 1e9:
        return int(value)
    return float(f"{value:.{_DIGITS}g}")
