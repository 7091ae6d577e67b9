"""The licences of photos, as a column of the split's CSV writes them, and which of them an export takes."""

import difflib

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import UserError
from relight_assets.exports.rows.captions import MISSING

COLUMNS = ("licence", "license")
"""What the column is called, in any case, where nobody names one."""
NONE_GIVEN = "none given"
"""Of a photo without a licence, where that is written out."""
_SHOWN = 10
"""Licences that an error names."""
_AND = " + "
"""Between the licences of rows that name one photo."""


class Licences:
    """The licence of each photo.  Of a photo that several rows name, all their licences count.

    Args:
        state: of the split.
        options: of the export.

    Raises:
        UserError: the CSV has not the column that the options name, several that may be it, or none of the licences
            that they ask for.
    """

    def __init__(self, state: SplitState, options: ExportOptions):
        self._allowed = options.licences
        self.column = column = _column(state.split, options)
        """Whose cells they are; None: the CSV has no such column."""
        self._found: dict[str, dict[str, None]] = {}
        for key, cell in zip(state.keys, state.split.columns[column], strict=True) if column is not None else ():
            if key is not None:
                self._found.setdefault(key, {})[_licence(cell)] = None
        self._refuse_others(state.split, options)

    def _refuse_others(self, split: SplitCsv, options: ExportOptions) -> None:
        given = sorted({licence for each in self._found.values() for licence in each if licence})
        if options.licences is not None and given and not {each.strip() for each in options.licences} & {*given}:
            shown = f"{', '.join(given[:_SHOWN])}{', ...' if len(given) > _SHOWN else ''}"
            asked = " or ".join(options.licences)
            raise UserError(f"licences: no photo of {split.path} has {asked}; there are: {shown}")

    def of(self, key: str) -> str | None:
        """The licence of a photo, by its key; None: no row gives one.  Different ones are joined by `` + ``."""
        given = self._found.get(key, {})
        return _AND.join(licence or NONE_GIVEN for licence in given) if any(given) else None

    def allow(self, key: str) -> bool:
        """Whether a photo may be exported: any may, or each of its rows has a licence that is asked for."""
        return self._allowed is None or set(self._found[key]) <= {licence.strip() for licence in self._allowed}


def licences_in(text: str) -> list[str]:
    """The licences of which :meth:`Licences.of` has joined a text."""
    return text.split(_AND)


def _licence(cell: object) -> str:
    """What a cell says; empty where it says nothing."""
    text = str(cell).strip()
    return "" if text.lower() in MISSING else text


def _column(split: SplitCsv, options: ExportOptions) -> str | None:
    columns = [*split.columns]
    if options.licence_column in columns:
        return options.licence_column
    if options.licence_column is not None:
        near = difflib.get_close_matches(options.licence_column, columns, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"its columns are {', '.join(columns)}"
        raise UserError(f"licence_column: {split.path} has no column `{options.licence_column}`; {hint}")
    found = [name for name in columns if name.lower() in COLUMNS]
    if len(found) > 1:
        names = " and ".join(f"`{name}`" for name in found)
        raise UserError(f"{split.path} has the columns {names}: name the one that counts with `licence_column`")
    if not found and options.licences is not None:
        raise UserError(
            f"licences: {split.path} has no column `licence`; name the one that holds licences with `licence_column`"
        )
    return found[0] if found else None
