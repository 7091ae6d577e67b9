"""CSVs of every kind: one sentence, or rows that all count once; and mappings that lose what is withdrawn alone."""

import csv
import io
import os
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from relight_assets.cli.terminal.messages import out
from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.mapping import mapping_blocks, variants_blocks, withdraw_outputs, write_mapping
from relight_assets.dataset.csv.read import OUTPUT_COLUMN, SplitCsv, read_split_csv
from relight_assets.engine.publish import withdraw_stale_outputs, write_split_failures, write_split_mapping
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.scan import scan_split
from relight_assets.errors import CsvError
from relight_assets_tests.conftest import Bench
from relight_assets_tests.fuzz.conftest import IMAGES, Whole, rounds, tried
from relight_assets_tests.fuzz.generator import csv_bytes, flipped, text_of

Rows = list[list[str]]
MANY_ROWS = 100_000


def all_stay(cell: str, output: str) -> bool:
    return bool(output)


def none_stays(cell: str, output: str) -> bool:
    return not output


def among(good: set[str], cell: str, output: str) -> bool:
    return output in good


def rows_of(data: bytes) -> Rows:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


def test_a_csv_is_refused_in_a_sentence_or_every_row_counts_once(rng: Random, bench: Bench, whole: Whole) -> None:
    paths = photos(bench)
    found: list[str] = []
    for _ in range(rounds(60)):
        data = csv_bytes(rng, paths)
        bench.csv_path.write_bytes(data)
        try:
            outcome = outcome_of(rng, bench)
            assert outcome in ("read", "refused")
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            found.append(f"{type(error).__name__}: {str(error)[-300:]}: {data[:200]!r}")
        else:
            tried["CSV", outcome] += 1
    assert not found, "\n\n".join(found[:20])
    assert bench.png_hashes() == whole.png_hashes


def photos(bench: Bench) -> list[str]:
    """Paths of photos, some of which lead there by a link, and some nowhere."""
    folder = bench.folder
    (folder / "linked").symlink_to(bench.photos)
    (folder / "loop").symlink_to("loop")
    (folder / "x%20y.png").write_bytes((bench.photos / "03.png").read_bytes())
    names = [f"{number:02d}.png" for number in range(IMAGES)]
    return [
        *(str(bench.photos / name) for name in names),
        *("linked/01.png", f"../{folder.name}/linked/02.png", "x%20y.png", "loop/x.png", "linked", "/dev/zero"),
    ]


def outcome_of(rng: Random, bench: Bench) -> str:
    """What becomes of the CSV that is there."""
    out.print(status_of(bench.settings, Recipe()).table)
    try:
        split = read_split_csv(bench.csv_path)
    except CsvError as error:
        return "refused" if len(str(error).splitlines()) == 1 and len(str(error)) < 2000 else "refused at length"
    state = scan_split(split, bench.layout, digests_of(Recipe(), bench.settings), None)
    counts = state.row_counts()
    assert sum(counts.values()) == sum(counts[status] for status in ROW_STATUSES) == len(split.table)
    assert len(split.lines) == len(split.table)
    outputs = [rng.choice((None, Path(f"/out/{number:05d}_output.png"))) for number in range(len(split.table))]
    comes_back(split, outputs)
    write_split_failures(state, bench.settings)
    withdrawn(split, outputs, rng, bench)
    return "read"


def comes_back(split: SplitCsv, outputs: list[Path | None]) -> None:
    """The mapping has the input's cells."""
    rows = [list(row) for row in split.table.itertuples(index=False, name=None)]
    wanted = [[*row, str(output or "")] for row, output in zip(rows, outputs, strict=True)]
    assert rows_of(b"".join(mapping_blocks(split, outputs))) == [[*split.table.columns, OUTPUT_COLUMN], *wanted]
    variants = rows_of(b"".join(variants_blocks(split, [[output] * 2 if output else [] for output in outputs])))
    assert variants[1:] == [[*row[:-1], number, row[-1]] for row in wanted if row[-1] for number in ("1", "2")]


def withdrawn(split: SplitCsv, outputs: list[Path | None], rng: Random, bench: Bench) -> None:
    """What is withdrawn goes, and nothing else."""
    target = bench.folder / "m_with_relighting_outputs.csv"
    write_mapping(split, outputs, target)
    before, stamp = target.read_bytes(), target.stat().st_ino
    withdraw_outputs(target, all_stay)
    assert (target.read_bytes(), target.stat().st_ino) == (before, stamp)
    gone = {str(output) for output in outputs if output is not None and rng.random() < 0.3}
    kept = [None if str(output) in gone else output for output in outputs]
    withdraw_outputs(target, partial(among, {str(output) for output in kept}))
    assert target.read_bytes() == b"".join(mapping_blocks(split, kept))
    withdraw_outputs(target, none_stays)
    assert target.read_bytes() == b"".join(mapping_blocks(split, [None] * len(outputs)))


