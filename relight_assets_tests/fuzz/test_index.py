"""``index.csv`` and ``origin.json``, damaged in every way: numbers stay, nothing is made anew."""

import csv
import io
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest

from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.origin import read_origin
from relight_assets.engine.run import RunSummary
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import OutputFolderError, RelightError
from relight_assets_tests.conftest import Bench
from relight_assets_tests.fuzz.conftest import IMAGES, Whole, rounds, tried
from relight_assets_tests.fuzz.generator import BYTES, TOKENS

NUMBERS = (
    *(
        "9" * 5000,
        "9" * 18,
        "9" * 9,
        "999999",
        "00003",
        "3.0",
        "3e2",
        "-1",
        "-0",
        "+3",
        " 3",
        "0x3",
        "",
        "nan",
        "٣",
        "３",
    ),
    *("11", "12", "13", "24", "1000000000", "²"),
)
Rows = list[list[str]]
Damage = Callable[[Random, Rows], bytes]


def text(rows: Rows) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8")


def renumbered(rng: Random, rows: Rows) -> bytes:
    for _ in range(rng.choice((1, 1, 2, IMAGES))):
        rows[rng.randrange(1, len(rows))][0] = rng.choice(NUMBERS)
    return text(rows)


def doubled(rng: Random, rows: Rows) -> bytes:
    rows.insert(rng.randrange(1, len(rows)), list(rng.choice(rows)))
    return text(rows)


def swapped_rows(rng: Random, rows: Rows) -> bytes:
    head, body = rows[0], rows[1:]
    rng.shuffle(body)
    return text([head, *body])


def swapped_keys(rng: Random, rows: Rows) -> bytes:
    one, other = rng.sample(range(1, len(rows)), 2)
    rows[one][1], rows[other][1] = rows[other][1], rows[one][1]
    return text(rows)


def unknown_keys(rng: Random, rows: Rows) -> bytes:
    for row in rng.sample(rows[1:], rng.choice((1, 3, IMAGES))):
        row[1] = rng.choice(("", "x", "/", "../x", "\0", "é", f"{row[1]} ", row[1].upper())) + row[0]
    return text(rows)


def another_header(rng: Random, rows: Rows) -> bytes:
    rows[0] = rng.choice(([], ["index"], ["image_path", "index"], ["index", "image_path", "x"], ["", ""]))
    return text(rows)


def huge_cell(rng: Random, rows: Rows) -> bytes:
    rng.choice(rows)[1] = "k" * 200_000
    return text(rows)


def another_splits(rng: Random, rows: Rows) -> bytes:
    """The same numbers, other photos."""
    return text([rows[0], *([number, f"/elsewhere/{number}.png"] for number, _ in rows[1:])])


def ragged(rng: Random, rows: Rows) -> bytes:
    rng.choice(rows).append("x")
    return text(rows)


def as_bytes(change: Callable[[Random, bytes], bytes], rng: Random, rows: Rows) -> bytes:
    return change(rng, text(rows))


DAMAGES: dict[str, Damage] = {
    "numbers": renumbered,
    "rows doubled": doubled,
    "rows swapped": swapped_rows,
    "keys swapped": swapped_keys,
    "keys unknown": unknown_keys,
    "header": another_header,
    "a huge cell": huge_cell,
    "another split's": another_splits,
    "ragged": ragged,
    **{name: partial(as_bytes, change) for name, change in BYTES.items()},
}


def run(bench: Bench) -> RunSummary:
    """As a person does it: status, then a run."""
    status_of(bench.settings, Recipe())
    return bench.run()


def unharmed(bench: Bench, whole: Whole) -> None:
    assert run(bench).tally.computed_images == 0
    assert lasting_index.load(bench.layout) == lasting_index.load(whole.bench.layout)
    after = load_split_state(bench.split(), Recipe(), bench.settings)
    assert after.row_counts() == {"done": IMAGES}
    assert bench.png_hashes() == whole.png_hashes


