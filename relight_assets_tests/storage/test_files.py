"""Atomic writing under faults, and left-over temp files."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from relight_assets.errors import PathRefusedError, SourceMissingError
from relight_assets.storage.files import (
    PlaceTakenError,
    clean_temp_files,
    holds,
    output_token,
    read_regular,
    remove_output,
    same_token,
    source_token,
    stamp_source,
    write_atomic,
    write_output,
    write_stamped,
)


@pytest.mark.parametrize("durable", [False, True])
def test_write_and_overwrite(durable: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_atomic(path, b"one", durable=durable)
    write_atomic(path, memoryview(b"two"), durable=durable)
    assert path.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_blocks_are_written_as_they_come_and_what_they_raise_leaves_the_old_file(tmp_path: Path) -> None:
    def blocks(fault: Exception | None) -> Iterator[bytes]:
        yield b"one, "
        if fault is not None:
            raise fault
        yield b"two"

    path = tmp_path / "a.csv"
    write_atomic(path, blocks(None), durable=True)
    assert path.read_bytes() == b"one, two"
    with pytest.raises(ValueError, match="no more"):
        write_atomic(path, blocks(ValueError("no more")))
    assert path.read_bytes() == b"one, two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_holds_exactly_these_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"one, two")
    assert holds(path, [b"one,", b" two"])
    assert holds(path, [b"one, two", b""])
    for other in ([b"one,"], [b"one, two", b"x"], [b"one; two"], []):
        assert not holds(path, other)
    os.mkfifo(tmp_path / "pipe")
    assert not holds(tmp_path / "pipe", [])
    with pytest.raises(FileNotFoundError):
        holds(tmp_path / "none", [])


def test_a_folder_cannot_be_read_and_a_pipe_is_none(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "pipe") is None


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    real, size = os.fstat, 3

    def smaller(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[6] = size
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", smaller)
    assert read_regular(path) == b"12345"


def fail_with(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("call", ["open", "fdopen", "fsync", "replace"])
@pytest.mark.parametrize("number", [28, 13, 30, 122])  # ENOSPC, EACCES, EROFS, EDQUOT
def test_a_fault_leaves_the_old_file_alone(
    call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail_with(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        write_atomic(path, b"new", durable=True)
    monkeypatch.undo()
    assert caught.value.errno == number
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        Path("/dev/full").write_bytes(b"x" * 100_000)  # what the system raises, and when
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "gone" / "a.png", b"new")


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a.png", b"new")
    assert [path.name for path in tmp_path.iterdir()] == []


def test_stamps_agree(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    data = b"x" * 3_000_001
    stamp = write_stamped(path, data)
    assert replace(stamp_source(path), token=stamp.token) == stamp
    assert stamp.sha256 == hashlib.sha256(data).hexdigest()
    assert stamp.token == str(path.stat().st_mtime_ns)


def test_stamp_refusals(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PathRefusedError):
        stamp_source(tmp_path / "pipe")
    with pytest.raises(SourceMissingError):
        stamp_source(tmp_path / "gone")


def test_clean_takes_only_our_own_left_overs(tmp_path: Path) -> None:
    ours = tmp_path / ".relight-0123456789abcdef.tmp"
    others = [tmp_path / name for name in (".vim.tmp", "a.tmp", "00000_input.png", ".relight-x.tmp")]
    for path in (ours, *others):
        path.write_bytes(b"")
    assert clean_temp_files(tmp_path, older_than_s=60) == 0
    os.utime(ours, (time.time() - 100, time.time() - 100))
    assert clean_temp_files(tmp_path, older_than_s=60) == 1
    assert clean_temp_files(tmp_path) == 0
    assert sorted(tmp_path.iterdir()) == sorted(others)
    assert clean_temp_files(tmp_path / "gone") == 0


def test_a_source_written_over_in_place_has_another_token_whatever_its_mtime(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    os.utime(path, (10**9, 10**9))
    before = source_token(path.stat())
    assert same_token(before, path.stat())
    assert same_token(str(10**18), path.stat())  # as the first version recorded it
    path.write_bytes(b"two")
    os.utime(path, (10**9, 10**9))
    assert not same_token(before, path.stat())
    other = tmp_path / "b.jpg"
    other.write_bytes(b"new")
    os.utime(other, (10**9, 10**9))
    other.replace(path)
    assert not same_token(before, path.stat())


def test_a_hard_link_changes_no_token_of_an_output(tmp_path: Path) -> None:
    stamp = write_stamped(tmp_path / "a.png", b"x")
    (tmp_path / "b.png").hardlink_to(tmp_path / "a.png")
    assert output_token((tmp_path / "b.png").stat()) == stamp.token
    assert same_token(stamp.token, (tmp_path / "a.png").stat())


def test_temp_files_from_the_future_go_and_what_is_no_file_of_ours_stays(tmp_path: Path) -> None:
    temp, folder, pipe = (tmp_path / f".relight-{letter * 16}.tmp" for letter in "abc")
    temp.touch()
    os.utime(temp, (4 * 10**9, 4 * 10**9))
    folder.mkdir()
    os.mkfifo(pipe)
    assert clean_temp_files(tmp_path, older_than_s=60) == 0
    assert clean_temp_files(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "a") == b"x" * 3_000_000
    assert read_regular(tmp_path / "pipe") is None
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)


# -- what stands in a file's place ---------------------------------------------------------------------------------


def test_an_output_replaces_what_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "00000_output.png"
    for make in (Path.mkdir, os.mkfifo, lambda place: place.symlink_to(place.name), lambda place: place.touch()):
        make(path)
        write_output(path, b"ours")
        assert path.read_bytes() == b"ours"
        assert not path.is_symlink()
        path.unlink()
        make(path)
        remove_output(path)
        assert not os.path.lexists(path)
    remove_output(path)
    assert list(tmp_path.iterdir()) == []


def test_an_output_never_replaces_a_folder_that_holds_something(tmp_path: Path) -> None:
    path = tmp_path / "00000_output.png"
    path.mkdir()
    (path / "theirs").touch()
    with pytest.raises(PlaceTakenError) as told:
        write_output(path, b"ours")
    assert told.value.filename == str(path)
    with pytest.raises(PlaceTakenError):
        remove_output(path)
    assert [each.name for each in tmp_path.rglob("*")] == [path.name, "theirs"]


def test_a_link_to_a_folder_is_removed_and_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "00000_output.png"
    link.symlink_to("folder")
    remove_output(link)
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_file_larger_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular(path, max_bytes=5) == b"12345"
    assert read_regular(path, max_bytes=4) is None
