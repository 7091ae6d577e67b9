"""What the doctor says of a project's folders, and that it leaves no trace there."""

import os
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.doctor import dagster_home, temporary_folder
from relight_assets.doctor import folders as doctor_folders
from relight_assets.doctor.finding import Finding
from relight_assets.doctor.folders import Folders
from relight_assets.doctor.machine import examine
from relight_assets.engine.disk_space import BYTES_PER_PIXEL, mib
from relight_assets_tests.conftest import PORTRAITS, Bench


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below one, with its size and time."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in (folder, *sorted(folder.rglob("*")))
    }


def reported(findings: list[Finding]) -> str:
    return "\n".join(f"{each.topic}: {each.text} | {each.advice}" for each in findings)


def test_csvs_are_named_with_their_rows_or_with_what_is_wrong(bench: Bench) -> None:
    bench.write_csv(PORTRAITS)
    (bench.folder / "empty_images.csv").write_text("image_path\n", encoding="utf-8")
    (bench.folder / "bad_images.csv").write_text("photo\nx.png\n", encoding="utf-8")
    (bench.folder / "gone_images.csv").symlink_to("nowhere.csv")
    first, *others = Folders(Recipe(), bench.settings, os.environ).csvs()
    assert first == Finding("csv folder", f"{bench.folder}: 1 can be used: train with 4 rows")
    assert not any(each.blocks for each in others)
    said = reported(others)
    assert "bad_images.csv cannot be used" in said
    assert "image_path" in said
    assert "gone_images.csv cannot be used" in said
    assert "empty_images.csv has a header and no rows" in said


def test_a_folder_without_csvs_and_one_that_is_not_there(tmp_path: Path) -> None:
    (only,) = Folders(Recipe(), Settings(csv_dir=tmp_path), os.environ).csvs()
    assert (only.text, only.blocks) == (f"{tmp_path}: no CSV matches *_images.csv", False)
    assert only.advice is not None
    settings = Settings(csv_dir=tmp_path / "none", output_root=tmp_path, dagster_home=tmp_path)
    (missing,) = (each for each in examine(Recipe(), settings, os.environ) if each.topic == "csv folder")
    assert (missing.blocks, "cannot be listed: No such file" in missing.text) == (False, True)
    assert "relight run --csv" in (missing.advice or "")


def test_the_room_is_held_against_what_is_not_done_yet(finished: Bench, bench: Bench) -> None:
    bench.write_csv(PORTRAITS)
    pixels = sum(width * height for width, height in map(_size, (bench.photos / name for name in PORTRAITS)))
    folders = Folders(Recipe(), bench.settings, os.environ)
    list(folders.csvs())
    (disk,) = folders.outputs()
    assert f"about {mib(BYTES_PER_PIXEL * pixels)} will be written for 4 images that are not done" in disk.text
    done = Folders(Recipe(), finished.settings, os.environ)
    list(done.csvs())
    (disk,) = done.outputs()
    assert "will be written" not in disk.text


def _size(path: Path) -> tuple[int, int]:
    from relight_assets.imaging.decode import size_of

    return size_of(path)


def test_a_disk_that_is_too_small_is_reported_in_mib(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write_csv(PORTRAITS)
    folders = Folders(Recipe(), bench.settings, os.environ)
    list(folders.csvs())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    (disk,) = folders.outputs()
    assert disk.text.startswith(f"1 MiB free for {bench.settings.output_root}")
    assert "will be written for 4 images, but 1 MiB are free" in (disk.advice or "")
    (csvs,) = folders.output_csvs()
    assert csvs.advice == "free some space: only 1 MiB are free"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 40))
    monkeypatch.setattr("relight_assets.engine.disk_space.free_files", lambda _: 27)
    (disk,) = folders.outputs()
    assert "about 28 files will be written for 4 images, but 27 can be made" in (disk.advice or "")


