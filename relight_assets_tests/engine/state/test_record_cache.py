"""What is kept of records changes no answer: a scan with it finds what a scan without it finds, whatever happened."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.dataset.tombstones import NO_TOMBSTONES
from relight_assets.engine.state import record_cache
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.record_cache import identity_of, keep_records, open_records
from relight_assets.engine.state.scan import SplitState
from relight_assets.stages.registry import stage_names
from relight_assets.storage import local
from relight_assets.storage.local import LocalStorage
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, recipe_with, rewrite_record

NUMBERS = range(3)


@dataclass(frozen=True)
class ReadsRecords(LocalStorage):
    """Of which it is known which records it read."""

    records: list[str] = field(default_factory=list, compare=False)

    def read(self, path: Path | str, *, max_bytes: int | None = None) -> bytes | None:
        if str(path).endswith("_metadata.json"):
            self.records.append(str(path))
        return super().read(path, max_bytes=max_bytes)


def images(bench: Bench, recipe: Recipe | None = None, *, reads: list[str] | None = None) -> dict[str, ImageState]:
    storage = ReadsRecords(records=[] if reads is None else reads)
    return load_split_state(bench.split(), recipe or Recipe(), bench.settings, storage=storage).images


@pytest.fixture
def kept(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A finished split of which the last run has kept all records, as if each were old; with photos of its own."""
    monkeypatch.setattr(local, "_TICK_NS", 0)
    bench = Bench(tmp_path, tmp_path / "photos")
    bench.photos.mkdir()
    for name in PORTRAITS[: len(NUMBERS)]:
        shutil.copy(photos / name, bench.photos)
    bench.write_csv(PORTRAITS[: len(NUMBERS)])
    bench.run()
    yield bench
    without = bench.layout.record_cache.with_name("aside")
    found = images(bench)
    if bench.layout.record_cache.exists():
        bench.layout.record_cache.rename(without)
    assert images(bench) == found, "with and without the cache"


def test_no_record_of_a_finished_split_is_read(kept: Bench) -> None:
    reads: list[str] = []
    assert {image.status for image in images(kept, reads=reads).values()} == {"done"}
    assert reads == []
    gray = recipe_with(background={"gray_color": [9, 9, 9]})
    assert {image.current for image in images(kept, gray, reads=reads).values()} == {stage_names()[:-1]}
    assert reads == []


def test_what_a_run_redoes_is_kept_anew(kept: Bench) -> None:
    gray = recipe_with(background={"gray_color": [9, 9, 9]})
    kept.run(gray)
    reads: list[str] = []
    assert {image.status for image in images(kept, gray, reads=reads).values()} == {"done"}
    assert {image.current for image in images(kept, reads=reads).values()} == {stage_names()[:-1]}
    assert reads == []