def test_a_damaged_index_changes_no_number(rng: Random, bench: Bench, whole: Whole) -> None:
    rows = list(csv.reader(io.StringIO(whole.index.decode(), newline="")))
    names = list(DAMAGES)
    found: list[str] = []
    for turn in range(max(rounds(45) // 2, len(names))):
        name = names[turn % len(names)]
        whole.fill(bench)
        data = DAMAGES[name](rng, [list(row) for row in rows])
        bench.layout.index_csv.write_bytes(data)
        try:
            assert run(bench).tally.computed_images == 0
            numbers = lasting_index.load(bench.layout)
            known = lasting_index.load(whole.bench.layout)
            assert {key: numbers[key] for key in known} == known
            # Rows that nobody knows of may stay; what is new comes after the last one.
            (new,) = set(lasting_index.extend(bench.layout, ["new"]).items()) - set(numbers.items())
            assert new == ("new", max(numbers.values()) + 1)
            assert new[1] <= 2 * (IMAGES + 3)
            assert bench.png_hashes() == whole.png_hashes
            assert load_split_state(bench.split(), Recipe(), bench.settings).row_counts() == {"done": IMAGES}
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            found.append(f"{name}: {type(error).__name__}: {str(error)[:800]}: {data[:1500]!r}")
        tried[f"index.csv, {name}", "numbers kept"] += 1
    assert not found, "\n\n".join(found)


def test_a_pipe_for_an_index_is_replaced(bench: Bench, whole: Whole) -> None:
    bench.layout.index_csv.unlink()
    os.mkfifo(bench.layout.index_csv)
    unharmed(bench, whole)
    assert bench.layout.index_csv.read_bytes() == whole.index


@pytest.mark.parametrize("name", ["index.csv", "origin.json", "recipe.yaml", ".lock.json", ".lock"])
def test_a_folder_for_a_file_is_reported_in_one_sentence(name: str, bench: Bench, whole: Whole) -> None:
    path = bench.layout.folder / name
    path.unlink(missing_ok=True)
    path.mkdir()
    status_of(bench.settings, Recipe())
    with pytest.raises(OutputFolderError, match="data-train") as reported:
        bench.run()
    assert "\n" not in str(reported.value)
    assert name in str(reported.value)
    path.rmdir()
    unharmed(bench, whole)


def test_a_folder_for_the_progress_file_stops_nothing(bench: Bench, whole: Whole) -> None:
    bench.layout.progress.unlink(missing_ok=True)
    bench.layout.progress.mkdir()
    status_of(bench.settings, Recipe())
    (reported,) = bench.run().warnings
    assert reported.startswith(f"without the progress file {bench.layout.progress}: ")
    unharmed(bench, whole)


ORIGINS = {
    "path": ("", "x", "/", "\0", "/a\0b", "/" + "y" * 300, "/" + "y/" * 5000, "\ud800", 3, None, ["/"], "../x", "~"),
    "sha256": ("", "x", "f" * 64, "F" * 64, 3, None, "f" * 65),
    "image_root": ("", "x", "/", "\0", "/" + "y" * 5000, 3, [], True),
    "mappings": (
        "x",
        [3],
        ["\0"],
        ["/\0_variants.csv"],
        ["/" + "y" * 300 + "_variants.csv"],
        ["/"],
        None,
        {},
        ["x" * 9999],
    ),
}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 10_000, *(t.encode() for t in TOKENS)])
def test_an_origin_that_is_none(content: bytes, bench: Bench, whole: Whole) -> None:
    bench.layout.origin.write_bytes(content)
    if len(content) > 3000:
        unharmed(bench, whole)  # a few by a run; of all what is read
    assert load_split_state(bench.split(), Recipe(), bench.settings).row_counts() == {"done": IMAGES}


def test_a_damaged_origin_is_mended_or_reported(bench: Bench, whole: Whole) -> None:
    found: list[str] = []
    for name, values in ORIGINS.items():
        for value in values:
            try:
                outcome = mended_or_reported(name, value, bench, whole)
                tried[f"origin.json, {name}", outcome] += 1
            except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
                found.append(f"{name}={value!r}"[:100] + f": {type(error).__name__}: {str(error)[:800]}")
    assert not found, "\n\n".join(found)


def mended_or_reported(name: str, value: object, bench: Bench, whole: Whole) -> str:
    """What comes of an origin with another value in it."""
    whole.fill(bench)
    good = json.loads(bench.layout.origin.read_text())
    bench.layout.origin.write_text(json.dumps(good | {name: value}))
    outcome = "mended"
    try:
        unharmed(bench, whole)
    except RelightError as error:
        outcome = "reported" if "\n" not in str(error) else "reported in many lines"
        bench.run(replace_photos=True)
        unharmed(bench, whole)
    origin = read_origin(bench.layout)
    assert origin is not None
    assert (origin.path, origin.sha256) == (good["path"], good["sha256"])
    assert outcome != "reported in many lines"
    return outcome


def test_a_pipe_for_an_origin_is_replaced(bench: Bench, whole: Whole) -> None:
    bench.layout.origin.unlink()
    os.mkfifo(bench.layout.origin)
    unharmed(bench, whole)
    origin = read_origin(bench.layout)
    assert origin is not None
    assert origin.path == str(bench.csv_path)


def test_anothers_origin_is_reported(bench: Bench, whole: Whole, tmp_path: Path) -> None:
    other = tmp_path / "other_images.csv"
    other.write_text("image_path\nx.png\n")
    good = json.loads(bench.layout.origin.read_text())
    bench.layout.origin.write_text(json.dumps(good | {"path": str(other)}))
    with pytest.raises(RelightError, match="belongs to"):
        bench.run()
    other.unlink()
    unharmed(bench, whole)