def test_places_that_cannot_be_written_block(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    file = bench.folder / "file"
    file.write_text("")
    settings = bench.settings.model_copy(
        update={"output_root": file / "out", "mapping_dir": file / "maps", "dagster_home": file / "home"}
    )
    blocked = {each.topic: reported([each]) for each in examine(Recipe(), settings, os.environ) if each.blocks}
    assert blocked.keys() >= {"output CSVs", "disk", "database"}
    assert f"{file} is not a folder" in blocked["disk"]
    assert "set mapping_dir" in blocked["output CSVs"]
    assert "set dagster_home" in blocked["database"]


def test_a_damaged_list_of_forgotten_photos_blocks(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.settings.output_root.mkdir(parents=True)
    (bench.settings.output_root / "forgotten.csv").write_text("damaged")
    blocked = {each.topic: reported([each]) for each in examine(Recipe(), bench.settings, os.environ) if each.blocks}
    assert any("forgotten.csv cannot be used" in text for text in blocked.values())


def database(path: Path, *, rows: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * rows)
        connection.commit()


def test_a_damaged_history_blocks_and_one_damaged_run_does_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home = bench.settings.dagster_home
    for name in ("runs.db", "runs/index.db", "runs/0b.db"):
        database(home / "history" / name)
    (well,) = Folders(Recipe(), bench.settings, os.environ).database()
    assert (well.blocks, "3 files of Dagster's history can be read and written" in well.text) == (False, True)
    (home / "history" / "runs" / "0b.db").write_bytes(b"garbage" * 100)
    (one,) = Folders(Recipe(), bench.settings, os.environ).database()
    assert (one.blocks, "0b.db" in one.text, "delete" in (one.advice or "")) == (False, True, True)
    content = bytearray((home / "history" / "runs.db").read_bytes())
    content[4096:12288] = b"\xff" * 8192
    (home / "history" / "runs.db").write_bytes(content)
    (all_,) = Folders(Recipe(), bench.settings, os.environ).database()
    assert (all_.blocks, "history/runs.db" in all_.text) == (True, True)


def test_a_port_and_sockets_of_the_ui(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(doctor_folders, "PORT", server.getsockname()[1])
        (taken,) = doctor_folders.port()
    (free,) = doctor_folders.port()
    assert ("is taken" in taken.text, "relight dev --port" in (taken.advice or ""), taken.blocks) == (True, True, False)
    assert (free.text.endswith("is free on 127.0.0.1"), free.advice) == (True, None)
    long = tmp_path / ("x" * (temporary_folder.LONGEST + 1))
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    (said,) = doctor_folders.temporary(os.environ)
    assert "too long for the sockets of Dagster's servers" in (said.advice or "")


def test_the_doctor_writes_nothing(finished: Bench, model_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not into the project, nor among the temporary files; databases in WAL mode get no files beside them."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home, temp = finished.folder / "home_of_dagster", finished.folder / "temp"
    database(home / "history" / "runs.db")
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    settings = finished.settings.model_copy(update={"dagster_home": home})
    before = state(finished.folder)
    findings = examine(Recipe(), settings, os.environ)
    assert state(finished.folder) == before
    assert {each.topic for each in findings} >= {"csv folder", "output CSVs", "disk", "database", "temporary", "port"}
    assert not any(each.blocks for each in findings if each.topic != "devices")
    shutil.rmtree(home)
    temp.rmdir()


def test_a_history_in_which_nothing_can_be_made_blocks_and_one_elsewhere_was_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / "history" / "runs").mkdir(parents=True)
    folders = Folders(Recipe(), Settings(dagster_home=tmp_path), os.environ)
    monkeypatch.setattr(
        dagster_home, "write_fault", lambda folder: "this user may not write there" if folder.name == "runs" else None
    )
    (closed,) = folders.database()
    assert closed.blocks
    assert closed.text == f"{tmp_path / 'history' / 'runs'} may not be written by this user"
    monkeypatch.undo()
    (tmp_path / "dagster.yaml").write_text("storage: {postgres: {}}\n")
    (elsewhere,) = folders.database()
    assert (elsewhere.blocks, "which was not looked at" in elsewhere.text) == (False, True)
