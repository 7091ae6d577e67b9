"""What lies beside the images, damaged: it heals, or is reported in one sentence; nothing crashes, hangs, renumbers."""

import io
import json
import os
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from relight_assets.cli.terminal import progress_bar
from relight_assets.cli.terminal.messages import out
from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.progress import read_progress
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import CsvError, OutputFolderError, RelightError
from relight_assets_tests.conftest import Bench
from relight_assets_tests.fuzz.conftest import IMAGES, Whole, rounds, tried
from relight_assets_tests.fuzz.generator import BYTES, VALUES, some_place, spelled

SMALL = (".progress.json", ".lock.json", ".mapping.csv", ".relight-0123456789abcdef.tmp")
REPORTED = (".lock.json", ".mapping.csv")
"""In whose place a folder cannot be written over."""
PROGRESS: dict[str, Any] = {
    "split": "train",
    "total": 12,
    "done": 3,
    "failed": 0,
    "images_per_s": 1.5,
    "started": 1.0,
    "updated": 2.0,
    "finished": False,
    "pid": os.getpid(),
    "devices": [{"name": "cpu 0", "images": 3, "images_per_s": 1.5, "gpu_percent": 3, "gpu_memory_mib": 5}],
    "notices": ["a note"],
    "counted": "images",
}


def shown(bench: Bench) -> str:
    """What a person sees: the table, and the bar of a run."""
    out.print(status_of(bench.settings, Recipe()).table)
    started = time.time
    try:
        progress_bar.time.time = lambda: 0.0  # type: ignore[attr-defined]  (so that no progress is an earlier run's)
        with progress_bar.progress_bar(bench.layout, "train"):
            pass
    finally:
        progress_bar.time.time = started  # type: ignore[attr-defined]
    text = out.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def same(bench: Bench, whole: Whole) -> None:
    assert bench.png_hashes() == whole.png_hashes
    assert bench.layout.index_csv.read_bytes() == whole.index
    assert load_split_state(bench.split(), Recipe(), bench.settings).row_counts() == {"done": IMAGES}


def test_damaged_progress_is_shown_or_not(rng: Random, bench: Bench, whole: Whole) -> None:
    found: list[str] = []
    for _ in range(rounds(120)):
        content = json.loads(json.dumps(PROGRESS))
        name = rng.choice((*VALUES, *VALUES, *BYTES))
        where = some_place(rng, content)
        if name in VALUES:
            VALUES[name](rng, content, where)
        data = BYTES[name](rng, spelled(content)) if name in BYTES else spelled(content)
        bench.layout.progress.write_bytes(data)
        try:
            shown(bench)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            found.append(f"{name} at {where}: {type(error).__name__}: {str(error)[:300]}: {data[:300]!r}")
        read = "shown" if read_progress(bench.layout.progress) is not None else "none"
        tried[f".progress.json, {name}", read] += 1
    assert not found, "\n\n".join(found)
    bench.run()
    same(bench, whole)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("pid", value) for value in (0, -1, -(10**9), 2**31, 2**63, 10**300, 1)),
        *(("total", value) for value in (-1, 2**53, 10**300)),
        *(("images_per_s", value) for value in (-1.0, 5e-324, 1e308)),
        *(("counted", value) for value in ("[/]", "[/red]", "[link=x]", "x" * 10_000, "\n", "\x1b[2J")),
        *(("notices", value) for value in (["[/]"], ["x"] * 10_000, ["\x1b[2J"])),
        ("started", 1e300),
        ("updated", -1e300),
        ("updated", 4e9),
        ("split", "[/]"),
    ],
)
def test_progress_that_cannot_be(name: str, value: Any, bench: Bench) -> None:
    bench.layout.progress.write_text(json.dumps(PROGRESS | {name: value}))
    reported = shown(bench)
    assert "train" in reported  # the row of the split, whatever becomes of its progress


@pytest.mark.parametrize("name", SMALL)
def test_small_files_heal_or_are_reported(name: str, rng: Random, bench: Bench, whole: Whole) -> None:
    path = bench.layout.folder / name
    for kind in ("garbage", "a huge file", "a pipe", "a link to nothing", "a loop", "from the future", "a folder"):
        whole.fill(bench)
        path.unlink(missing_ok=True)
        make(kind, path, rng)
        outcome = "healed"
        try:
            shown(bench)
            bench.run()
            write_split_mapping(load_split_state(bench.split(), Recipe(), bench.settings), bench.settings)
        except RelightError as error:
            outcome = f"reported: {error}"
        assert (outcome == "healed") is (kind != "a folder" or name not in REPORTED), (kind, outcome)
        assert "\n" not in outcome
        tried[f"{name}, {kind}", outcome.partition(":")[0]] += 1
        same(bench, whole)
        if kind == "a folder":
            path.rmdir()
            bench.run()
            same(bench, whole)


def make(kind: str, path: Path, rng: Random) -> None:
    """Put something in a file's place."""
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind.startswith("a l"):
        path.symlink_to(path.name if kind == "a loop" else "nowhere")
    else:
        path.write_bytes(b"x" * 5_000_000 if kind == "a huge file" else rng.randbytes(1000))
    if kind == "from the future":
        os.utime(path, (4e9, 4e9))


@pytest.mark.parametrize("kind", ["garbage", "a huge file", "a pipe", "a link to nothing", "a loop", "a folder"])
def test_a_lock_that_is_taken_is_reported_whatever_stands_beside_it(kind: str, rng: Random, bench: Bench) -> None:
    holder = bench.layout.lock.with_suffix(".json")
    with locked_folder(bench.layout):
        holder.unlink()
        make(kind, holder, rng)
        with pytest.raises(OutputFolderError, match="is being written by") as reported:
            bench.run()
        assert str(reported.value).isprintable()
        if kind == "a folder":
            holder.rmdir()
    bench.run()


def test_leftovers_go_and_folders_of_their_name_stay(bench: Bench, whole: Whole) -> None:
    folder = bench.layout.folder
    left = [folder / f".relight-{number:016x}.tmp" for number in range(6)]
    for number, kind in enumerate(("garbage", "a pipe", "a link to nothing", "a loop", "from the future", "a folder")):
        make(kind, left[number], Random(1))
    others = [folder / ".relight-0.tmp", folder / "00000_notes.txt", folder / "99999999999_output.txt"]
    for path in others:
        path.write_bytes(b"mine")
    bench.run()
    assert [path for path in left if os.path.lexists(path)] == left[-1:]
    assert all(path.read_bytes() == b"mine" for path in others)
    same(bench, whole)


def test_files_with_large_numbers_are_reported_before_numbers_run_out(bench: Bench, whole: Whole) -> None:
    layout = SplitLayout(bench.layout.folder)
    largest = layout.png(999_999_999, "output")
    largest.write_bytes(b"x")
    assert bench.run().tally.computed_images == 0
    assert bench.layout.index_csv.read_bytes() == whole.index
    with pytest.raises(OutputFolderError, match="999999999"):
        lasting_index.extend(layout, ["new"])
    assert bench.layout.index_csv.read_bytes() == whole.index


def test_a_mapping_in_whose_place_a_folder_lies_is_reported(bench: Bench, whole: Whole) -> None:
    target = write_split_mapping(load_split_state(bench.split(), Recipe(), bench.settings), bench.settings)
    target.unlink()
    target.mkdir()
    with pytest.raises(CsvError, match="cannot be written"):
        write_split_mapping(load_split_state(bench.split(), Recipe(), bench.settings), bench.settings)
    same(bench, whole)
