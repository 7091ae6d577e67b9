"""Files are hashed by worker processes, which may die or hang like any other."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.settings import Settings
from relight_assets.engine import hash_files as hashing
from relight_assets.engine.execution.messages import FilesHashed, HashItem
from relight_assets.engine.hash_files import HashWorker, hash_files
from relight_assets.engine.progress import Progress, ProgressWriter, read_progress
from relight_assets.storage.files import source_token
from relight_assets_tests.conftest import sha256

pytestmark = pytest.mark.usefixtures("worker_processes")


class DiesAtTwo(HashWorker):
    """Ends where it is given the image 2."""

    def process(self, items: Iterable[HashItem]) -> Iterator[FilesHashed]:
        for item in items:
            if item.index == 2:
                os._exit(7)
            yield from super().process([item])


def hashed(folder: Path, files: dict[int, tuple[str, ...]], seen: list[Progress]) -> dict[str, Any]:
    settings = Settings(output_root=folder, hang_s=30)
    progress = ProgressWriter(folder / ".progress.json", "train", len(files), counted="images hashed")
    return hash_files(files, settings, progress, seen.append)


@pytest.fixture
def files(tmp_path: Path) -> dict[int, tuple[str, ...]]:
    for number in range(6):
        (tmp_path / f"{number}.bin").write_bytes(bytes([number]) * 1000 * number)
    return {number: (str(tmp_path / f"{number}.bin"), str(tmp_path / f"none {number}")) for number in range(6)}


def test_stamps_and_none_of_what_cannot_be_read(
    tmp_path: Path, files: dict[int, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.engine.progress.EVERY_S", 3600.0)
    found = hashed(tmp_path, files, [])
    assert found.keys() == {path for paths in files.values() for path in paths}
    for number, (path, none) in files.items():
        assert found[none] is None
        assert found[path].sha256 == sha256(Path(path))
        assert found[path].token == source_token(Path(path).stat())
        assert found[path].size == 1000 * number
    assert not (tmp_path / ".progress.json").exists()  # nothing is written of what takes less than EVERY_S


def test_a_file_that_kills_its_worker_twice_is_as_one_that_cannot_be_read(
    tmp_path: Path, files: dict[int, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "HashWorker", DiesAtTwo)
    found = hashed(tmp_path, files, [])
    assert found[files[2][0]] is None
    assert all(found[paths[0]] is not None for number, paths in files.items() if number != 2)


def test_progress_is_reported(
    tmp_path: Path, files: dict[int, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.engine.progress.EVERY_S", 0.0)
    seen: list[Progress] = []
    hashed(tmp_path, files, seen)
    assert [(progress.done, progress.total) for progress in seen] == [(number + 1, 6) for number in range(6)]
    last = read_progress(tmp_path / ".progress.json")
    assert last is not None
    assert last.counted == "images hashed"
