"""README.md of an export says what is in it, and its lines of Python read it."""

import csv
import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from relight_assets import __version__
from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.exports.base import Caption, IndexInputs, Pair
from relight_assets.exports.cards.columns import meanings
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.cards.markdown import code, plain, table
from relight_assets.exports.cards.readme import README, card
from relight_assets.exports.registry import layout, layouts
from relight_assets.exports.rows.labels import columns
from relight_assets.models import registry
from relight_assets_tests.conftest import Bench, recipe_with
from relight_assets_tests.exports.cards.test_counts import labels, record
from relight_assets_tests.exports.conftest import Export
from relight_assets_tests.exports.rows.test_licences import give


def body(folder: Path) -> str:
    """A card without its head."""
    _, _, text = (folder / README).read_text().split("---\n", 2)
    return text


def tables(text: str) -> Iterator[list[list[str]]]:
    """The cells of each table, as a reader sees them."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and token.level >= 4 and rows:
            rows[-1].append("".join(child.content for child in token.children or ()))
        elif token.type == "table_close":
            yield rows


def counts_in(text: str, head: str, column: int = -1) -> dict[str, int]:
    """A column of the table whose first cell is ``head``."""
    found = next(rows for rows in tables(text) if rows[0][0] == head)
    return {row[0]: int(row[column].replace(",", "")) for row in found[1:]}


def samples(folder: Path) -> list[dict[str, str]]:
    with (folder / "samples.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_its_counts_are_those_of_samples_csv(own: Bench, export: Export) -> None:
    recipe = recipe_with(variants=2)
    own.run(recipe)
    give(own)
    folder = export(recipe=recipe).folder
    text, rows = body(folder), samples(folder)
    assert "8 pairs of pictures, made of 4 photos" in text
    assert counts_in(text, "licence", 1) == {"CC0-1.0": 4, "CC-BY-4.0": 2, "none given": 2}
    assert counts_in(text, "licence", 2) == {"CC0-1.0": 2, "CC-BY-4.0": 1, "none given": 1}
    assert "As the column `licence` of the CSV gives them" in text
    assert counts_in(text, "family of the drawn light") == Counter(row["family"] for row in rows)
    directions = Counter(row["light_direction_word"] for row in rows)
    assert {word: count for word, count in counts_in(text, "direction of the light", 1).items() if count} == directions
    assert counts_in(text, "width x height") == Counter(f"{row['width']} x {row['height']}" for row in rows)
    assert counts_in(text, "captions come from") == Counter(row["caption_source"] for row in rows)
    skins = next(found for found in tables(text) if found[0][0] == "skin")
    assert sum(int(row[2]) for row in skins[1:]) == 8
    assert skins[0][3:] == sorted({row["family"] for row in rows})


def test_it_says_what_made_the_pairs(own: Bench, export: Export) -> None:
    text = body(export().folder)
    made = next(rows for rows in tables(text) if rows[0] == ["what", "value"])
    record = own.recorded()[0].record
    assert ["version of relight_assets", record.package_version] in made
    assert ["seed", "0"] in made
    codes = ", ".join(f"{stage} {entry.code}" for stage, entry in record.stages.items())
    assert ["code versions of the stages", codes] in made
    models = next(rows for rows in tables(text) if rows[0][0] == "model")
    assert [row[0] for row in models[1:]] == [model.name for model in registry.SHIPPED]
    assert [row[2] for row in models[1:]] == [model.sha256 for model in registry.SHIPPED]
    assert "Every value of the recipe is the default of that version." in text
    assert f"version {__version__}, which wrote" not in text


def test_it_names_what_differs_from_the_default_recipe(own: Bench, export: Export) -> None:
    recipe = recipe_with(background={"gray_color": [64, 80, 96]}, seed=7)
    own.run(recipe)
    text = body(export(recipe=recipe).folder)
    rows = next(rows for rows in tables(text) if rows[0][0] == "value of the recipe")
    assert ["background.gray_color", "[64, 80, 96]"] in rows
    assert ["seed", "7"] in rows


def test_another_recipe_of_the_same_pictures_is_another_card(own: Bench, export: Export) -> None:
    first = export()
    recipe = recipe_with(masks={"persons": "union"})
    own.run(recipe)
    second = export(recipe=recipe)
    assert second.changed is True
    assert "masks.persons" in body(second.folder)
    assert "masks.persons" not in body(first.folder)


@pytest.mark.parametrize(
    ("given", "target", "condition", "task"),
    [
        (
            {},
            "the photo as it was taken",
            "under a drawn light, on the background of the recipe: gray",
            "take the drawn",
        ),
        (
            {"direction": "degrade"},
            "under a drawn light, on the background",
            "the photo as it was taken",
            "put a drawn",
        ),
        (
            {"target": "photo_on_gray", "background": "gray"},
            "on gray (#808080)",
            "light, on gray (#808080)",
            "give back",
        ),
        ({"target": "albedo"}, "the colors of the person without shading", "under a drawn light", "all light"),
    ],
)
def test_it_says_what_the_sides_show(
    export: Export, given: dict[str, Any], target: str, condition: str, task: str
) -> None:
    text = body(export("jsonl", **given).folder)
    sides = {row[0]: row[1:] for row in next(tables(text))}
    assert sides["target"][0] == "image/000000.png"
    assert target in sides["target"][1]
    assert condition in sides["condition"][1]
    assert task in text


def test_nothing_of_a_licence_becomes_markup(own: Bench, export: Export) -> None:
    hostile = "see | [me](http://x) <script>\n*all* `rights` #1 $x$"
    give(own, (hostile, "A|B", "# head", "~~x~~"))
    text = body(export().folder)
    shown = {row[0] for rows in tables(text) if rows[0][0] == "licence" for row in rows[1:]}
    assert shown == {"see | [me](http://x) <script> *all* `rights` #1 $x$", "A|B", "# head", "~~x~~"}
    assert "<script>" not in MarkdownIt("commonmark").enable("table").render(text)


def test_a_card_of_a_csv_without_licences_says_so(export: Export) -> None:
    text = body(export().folder)
    assert counts_in(text, "licence") == {"none given": 4}
    assert "has no column of licences" in text


@pytest.mark.parametrize("name", layouts())
def test_its_lines_of_python_read_the_first_pair(
    export: Export, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    if name in {"imagefolder", "parquet", "webdataset"}:
        datasets = pytest.importorskip("datasets")
        pytest.importorskip("webdataset")
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf" / "datasets")
    folder = export(name).folder
    lines = body(folder).split("```python\n")[1].split("```")[0]
    assert len(lines.splitlines()) == 3
    (tmp_path / "lines.py").write_text(lines.replace("FOLDER", str(folder)))
    found = runpy.run_path(str(tmp_path / "lines.py"))
    target = found["first"]["image"] if name == "imagefolder" else found["target"]
    condition = found["first"]["conditioning_image"] if name == "imagefolder" else found["condition"]
    assert target.size == condition.size == (256, 256)


@pytest.mark.parametrize("name", ["imagefolder", "parquet", "webdataset"])
def test_datasets_reads_a_folder_with_its_card(
    export: Export, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf" / "datasets")
    rows = datasets.load_dataset(str(export(name).folder))["train"]
    assert len(rows) == 4
    assert {"conditioning_image", "conditioning_image.png"} & set(rows.column_names)


def test_a_hub_reads_its_head(own: Bench, export: Export) -> None:
    hub = pytest.importorskip("huggingface_hub")
    give(own, ("CC0-1.0",) * 4)
    card = hub.DatasetCard.load(export().folder / README)
    assert card.data.license == "cc0-1.0"
    assert card.data.task_categories == ["image-to-image"]


def test_what_is_many_is_summed_up() -> None:
    counts = Counts()
    for number in range(40):
        counts.add(record(number, seed=number % 7), labels(licence=f"L{number:02d}"))
        counts.add(record(number, seed=number % 7), labels(licence=f"L{number:02d}"))
    pair = Pair("000000", "a.png", 0, 0, {}, Caption("", "none"), None, "", "")
    text = card(IndexInputs("train", Path("/x"), ExportOptions(), (pair,), layout("jsonl")), counts, "licence")
    licences = next(rows for rows in tables(text) if rows[0][0] == "licence")
    assert len(licences) == 32
    assert licences[-1] == ["10 others", "20", "10"]
    assert text.count("| code versions of the stages |") == 5
    assert "The records of 20 more pairs have 2 other recipes or versions." in text


def test_every_column_has_a_meaning() -> None:
    assert tuple(meanings()) == columns()
    assert all(len(text) > 3 for text in meanings().values())


def test_parts_of_markdown() -> None:
    assert plain("a  b\nc|*d*") == "a b c\\|\\*d\\*"
    assert (code("a_b"), code("a`b"), code("a|b")) == ("`a_b`", "a\\`b", "a\\|b")
    assert table(("a", "n"), [("x", "1,000"), ("y", "")]).splitlines()[1] == "| --- | ---: |"
    assert table(("a",), []).splitlines() == ["| a |", "| --- |"]


def test_characters_that_are_not_seen_are_left_out() -> None:
    assert plain("CC\a \u202eYB") == "CC YB"
    assert code("a\u2067b\x07") == "`ab`"
