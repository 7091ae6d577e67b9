"""croissant.json of an export: the library that defines the format takes it, and reads the pairs by it."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from relight_assets.exports.cards import croissant
from relight_assets.exports.cards.croissant import CROISSANT
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layouts
from relight_assets.exports.rows.labels import columns
from relight_assets_tests.conftest import Bench, read_rgb, sha256
from relight_assets_tests.exports.conftest import Export
from relight_assets_tests.exports.rows.test_licences import give

# The library is imported where a test runs: it takes seconds, and each of xdist's workers collects this file.
pytestmark = [
    pytest.mark.usefixtures("croissant_too"),
    pytest.mark.skipif(find_spec("mlcroissant") is None, reason="mlcroissant is not installed"),
]


def description(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / CROISSANT).read_bytes())
    return found


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    return list(croissant.library().Dataset(jsonld=folder / CROISSANT).records(name))


@pytest.mark.parametrize("name", layouts())
def test_the_library_takes_it(export: Export, name: str) -> None:
    folder = export(name).folder
    report = croissant.library().Dataset(jsonld=folder / CROISSANT).metadata.ctx.issues
    assert not report.errors
    files = [part for part in description(folder)["distribution"] if part["@type"] == "cr:FileObject"]
    assert "samples.csv" in [part["@id"] for part in files]
    assert all(sha256(folder / part["contentUrl"]) == part["sha256"] for part in files)
    shards = {part["@id"] for part in files} & {path.name for path in folder.glob("*.tar")}
    assert bool(shards) == (name == "webdataset")


def test_it_reads_the_labels_of_every_pair(own: Bench, export: Export) -> None:
    give(own)
    rows = records(export().folder, "pairs")
    assert len(rows) == 4
    assert [name.removeprefix("pairs/") for name in rows[0]] == list(columns())
    assert [row["pairs/licence"] for row in rows] == [b"CC0-1.0", b"CC-BY-4.0", None, b"CC0-1.0"]
    record = own.recorded()[2].record
    assert rows[2]["pairs/masks_coverage"] == record.stages["masks"].numbers["coverage"]
    assert rows[2]["pairs/masks_truncated"] == record.stages["masks"].numbers["truncated"]


@pytest.mark.parametrize("name", ["imagefolder", "onetrainer"])
def test_it_reads_every_picture_of_a_tree(export: Export, name: str) -> None:
    folder = export(name).folder
    labels = records(folder, "pairs")
    for role in ("target", "condition", "mask"):
        rows = records(folder, f"{role}s")
        assert [row[f"{role}s/path"] for row in rows] == [row[f"pairs/{role}"] for row in labels]
        if role != "mask":
            first = rows[0][f"{role}s/image"]
            assert first.tobytes() == read_rgb(folder / rows[0][f"{role}s/path"].decode()).tobytes()


def test_it_reads_every_row_of_parquet(own: Bench, export: Export) -> None:
    pytest.importorskip("pyarrow")
    give(own)
    rows = records(export("parquet", resolution="source").folder, "rows")
    assert [row["rows/stem"] for row in rows] == [f"{number:06d}".encode() for number in range(4)]
    assert [row["rows/licence"] for row in rows] == [b"CC0-1.0", b"CC-BY-4.0", None, b"CC0-1.0"]
    assert rows[1]["rows/image"].tobytes() == read_rgb(own.layout.png(1, "input")).tobytes()
    assert rows[1]["rows/mask"].size == rows[1]["rows/image"].size


def test_it_says_each_licence(own: Bench, export: Export) -> None:
    assert description(export().folder)["license"] == "none given"
    give(own, ("CC0-1.0", 'see "C:\\x" <b>\n☺', "", "CC0-1.0"))
    assert description(export().folder)["license"] == ["CC0-1.0", "none given", 'see "C:\\x" <b>\n☺']


def test_the_library_closes_no_stream_of_others() -> None:
    code = """
import io, logging.config, sys
of_others, sys.stderr = io.StringIO(), sys.stderr
before, sys.stderr = sys.stderr, of_others
from relight_assets.exports.cards.croissant import library
library()
sys.stderr = before
logging.config.dictConfig({"version": 1})
print(of_others.closed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_changed_card_is_a_fault(export: Export) -> None:
    folder = export().folder
    assert read_back(folder).passed
    path = folder / CROISSANT
    path.write_text(path.read_text().replace("4 pairs", "5 pairs"))
    assert [fault.path for fault in read_back(folder).faults] == [CROISSANT]


def test_without_the_library_the_other_card_is_written_all_the_same(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = export()
    monkeypatch.setattr(croissant, "find_spec", lambda _: None)
    found = export()
    assert (found.changed, found.folder == first.folder) == (True, False)
    assert (found.folder / "README.md").read_bytes() == (first.folder / "README.md").read_bytes()
    assert not (found.folder / CROISSANT).exists()
    assert read_back(found.folder).passed
    assert export().changed is False


def test_what_the_library_refuses_is_no_card(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    first = export()
    monkeypatch.setitem(croissant._FORMATS, ".csv", "")
    with pytest.raises(croissant.library().ValidationError, match="encodingFormat"):
        export(caption="none")
    link = first.folder.parent / "train"
    assert link.resolve() == first.folder
