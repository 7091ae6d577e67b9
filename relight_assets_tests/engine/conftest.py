"""A disk on which a split was run, and a copy of it under the same path."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.engine.disks import ONE, THREE, TWO, Disk
from relight_assets_tests.engine.nvidia import Libraries


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Libraries:
    """The libraries of an NVIDIA driver, built from C."""
    return Libraries(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Disk:
    """Three photos beside their CSV, which was run; to be copied, not to be changed."""
    disk = Disk(tmp_path_factory.mktemp("first") / "disk")
    for number, name in enumerate((ONE, TWO, THREE), start=1):
        disk.photo(f"a/{number}.png", photos / name)
    disk.csv("a", ["1.png", "2.png", "3.png"])
    assert disk.run().tally.computed_images == 3
    return disk


@pytest.fixture
def disk(first: Disk, tmp_path: Path) -> Iterator[Disk]:
    """A disk like the first, under the same path: what only a copy could do to it is not meant here."""
    away = first.root.with_name("away")
    first.root.rename(away)
    shutil.copytree(away, first.root, copy_function=os.link)
    for path in first.root.rglob("*.png"):
        _own(path)
    for path in (*first.root.rglob("*.csv"), *first.root.rglob("*.json")):
        _own(path)
    disk = Disk(first.root)
    disk.run()  # the copies have other inodes, which are adopted
    yield disk
    shutil.rmtree(first.root)
    away.rename(first.root)


def _own(path: Path) -> None:
    copy = path.with_suffix(".copy")
    shutil.copy2(path, copy)
    copy.replace(path)
