"""CSVs of every kind: a sentence that names the file, or every row counted once and every cell as it was."""

import csv
import io
from pathlib import Path
from random import Random

from relight_assets.dataset.mapping_csv import mapping_text, withdraw_outputs
from relight_assets.dataset.split_csv import read_split_csv
from relight_assets.engine.run import look
from relight_assets.errors import CsvError
from relight_assets.recipe import Recipe
from relight_assets_tests.conftest import Bench
from relight_assets_tests.fuzz.conftest import Whole, rounds, tried
from relight_assets_tests.fuzz.generator import csv_bytes


def test_csvs(rng: Random, bench: Bench, whole: Whole, tmp_path: Path) -> None:
    photos = [str(path) for path in sorted(bench.photos.glob("*.png"))]
    sentences: list[str] = []
    for number in range(rounds(60)):
        data = csv_bytes(rng, photos, rows=100_000 if number == 0 else None)
        bench.csv_path.write_bytes(data)
        try:
            split = bench.split()
        except CsvError as error:
            sentences.append(str(error))
            continue
        counts = look(split, Recipe(), bench.settings).row_counts()
        assert counts.total() == len(split.table), data[:500]
        _round_trip(bench.csv_path, tmp_path / "x_with_relighting_outputs.csv")
        tried["csv", "every row counted"] += 1
    for sentence in sentences:
        assert str(bench.csv_path) in sentence
        assert "\n" not in sentence
        tried["csv", "one sentence"] += 1


def _round_trip(path: Path, target: Path) -> None:
    split = read_split_csv(path)
    inputs = [list(row) for row in split.table.itertuples(index=False, name=None)]
    outputs = [Path(f"/out/{number:05d}_output.png") if number % 3 else None for number in range(len(inputs))]
    text = mapping_text(split, outputs)
    target.write_bytes(text)
    withdraw_outputs(target, lambda _, __: True)
    assert target.read_bytes() == text
    wanted = [[*row, str(output or "")] for row, output in zip(inputs, outputs, strict=True)]
    assert _rows(text) == [[*split.table.columns, "output_image_path"], *wanted]
    withdraw_outputs(target, lambda _, output: "1_" in output)
    kept = [[*row[:-1], row[-1] if "1_" in row[-1] else ""] for row in wanted]
    assert _rows(target.read_bytes())[1:] == kept


def _rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