def _of_one_size_and_time(path: Path, change: Callable[[bytes], bytes]) -> None:
    before, data = path.stat(), path.read_bytes()
    path.write_bytes(change(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert len(change(data)) == len(data)


def _of_another_name(bench: Bench) -> None:
    rewrite_record(bench.layout.record(1), lambda content: content.update(image_path="another.png"))


def _older_record_put_back(bench: Bench) -> None:
    saved = bench.folder / "saved.json"
    shutil.copy2(bench.layout.record(1), saved)
    bench.run(recipe_with(seed=5))
    saved.replace(bench.layout.record(1))


CHANGES: dict[str, Callable[[Bench], object]] = {
    "nothing": lambda _: None,
    "a record is gone": lambda bench: bench.layout.record(1).unlink(),
    "a byte of a record differs": lambda bench: _of_one_size_and_time(
        bench.layout.record(1), lambda data: data.replace(b'"masks"', b'"mosks"', 1)
    ),
    "a record is cut off": lambda bench: os.truncate(bench.layout.record(1), 100),
    "a record names another image": _of_another_name,
    "a record of another number": lambda bench: shutil.copy(bench.layout.record(0), bench.layout.record(1)),
    "an older record is put back": _older_record_put_back,
    "records change places": lambda bench: [
        bench.layout.record(0).rename(bench.folder / "a"),
        bench.layout.record(1).rename(bench.layout.record(0)),
        (bench.folder / "a").rename(bench.layout.record(1)),
    ],
    "an image is gone": lambda bench: bench.layout.png(1, "albedo").unlink(),
    "an image was written again": lambda bench: bench.layout.png(1, "output").touch(),
    "a photo was touched": lambda bench: (bench.photos / PORTRAITS[1]).touch(),
    "the index is gone": lambda bench: bench.layout.index_csv.unlink(),
    "rows are in another order": lambda bench: bench.write_csv(PORTRAITS[2::-1]),
    "a row is gone": lambda bench: bench.write_csv([PORTRAITS[0], PORTRAITS[2]]),
    "a row is new": lambda bench: bench.write_csv(["gone.png", *PORTRAITS[: len(NUMBERS)]]),
    "a failure lies there": lambda bench: bench.layout.failure(1).write_text("{}"),
    "a record is a pipe": lambda bench: [bench.layout.record(1).unlink(), os.mkfifo(bench.layout.record(1))],
    "the cache is of another folder": lambda bench: shutil.copy(
        bench.layout.record_cache, bench.layout.folder / ".records.sqlite.copy"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_records_decide(kept: Bench, change: Callable[[Bench], object]) -> None:
    change(kept)
    # The fixture compares what is found with the cache and without it.
    assert images(kept)


def _damage(bench: Bench, of_one: str, put: str) -> None:
    with closing(sqlite3.connect(bench.layout.record_cache)) as database, database:
        (kept,) = database.execute(of_one).fetchone()
        changed = kept.replace(b"albedo", b"olbedo", 1)
        assert changed != kept
        database.execute(put, (changed,))


def _damaged_row(bench: Bench) -> None:
    _damage(bench, "SELECT asked FROM finished WHERE number = 1", "UPDATE finished SET asked = ? WHERE number = 1")


def _damaged_stamps(bench: Bench) -> None:
    _damage(bench, "SELECT stamps FROM records WHERE number = 1", "UPDATE records SET stamps = ? WHERE number = 1")
    with closing(sqlite3.connect(bench.layout.record_cache)) as database, database:
        database.execute("UPDATE finished SET identity = '' WHERE number = 1")


def _rows_of_any_kind(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.layout.record_cache)) as database, database:
        database.execute("UPDATE records SET stamps = 7, version = NULL WHERE number = 1")
        database.execute("UPDATE records SET stamps = 7 WHERE number = 2")
        database.execute("UPDATE finished SET asked = 7, identity = NULL WHERE number = 1")
        database.execute("UPDATE finished SET asked = 'text', checksum = 'x' WHERE number = 2")


def _another_table(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.layout.record_cache)) as database, database:
        database.execute("ALTER TABLE finished DROP COLUMN identity")


def _as(table: str, definition: str) -> Callable[[Bench], None]:
    """Something else has a table's name, and the version that is expected."""

    def damage(bench: Bench) -> None:
        with closing(sqlite3.connect(bench.layout.record_cache)) as database, database:
            database.execute(f"ALTER TABLE {table} RENAME TO former")
            database.execute(definition)

    return damage


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT -1 UNION ALL SELECT i FROM n) SELECT i number,"

DAMAGE: dict[str, Callable[[Bench], object]] = {
    "it is gone": lambda bench: bench.layout.record_cache.unlink(),
    "it is no database": lambda bench: bench.layout.record_cache.write_bytes(b"no database at all" * 999),
    "it is empty": lambda bench: bench.layout.record_cache.write_bytes(b""),
    "its second half is gone": lambda bench: os.truncate(
        bench.layout.record_cache, bench.layout.record_cache.stat().st_size // 2
    ),
    "a row is damaged": _damaged_row,
    "the stamps of a record are damaged": _damaged_stamps,
    "rows are of any kind": _rows_of_any_kind,
    "the table is another": _another_table,
    "a table without types": _as(
        "records", "CREATE TABLE records AS SELECT 'x' number, version, checksum, stamps FROM former"
    ),
    "another table without types": _as(
        "finished", "CREATE TABLE finished AS SELECT 'x' number, identity, checksum, asked FROM former"
    ),
    "a view without an end": _as(
        "records", f"CREATE VIEW records AS {_ENDLESS} '' version, 0 checksum, '' stamps FROM n"
    ),
    "another view without an end": _as(
        "finished", f"CREATE VIEW finished AS {_ENDLESS} '' identity, 0 checksum, '' asked FROM n"
    ),
    "a folder is in its place": lambda bench: [bench.layout.record_cache.unlink(), bench.layout.record_cache.mkdir()],
    "a pipe is in its place": lambda bench: [bench.layout.record_cache.unlink(), os.mkfifo(bench.layout.record_cache)],
    "a link is in its place": lambda bench: (
        bench.layout.record_cache.rename(bench.folder / "moved")
        and bench.layout.record_cache.symlink_to(bench.folder / "moved")
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_costs_nothing_but_itself(kept: Bench, damage: Callable[[Bench], object]) -> None:
    damage(kept)
    assert {image.status for image in images(kept).values()} == {"done"}
    for _ in range(2):  # the first finds the damage
        assert computed(kept.run()) == dict.fromkeys(stage_names(), 0)
    reads: list[str] = []
    assert {image.status for image in images(kept, reads=reads).values()} == {"done"}
    if kept.layout.record_cache.is_file() and not kept.layout.record_cache.is_symlink():
        assert reads == [], "the runs have made it anew"


def test_another_version_of_the_package_reads_the_records_itself(kept: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_cache, "__version__", "another")
    reads: list[str] = []
    images(kept, reads=reads)
    assert len(reads) == len(NUMBERS)
    kept.run()
    reads.clear()
    images(kept, reads=reads)
    assert reads == []


def test_a_record_that_was_just_written_is_not_kept(kept: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another write within one tick of the clock might leave size and times as they are."""
    monkeypatch.setattr(local, "_TICK_NS", 10**18)
    record = read_record(kept.layout.record(1))
    assert record is not None
    write_record(kept.layout, with_fields(record, seed=3))
    kept.run()
    with closing(sqlite3.connect(kept.layout.record_cache)) as database:
        (version,) = database.execute("SELECT version FROM records WHERE number = 1").fetchone()
    monkeypatch.setattr(local, "_TICK_NS", 0)
    assert version != LocalStorage().version(kept.layout.record(1))


def test_a_scan_without_the_lock_writes_nothing(kept: Bench) -> None:
    kept.layout.record_cache.unlink()
    images(kept)
    assert not kept.layout.record_cache.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.state.record_cache import open_records
with open_records(SplitLayout(Path(sys.argv[1])), "another", to_write=True) as records:
    for _ in range(500):
        for number in range(3):
            records.keep(records.read(number), settled=True)
    records.write()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_is_killed_leaves_what_was_kept_before(kept: Bench) -> None:
    before = images(kept)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(kept.layout.folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    reads: list[str] = []
    assert images(kept) == before
    kept.run()
    assert images(kept, reads=reads) == before
    assert reads == []


def test_equal_identities_mean_equal_digests() -> None:
    def identity(**keys: object) -> str:
        return Digests(recipe_with(**keys), lambda model: f"sha256 of {model}").identity

    assert identity() == identity(seed=Recipe().seed)
    changed = [identity(seed=1), identity(variants=2), identity(background={"gray_color": [9, 9, 9]}), identity()]
    assert len(set(changed)) == len(changed)
    assert identity() != Digests(Recipe(), lambda _: "another model").identity


def test_the_cache_is_that_of_a_folder(tmp_path: Path) -> None:
    assert SplitLayout(tmp_path).record_cache == tmp_path / ".records.sqlite"


def _trusting(bench: Bench, recipe: Recipe | None = None) -> SplitState:
    return load_split_state(bench.split(), recipe or Recipe(), bench.settings, trust=True)


def test_a_scan_that_trusts_looks_at_no_photo_record_or_file_of_a_finished_image(kept: Bench) -> None:
    kept.layout.png(0, "output").unlink()
    (kept.photos / PORTRAITS[1]).unlink()
    kept.layout.record(2).unlink()
    statuses = {image.status for image in images(kept).values()}
    assert "done" not in statuses
    trusting = _trusting(kept)
    assert {image.status for image in trusting.images.values()} == {"done"}
    assert trusting.trusted == len(NUMBERS)


def test_what_is_kept_under_another_recipe_is_not_trusted(kept: Bench) -> None:
    recipe = recipe_with(background={"gray_color": [90, 90, 90]})
    found = _trusting(kept, recipe)
    assert found.trusted == 0
    assert found.images == images(kept, recipe)


def test_an_image_that_a_run_found_unfinished_is_not_trusted_until_one_finds_it_finished(kept: Bench) -> None:
    aside = kept.layout.png(0, "output").rename(kept.folder / "aside.png")
    identity = identity_of(digests_of(Recipe(), kept.settings), NO_TOMBSTONES)
    for there in (False, True):
        state = load_split_state(kept.split(), Recipe(), kept.settings)
        keep_records(kept.layout, digests_of(Recipe(), kept.settings), NO_TOMBSTONES, state.images.values())
        with open_records(kept.layout, identity) as records:
            known = [records.finished(number, trusted=True) is not None for number in NUMBERS]
        assert known == [there, True, True]
        if not there:
            aside.rename(kept.layout.png(0, "output"))


def test_without_a_state_nothing_is_trusted(kept: Bench) -> None:
    kept.layout.record_cache.unlink()
    kept.layout.png(0, "output").unlink()
    found = _trusting(kept)
    assert found.trusted == 0
    assert found.images == images(kept)


def test_with_an_image_root_photos_are_looked_at(kept: Bench) -> None:
    kept.settings = kept.settings.model_copy(update={"image_root": kept.photos})
    (kept.photos / PORTRAITS[1]).unlink()
    found = _trusting(kept)
    assert found.trusted == 0
    assert found.images == images(kept)
