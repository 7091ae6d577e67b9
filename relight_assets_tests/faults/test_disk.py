"""A disk that is full or read-only, and a system that opens no more files: the run stops, and no image is blamed."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.publish import write_split_mapping
from relight_assets.errors import HostLimitError, OutputFolderError
from relight_assets.quality.verify.split import verify_split
from relight_assets_tests.conftest import PORTRAITS, Bench
from relight_assets_tests.faults.faulty import FaultyWorker, OwnMount, SmallFiles
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound

PHOTOS = 12


def mount(*arguments: str) -> None:
    """Mount, or skip: it takes root, and in some containers even root may not."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")


def unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)


@pytest.fixture
def small_disk(bench: FaultBench) -> Iterator[Path]:
    """A disk that holds the images of a few photos, where the outputs go."""
    place = bench.folder / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "relight-test", str(place))
    bench.settings = bench.settings.model_copy(update={"output_root": place})
    yield place
    unmount(place)


def assert_nobody_is_blamed(bench: FaultBench) -> None:
    assert not list(bench.layout.folder.glob("*_failure.json"))
    assert not list(bench.layout.folder.glob(".relight-*.tmp"))


def test_a_disk_that_fills_up(bench: FaultBench, small_disk: Path) -> None:
    bench.stock_up(PHOTOS)
    with pytest.raises(OutputFolderError, match="No space left on device"):
        bench.start()
    counts = assert_sound(bench).row_counts()
    assert counts["done"] > 0
    assert counts["pending"] > 0
    assert_nobody_is_blamed(bench)
    mount("-o", "remount,size=100m", str(small_disk))
    assert_heals(bench)


def test_a_disk_that_is_full_already(bench: FaultBench, small_disk: Path) -> None:
    bench.stock_up(2)
    bench.layout.folder.mkdir()
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"x" * (3 << 20))
    with pytest.raises(OutputFolderError, match="No space left on device"):
        bench.start()
    assert_sound(bench, pending=2)
    filler.unlink()
    assert_heals(bench)


def test_files_that_may_not_grow_so_large(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    with pytest.raises(OutputFolderError, match="File too large"):
        bench.start(SmallFiles)
    assert_sound(bench, pending=PHOTOS)
    assert_nobody_is_blamed(bench)
    assert_heals(bench)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written, not even by root, whom permission bits do not bind."""
    if os.geteuid() != 0:
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(mode)
        return
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        unmount(folder)


def test_a_folder_that_is_read_only(bench: FaultBench) -> None:
    bench.stock_up(2)
    bench.layout.folder.mkdir(parents=True)
    with read_only(bench.layout.folder):
        with pytest.raises(OutputFolderError, match="cannot be written"):
            bench.start()
        assert_sound(bench, pending=2)  # it can still be looked at
    assert_heals(bench)


def test_a_finished_split_on_a_read_only_disk_is_verified(finished: Bench, tmp_path: Path) -> None:
    made = Bench(tmp_path, finished.photos)
    made.write_csv([*PORTRAITS, "cat.png", "broken.png", ""])
    shutil.copytree(finished.layout.folder, made.layout.folder)
    write_split_mapping(made.state(), made.settings, None)
    with read_only(made.layout.folder):
        found = verify_split(made.split(), Recipe(), made.settings)
    assert found.faults == []
    assert found.images == 4


def test_a_folder_that_becomes_read_only_while_workers_write(bench: FaultBench) -> None:
    with read_only(bench.folder):
        pass  # skips where nothing can be mounted
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    bench.stock_up(PHOTOS, {9: "readonly"})
    with pytest.raises(OutputFolderError, match="Read-only file system"):
        bench.start(OwnMount, cpu_workers=1, batch=1)  # so that not all images are at hand when that happens
    counts = assert_sound(bench).row_counts()
    assert counts["done"] > 0
    assert counts["pending"] > 0
    assert not list(bench.layout.folder.glob("*_failure.json"))
    assert_heals(bench)


def test_a_worker_that_can_open_no_more_files(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS, {9: "files"})
    with pytest.raises(HostLimitError, match="too many open files"):
        bench.start(FaultyWorker, cpu_workers=1, batch=1)
    counts = assert_sound(bench).row_counts()
    assert counts["done"] > 0
    assert counts["pending"] > 0
    assert_nobody_is_blamed(bench)
    assert_heals(bench)


def test_a_run_that_can_open_no_more_files(bench: FaultBench) -> None:
    bench.stock_up(PHOTOS)
    free = os.dup(0)
    os.close(free)
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 6, allowed[1]))  # the lock and a worker's pipes, no more
    try:
        with pytest.raises(HostLimitError, match="too many open files"):
            bench.start(cpu_workers=8)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
    assert_sound(bench, pending=PHOTOS)
    assert_nobody_is_blamed(bench)
    assert_heals(bench)
