"""Numbers and small files that are garbage, a pipe, a folder, or from the future: healed, or one sentence."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from relight_assets import terminal
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.locks import TakenError, held
from relight_assets.engine.progress import read_progress
from relight_assets.engine.run import look
from relight_assets.errors import RelightError
from relight_assets.recipe import Recipe
from relight_assets_tests.conftest import Bench
from relight_assets_tests.fuzz.conftest import IMAGES, Whole, rounds, tried
from relight_assets_tests.fuzz.generator import BYTES, TOKENS

NUMBERS = (b"9" * 5000, b"9" * 18, b"9" * 9, b"-1", "\u0663".encode(), b"1e3", b" 1", b"", b"0x1", b"1.0")


def damaged_index(rng: Random, data: bytes) -> bytes:
    """``index.csv`` with numbers, keys or rows that are not what they were."""
    header, *rows = data.splitlines(keepends=True)
    place = rng.randrange(len(rows))
    number, _, key = rows[place].partition(b",")
    other, _, others = rows[place - 1].partition(b",")
    changed: dict[str, list[bytes]] = {
        "number": [*rows[:place], rng.choice(NUMBERS) + b"," + key, *rows[place + 1 :]],
        "row added": [*rows, rng.choice(NUMBERS) + b',"new.png"\n'],
        "rows doubled": [*rows[:place], rows[place], *rows[place:]],
        "rows swapped": rng.sample(rows, len(rows)),
        "row gone": [*rows[:place], *rows[place + 1 :]],
    }
    keys = [*rows]
    keys[place], keys[place - 1] = number + b"," + others, other + b"," + key
    changed["keys swapped"] = keys
    kind = rng.choice((*changed, *BYTES))
    return BYTES[kind](rng, data) if kind in BYTES else b"".join([header, *changed[kind]])


def test_damaged_numbers_cost_nothing(rng: Random, bench: Bench, whole: Whole) -> None:
    for _ in range(rounds(25)):
        whole.fill(bench)
        damaged = damaged_index(rng, whole.index)
        bench.layout.index_csv.write_bytes(damaged)
        assert bench.run().tally.computed_images == 0, damaged
        assert bench.pictures() == whole.pictures
        numbers = lasting_index.load(bench.layout)
        assert {key: numbers[key] for key in lasting_index.load(whole.bench.layout)} == {
            key: number for number, key in enumerate(lasting_index.load(whole.bench.layout))
        }, damaged
        assert lasting_index.extend(bench.layout, ["new"])["new"] <= len(numbers), damaged
        tried["index.csv", "as before"] += 1


def _garbage(rng: Random) -> bytes:
    return rng.choice(
        (rng.randbytes(300), b"", rng.choice(TOKENS).encode("utf-8", "replace"), b"\0" * 100, b"\xff\xfe")
    )


def _in_the_way(path: Path, kind: str, rng: Random) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(_garbage(rng))
        os.utime(path, (4 * 10**9, 4 * 10**9))


@pytest.mark.parametrize("kind", ["garbage", "pipe", "folder"])
@pytest.mark.parametrize(
    "name", ["index.csv", "origin.json", ".progress.json", ".lock.json", ".mapping.csv", f".relight-{'a' * 16}.tmp"]
)
def test_what_lies_in_the_way(bench: Bench, whole: Whole, rng: Random, name: str, kind: str) -> None:
    path = bench.layout.folder / name
    path.unlink(missing_ok=True)
    _in_the_way(path, kind, rng)
    try:
        look(bench.split(), Recipe(), bench.settings)
        summary = bench.run()
    except RelightError as error:
        told = str(error)
    else:
        told = ""
    if told:
        assert kind == "folder"
        assert "\n" not in told
        assert str(bench.layout.folder) in told
        path.rmdir()
        summary = bench.run()
    assert summary.tally.computed_images == 0
    assert summary.survey.row_counts() == {"done": IMAGES}
    assert bench.pictures() == whole.pictures
    tried[f"{name}: {kind}", "as before"] += 1


def test_progress_of_any_kind_is_progress_or_none(tmp_path: Path, rng: Random) -> None:
    path = tmp_path / ".progress.json"
    whole = {
        "split": "train",
        "total": 3,
        "done": 1,
        "failed": 0,
        "images_per_s": 1.5,
        "started": 1.0,
        "updated": 2.0,
        "finished": False,
        "pid": 1,
        "devices": [],
        "notices": [],
        "counted": "images",
    }
    path.write_text(json.dumps(whole))
    assert read_progress(path) is not None
    for _ in range(rounds(200)):
        name = rng.choice([*whole])
        path.write_text(json.dumps(whole | {name: "@"}).replace('"@"', rng.choice(TOKENS)))
        found = read_progress(path)
        if found is not None:
            layout = SplitLayout(tmp_path)
            assert terminal._running(layout) == "" or "/s" in terminal._running(layout)
    path.write_text(json.dumps(whole | {"started": time.time() + 10_000, "updated": time.time()}))
    assert read_progress(path) is None


@pytest.mark.parametrize(
    ("holder", "told"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe\0\n" * 100_000), "\ufffd"),
        (lambda path: path.write_text("process 7\non a host\n"), "process 7 on a host"),
        (os.mkfifo, "another process"),
        (Path.mkdir, "another process"),
        (lambda _: None, "another process"),
    ],
)
def test_whoever_holds_a_lock_is_told_on_one_line(tmp_path: Path, holder: Callable[[Path], object], told: str) -> None:
    lock = tmp_path / "x.lock"
    with held(lock):
        beside = lock.with_suffix(".json")
        beside.unlink()
        holder(beside)
        with pytest.raises(TakenError) as error, held(lock):
            pass
        assert told in str(error.value)
        assert len(str(error.value)) <= 200
        assert str(error.value).isprintable()
        if beside.is_dir():
            beside.rmdir()
