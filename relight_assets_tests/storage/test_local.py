"""The storage on a file system: what stands in a file's place, tokens, links, and that a whole run goes through it."""

import hashlib
import os
import pickle
import shutil
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from msgspec.structs import replace

from relight_assets.config.engines import ENGINES
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.atomic_io import PlaceTakenError
from relight_assets.engine.publish import write_split_failures, write_split_mapping
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.storage import local
from relight_assets.storage.base import Storage
from relight_assets.storage.files import output_token, same_token, stamp_source
from relight_assets.storage.local import LOCAL, LocalStorage
from relight_assets_tests.conftest import PORTRAITS, Bench
from relight_assets_tests.engine.execution.threads_engine import THREADS_ENGINE


def test_a_hard_link_changes_no_token_of_an_output(tmp_path: Path) -> None:
    stamp = LOCAL.put_stamped(tmp_path / "a.png", b"x")
    (tmp_path / "b.png").hardlink_to(tmp_path / "a.png")
    assert output_token((tmp_path / "b.png").stat()) == stamp.token
    assert same_token(stamp.token, (tmp_path / "a.png").stat())


def test_an_output_replaces_what_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "00000_output.png"
    for make in (Path.mkdir, os.mkfifo, lambda place: place.symlink_to(place.name), lambda place: place.touch()):
        make(path)
        LOCAL.put(path, b"ours", over_folder=True)
        assert path.read_bytes() == b"ours"
        assert not path.is_symlink()
        path.unlink()
        make(path)
        LOCAL.remove(path)
        assert not os.path.lexists(path)
    LOCAL.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_an_output_never_replaces_a_folder_that_holds_something(tmp_path: Path) -> None:
    path = tmp_path / "00000_output.png"
    path.mkdir()
    (path / "theirs").touch()
    with pytest.raises(PlaceTakenError) as reported:
        LOCAL.put(path, b"ours", over_folder=True)
    assert reported.value.filename == str(path)
    with pytest.raises(PlaceTakenError):
        LOCAL.remove(path)
    assert [each.name for each in tmp_path.rglob("*")] == [path.name, "theirs"]