def test_damaged_mappings_name_nothing_that_is_withdrawn(rng: Random, bench: Bench, whole: Whole) -> None:
    target = write_split_mapping(load_split_state(bench.split(), Recipe(), bench.settings), bench.settings)
    good = target.read_bytes()
    # Nothing is current: all images of the folder are withdrawn.
    bench.layout.record(0).unlink()
    state = load_split_state(bench.split(), Recipe(), bench.settings)
    output = str(bench.layout.png(0, "output").absolute())
    for _ in range(rounds(60)):
        name, data = damaged(rng, good)
        target.write_bytes(data)
        withdraw_stale_outputs(state, bench.settings)
        left = target.read_bytes()
        header = left.partition(b"\n")[0]
        if b"image_path" in header.split(b",") and header.endswith(b",output_image_path"):
            assert f",{output}\n".encode() not in left, (name, data)
        tried[f"mapping, {name}", "unchanged" if left == data else "withdrawn"] += 1
    bench.run()
    assert bench.png_hashes() == whole.png_hashes


def damaged(rng: Random, data: bytes) -> tuple[str, bytes]:
    """A mapping, damaged."""
    lines = data.splitlines(keepends=True)
    row = rng.randrange(1, len(lines))
    folder = lines[row].rpartition(b",")[2].rpartition(b"/")[0]
    changes: dict[str, list[bytes]] = {
        "bits flipped": [flipped(rng, data)],
        "cut": [data[: rng.randrange(len(data))]],
        "a short row": [*lines, lines[row].partition(b",")[0] + b"\n"],
        "a long row": [*lines, b"x," + lines[row]],
        "a blank line": [*lines[:row], b"\n", *lines[row:]],
        "a huge number": [*lines, b"x,y," + folder + b"/" + b"9" * 5000 + b"_output.png\n"],
        "other digits": [*lines, b"x,y," + folder + "/²٣_output.png\n".encode()],
        "no UTF-8": [*lines, b"\xff\xfe,y,\n"],
        "a NUL": [*lines, b"x,\0," + folder + b"/00000_output.png\n"],
        "rows swapped": [lines[0], *rng.sample(lines[1:], len(lines) - 1)],
        "any cells": [*lines, mapping_row(rng)],
    }
    name = rng.choice(list(changes))
    return name, b"".join(changes[name])


def mapping_row(rng: Random) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow([text_of(rng) for _ in range(3)])
    return buffer.getvalue().encode()


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "garbage", "nothing"])
def test_what_is_no_mapping_in_its_place(kind: str, bench: Bench, whole: Whole) -> None:
    target = bench.folder / "train_images_with_relighting_outputs.csv"
    if kind == "a pipe":
        os.mkfifo(target)
    elif kind == "a folder":
        target.mkdir()
    elif kind == "garbage":
        target.write_bytes(bytes(range(256)) * 10)
    bench.layout.record(0).unlink()
    if kind == "a folder":
        with pytest.raises(CsvError, match="cannot be written"):
            bench.run()
        target.rmdir()
    bench.run()
    assert bench.png_hashes() == whole.png_hashes


def test_cells_that_no_mapping_held_are_kept_byte_by_byte(tmp_path: Path) -> None:
    target = tmp_path / "m.csv"
    target.write_bytes(
        b"\xef\xbb\xbfimage_path,note,output_image_path\r\na.png,\xff\xe9,/out/0.png\nb.png,\xff,/out/1.png\n"
    )
    withdraw_outputs(target, partial(among, {"/out/1.png"}))
    assert target.read_bytes() == (
        b"\xef\xbb\xbfimage_path,note,output_image_path\na.png,\xff\xe9,\nb.png,\xff,/out/1.png\n"
    )


@pytest.mark.parametrize("row", [b"a.png\n", b"a.png,x,y,/out/0.png\n"])
def test_a_ragged_mapping_keeps_its_header_alone(row: bytes, tmp_path: Path) -> None:
    target = tmp_path / "m.csv"
    target.write_bytes(b"image_path,note,output_image_path\nb.png,,/out/1.png\n" + row)
    withdraw_outputs(target, all_stay)
    assert target.read_bytes() == b"image_path,note,output_image_path\n"


def test_many_rows(rng: Random, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = MANY_ROWS if rounds(0) else 2000
    photo = str(bench.photos / "00.png")
    spelled: list[Any] = [f"{photo}", f" {photo}", photo.replace("/00", "//00"), "", "nowhere.png"]
    lines = [f"{rng.choice((*spelled, f'm/{number}.png'))},{number}" for number in range(rows)]
    bench.csv_path.write_text("image_path,note\n" + "\n".join(lines) + "\n")
    assert outcome_of(rng, bench) == "read"
    tried["CSV", f"{rows} rows"] += 1
