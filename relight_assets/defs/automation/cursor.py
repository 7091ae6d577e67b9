"""What the sensor keeps from tick to tick: the CSVs of the last tick, and the runs that were requested."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from relight_assets.dataset.csv.watch import CsvStamp
from relight_assets.defs.automation.run_requests import LastRequest


@dataclass
class Cursor:
    """The sensor's cursor; Dagster stores its text."""

    stamps: dict[str, CsvStamp] = field(default_factory=dict)
    """Every CSV of the last tick, by split."""
    requests: dict[str, LastRequest] = field(default_factory=dict)
    """The last request of each split."""

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """The cursor of a text; an empty one where there is none, or one of another version.

        Then every CSV counts as new, which costs runs with nothing to do.
        """
        try:
            content = json.loads(text or "{}")
            known = {field.name for field in fields(CsvStamp)}  # an older version kept more
            return cls(
                {
                    split: CsvStamp(**{name: value for name, value in entry.items() if name in known})
                    for split, entry in content.get("seen", {}).items()
                },
                {split: LastRequest(**entry) for split, entry in content.get("asked", {}).items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def text(self) -> str:
        """What :meth:`parse` reads."""
        return json.dumps({"seen": _plain(self.stamps), "asked": _plain(self.requests)}, sort_keys=True)


def _plain(items: dict[str, Any]) -> dict[str, Any]:
    return {name: asdict(item) for name, item in items.items()}
