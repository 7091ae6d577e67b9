"""Atomic writing under faults, and left-over temp files."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relight_assets.core.atomic_io import clean_temp_files, write_atomic


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


def test_temp_files_from_the_future_go_and_what_is_no_file_of_ours_stays(tmp_path: Path) -> None:
    temp, folder, pipe = (tmp_path / f".relight-{letter * 16}.tmp" for letter in "abc")
    temp.touch()
    os.utime(temp, (4 * 10**9, 4 * 10**9))
    folder.mkdir()
    os.mkfifo(pipe)
    assert clean_temp_files(tmp_path, older_than_s=60) == 0
    assert clean_temp_files(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
