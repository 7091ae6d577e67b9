"""Which pairs an export takes: an SQL expression over the label table, evaluated in memory and read-only."""

import difflib
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from relight_assets.errors import UserError
from relight_assets.exports.rows.labels import columns

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
_NO_COLUMN = re.compile(r"no such column: (.+)")
_QUOTED = re.compile(r'"([^"]*)"')
_MAX_STEPS = 1000
"""Steps of the SQL machine, in thousands, that one row may take: an expression over one row needs some dozens."""


class RowFilter:
    """Decides by ``where`` whether a row of labels is exported; ``None`` takes every row.

    Raises:
        UserError: the expression is none, names an unknown column, or asks for more than a look at the row.
    """

    def __init__(self, where: str | None):
        self._where, self._names, self._writing = where, columns(), True
        if where is None:
            return
        names = [f'"{name}"' for name in self._names]
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        for quoted in _QUOTED.findall(where):
            if quoted not in self._names:  # SQLite would take it for a text
                raise UserError(f"where: `{where}`: {self._no_column(quoted)}")
        self._connection.execute(f"CREATE TABLE samples ({', '.join(names)})")
        self._insert = f"INSERT INTO samples VALUES ({', '.join('?' * len(names))})"  # noqa: S608  (our own names)
        self._select = f"SELECT ({where}) FROM samples"  # noqa: S608  (the authorizer allows nothing but reading)
        self._connection.set_authorizer(self._authorize)
        self._answer(dict.fromkeys(self._names))

    def takes(self, labels: Mapping[str, Any]) -> bool:
        """Whether a row is exported: the expression is true for it, neither false nor NULL."""
        return self._where is None or bool(self._answer(labels))

    def _authorize(self, action: int, *_: Any) -> int:
        return sqlite3.SQLITE_OK if self._writing or action in _ALLOWED else sqlite3.SQLITE_DENY

    def _answer(self, labels: Mapping[str, Any]) -> Any:
        self._writing = True
        self._connection.execute("DELETE FROM samples")
        self._connection.execute(self._insert, [_plain(labels[name]) for name in self._names])
        self._writing = False
        steps = iter(range(_MAX_STEPS))
        self._connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
        try:
            rows = self._connection.execute(self._select).fetchmany(2)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise UserError(f"where: `{self._where}`: {self._explained(error)}") from None
        finally:
            self._connection.set_progress_handler(None, 0)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise UserError(f"where: `{self._where}` must be one expression over the columns of samples.csv")
        return rows[0][0]

    def _explained(self, error: Exception) -> str:
        unknown = _NO_COLUMN.match(str(error))
        if unknown is None:
            return str(error)
        return self._no_column(unknown[1])

    def _no_column(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._names, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else "; its columns are those of samples.csv"
        return f"there is no column `{name}`{hint}"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value
