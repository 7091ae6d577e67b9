"""The YAML head of a card, as hubs of data sets read it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.exports.base import IndexInputs
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.cards.front_matter import front_matter
from relight_assets.exports.registry import layout


def head(licences: dict[str, int], pairs: int = 1, name: str = "imagefolder", split: str = "train") -> dict[str, Any]:
    inputs = IndexInputs(split, Path("/x"), ExportOptions(), (), layout(name))
    text = front_matter(inputs, Counts(pairs=pairs, licences=Counter(licences)))
    assert text.startswith("---\n")
    assert text.endswith("\n---\n")
    found: dict[str, Any] = yaml.safe_load(text.removeprefix("---\n").removesuffix("---\n"))
    return found


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        ({"CC0-1.0": 3}, "cc0-1.0"),
        ({"CC-BY-4.0": 3, "cc0-1.0": 1}, ["cc-by-4.0", "cc0-1.0"]),
        ({"CC0-1.0 + CC-BY-4.0": 3}, ["cc-by-4.0", "cc0-1.0"]),
        ({"none given": 3}, "unknown"),
        ({"CC0-1.0": 3, "none given": 1}, "other"),
        ({"bought, contract 7: see C:\\x": 1}, "other"),
    ],
)
def test_licences(licences: dict[str, int], expected: str | list[str]) -> None:
    found = head(licences)
    assert found["license"] == expected
    assert ("license_name" in found) == (expected == "other")


@pytest.mark.parametrize(
    ("pairs", "size"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (12_000, "10K<n<100K"), (10**6, "1M<n<10M")],
)
def test_sizes(pairs: int, size: str) -> None:
    assert head({}, pairs)["size_categories"] == [size]


def test_shards_are_named_where_tables_lie_beside_them() -> None:
    def files(name: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = head({}, name=name, split="my-photos")["configs"][0]["data_files"]
        return found

    assert files("parquet") == [{"split": "my_photos", "path": "data/*.parquet"}]
    assert files("webdataset") == [{"split": "my_photos", "path": "*.tar"}]
    # `datasets` finds metadata.jsonl by itself and calls the split `train`, as the scripts of trainers expect.
    assert "configs" not in head({})