def test_a_link_to_a_folder_is_removed_and_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "00000_output.png"
    link.symlink_to("folder")
    LOCAL.remove(link)
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_stamps_agree(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    data = b"x" * 3_000_001
    stamp = LOCAL.put_stamped(path, data)
    assert replace(stamp_source(path), token=stamp.token) == stamp
    assert stamp.sha256 == hashlib.sha256(data).hexdigest()
    assert stamp.token == str(path.stat().st_mtime_ns)


def test_names_of_a_folder_and_none_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").mkdir()
    assert set(LOCAL.names(tmp_path)) == {"a", "b"}
    assert list(LOCAL.names(tmp_path / "none")) == []


def test_every_kind_of_thing_at_a_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to("nothing")
    (tmp_path / "link").symlink_to("file")
    kinds = {name: LOCAL.kind(tmp_path / name) for name in ("file", "pipe", "nowhere", "link", "", "none", "file/x")}
    assert kinds == {
        "file": "a file",
        "pipe": "a named pipe",
        "nowhere": "no regular file",
        "link": "a file",
        "": "a folder",
        "none": None,
        "file/x": None,
    }


def test_a_file_is_linked_or_copied_with_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    stamp = LOCAL.put_stamped(tmp_path / "a", b"x")
    LOCAL.link(tmp_path / "a", tmp_path / "linked")
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    LOCAL.link(tmp_path / "a", tmp_path / "copied")
    for name in ("a", "linked", "copied"):
        assert LOCAL.read(tmp_path / name) == b"x"
        assert LOCAL.state(tmp_path / name) == (stamp.size, stamp.token)


@pytest.mark.parametrize("opened", [False, True])
def test_files_have_their_stamps(tmp_path: Path, opened: bool) -> None:
    with LOCAL.opened(tmp_path) if opened else nullcontext(LOCAL) as storage:
        _check_stamps(storage, tmp_path)


def _check_stamps(storage: Storage, tmp_path: Path) -> None:
    stamps = {name: LOCAL.put_stamped(tmp_path / name, name.encode()) for name in ("a", "bb", "00001_bb")}
    (tmp_path / "link").symlink_to("bb")
    (tmp_path / "circle").symlink_to("circle")
    asked = [(name, stamp.size, stamp.token) for name, stamp in stamps.items()]
    inside = f"{tmp_path}/"
    assert storage.have_states(inside, [])
    assert storage.have_states(inside, asked)
    assert storage.have_states("", [(f"{inside}{name}", size, token) for name, size, token in asked])
    assert storage.have_states(inside, [("link", stamps["bb"].size, stamps["bb"].token)])
    numbered = stamps["00001_bb"]
    assert storage.have_states(f"{inside}00001_", [("bb", numbered.size, numbered.token)])
    assert not storage.have_states(f"{inside}00002_", [("bb", numbered.size, numbered.token)])
    for name, stamp in (
        ("bb", replace(stamps["bb"], size=3)),
        ("bb", replace(stamps["bb"], token=stamps["bb"].token + "0")),
        ("none", stamps["a"]),
        ("circle", stamps["a"]),
        ("a/b", stamps["a"]),
    ):
        assert not storage.have_states(inside, [*asked, (name, stamp.size, stamp.token)])


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_open_folder_answers_for_files_of_others_and_keeps_what_a_storage_does_of_its_own(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    made = {str(place / "a"): LOCAL.put_stamped(place / "a", b"x") for place in (folder, other)}
    stamps = [(path, stamp.size, stamp.token) for path, stamp in made.items()]
    before = _open_files()
    with Remembers().opened(folder) as storage:
        assert storage.have_states("", stamps)
        storage.put(folder / "b", b"y")
        assert folder / "b" in Remembers.written
        shutil.rmtree(other)
        assert not storage.have_states("", stamps)
    assert _open_files() == before
    with LOCAL.opened(tmp_path / "none") as storage:
        assert storage.have_states("", stamps[:1])


def test_it_goes_to_other_processes() -> None:
    assert pickle.loads(pickle.dumps(LOCAL)) == LOCAL  # noqa: S301  (what was just written)


class Remembers(LocalStorage):
    """Of which it is known what was put into it."""

    written: set[Path] = set()  # noqa: RUF012  (of this class alone)

    def put(self, path: Path, data: bytes | memoryview, *, durable: bool = False, over_folder: bool = False) -> None:
        self.written.add(path)
        super().put(path, data, durable=durable, over_folder=over_folder)


def test_every_file_of_a_run_and_of_its_mapping_is_put_into_the_storage(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "threads", THREADS_ENGINE)  # whose workers are in this process
    bench.write_csv([*PORTRAITS[:2], "broken.png"])
    settings = bench.settings.model_copy(update={"engine": "threads"})
    before = set(bench.folder.rglob("*"))
    state = run_split(bench.split(), Recipe(), settings, RunOptions(storage=Remembers())).state
    write_split_mapping(state, settings)
    write_split_failures(state, settings)
    made = {path for path in set(bench.folder.rglob("*")) - before if path.is_file()}
    assert len(made) > 2 * 7
    assert made - Remembers.written == {state.layout.lock, state.layout.record_cache}


def test_a_version_changes_with_every_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    assert LOCAL.version(file) is None
    file.write_bytes(b"one")
    assert LOCAL.version(file) is None, "so young that another write might have the same times"
    monkeypatch.setattr(local, "_TICK_NS", 0)
    first = LOCAL.version(file)
    assert first is not None
    before = file.stat()
    LOCAL.put(file, b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert LOCAL.version(file) not in (first, None), "of one size and mtime"
    with LOCAL.opened(tmp_path) as storage:
        assert storage.version(str(file)) == LOCAL.version(file)


def test_a_database_is_had_where_a_file_can_be(tmp_path: Path) -> None:
    path = tmp_path / "a #?%.sqlite"
    assert LOCAL.database(path, to_write=False) is None
    assert LOCAL.database(tmp_path / "none" / "b", to_write=True) is None
    made = LOCAL.database(path, to_write=True)
    assert made is not None
    with closing(made):
        made.execute("CREATE TABLE t (x)")
    read = LOCAL.database(path, to_write=False)
    assert read is not None
    with closing(read), pytest.raises(sqlite3.OperationalError, match="readonly"):
        read.execute("INSERT INTO t VALUES (1)")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("to_write", [True, False])
def test_what_lies_in_a_database_s_place_is_left_alone(tmp_path: Path, *, to_write: bool) -> None:
    somebodys = tmp_path / "file"
    somebodys.write_bytes(b"somebody's")
    link, pipe, folder = tmp_path / "link", tmp_path / "pipe", tmp_path / "folder"
    link.symlink_to(somebodys)
    os.mkfifo(pipe)
    folder.mkdir()
    assert [LOCAL.database(path, to_write=to_write) for path in (link, pipe, folder)] == [None] * 3
    assert somebodys.read_bytes() == b"somebody's"
