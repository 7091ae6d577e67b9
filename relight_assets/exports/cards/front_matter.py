"""The YAML head of a card, as hubs of data sets and ``datasets`` read it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from relight_assets.exports.base import IndexInputs, Shards
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.rows.licences import NONE_GIVEN, licences_in

KNOWN_LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "pddl", "odbl", "odc-by", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0"),
        *("cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0"),
        *("cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0"),
    }
)
"""Licences of pictures and data that the hub of Hugging Face knows, in its spelling: SPDX in lower case."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


def front_matter(inputs: IndexInputs, counts: Counts) -> str:
    """The head, between its lines of dashes."""
    head: dict[str, Any] = {
        "pretty_name": f"Relighting pairs, split {inputs.split}",
        **_licence(counts.licences),
        "task_categories": ["image-to-image"],
        "tags": ["relighting", "portraits", "lighting", "relight_assets"],
        "size_categories": [next((name for bound, name in _SIZES if counts.pairs < bound), _LARGEST)],
        **(_configs(inputs.split, inputs.spec.shards) if inputs.spec.shards is not None else {}),
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)}---\n"


def _licence(licences: Mapping[str, int]) -> dict[str, Any]:
    """The licences of all photos; ``unknown`` where none has one, ``other`` where a hub does not know one of them."""
    found = sorted({part.lower() for licence in licences for part in licences_in(licence)})
    if found == [NONE_GIVEN]:
        return {"license": "unknown"}
    if set(found) <= KNOWN_LICENCES:
        return {"license": found[0] if len(found) == 1 else found}
    return {"license": "other", "license_name": "that-of-each-photo"}


def _configs(split: str, shards: Shards) -> dict[str, Any]:
    """Where the pairs are: beside tables, ``datasets`` does not find shards by itself."""
    path = PurePosixPath(shards.path)
    files = str(path.parent / f"*{path.suffix}")
    data = [{"split": split.replace("-", "_"), "path": files}]
    return {"configs": [{"config_name": "default", "data_files": data}]}
