"""kill -9 of `forget` at many moments: the next call finishes, and meanwhile nobody takes anything of the photo."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets.dataset.tombstones import read_tombstones
from relight_assets_tests.conftest import assert_records_tell_the_truth
from relight_assets_tests.faults.one_file import refusing
from relight_assets_tests.faults.processes import clean_environment
from relight_assets_tests.faults.seam import in_a_child
from relight_assets_tests.forgetting.world import (
    EXPERIMENT,
    NUMBER,
    PHOTO,
    World,
    assert_forgotten,
    copied,
    count_changes,
    die_before_change,
    pairs_of,
)

MOMENTS = 10
"""At which a call is killed, evenly from the first change to the last."""


@pytest.fixture(scope="module")
def changes(made_world: World) -> int:
    """Removals and renames of a call that nobody kills."""
    with copied(made_world) as copy:
        told = copy.root / "changes"
        assert not in_a_child(lambda _: count_changes(lambda: copy.forget(copy.sha256), told))
        return int(told.read_text())


def killed(world: World, nth: int, *photos: str) -> bool:
    def work(_: object) -> None:
        die_before_change(nth)
        world.forget(*photos)

    return in_a_child(work)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_the_next_call_finishes(world: World, changes: int, moment: int) -> None:
    photo, made = world.sha256, world.made_of(world.sha256)
    nth = 1 + round((changes - 1) * moment / (MOMENTS - 1))
    assert killed(world, nth, photo)
    if photo in read_tombstones(world.settings.output_root):
        assert world.state().row_counts()["rejected"] == 1
        assert all(PHOTO not in name for name in pairs_of(world.export("jsonl").folder))
        assert world.forget().left == []
    else:  # killed before the list was written: nothing else has changed
        assert world.made_of(photo) == made
        assert world.forget(photo).left == []
    assert_forgotten(world, photo, made)
    assert_records_tell_the_truth(world.layout())
    assert world.forget().went == {}


def test_killed_again_and_again(world: World, changes: int) -> None:
    photo, made = world.sha256, world.made_of(world.sha256)
    step = max(2, changes // 10)
    rounds = 0
    while killed(world, step, *([] if rounds else [photo])):
        rounds += 1
        assert rounds < changes
    assert rounds > 5
    assert_forgotten(world, photo, made)


def test_a_run_between_kill_and_next_call_makes_nothing_of_it(world: World, changes: int) -> None:
    photo, made = world.sha256, world.made_of(world.sha256)
    assert killed(world, changes // 2, photo)
    for split, experiment in (("train", None), ("val", None), ("train", EXPERIMENT)):
        assert world.run(split, experiment, retry_failed=True).row_counts()["rejected"] == 1
    assert world.forget().left == []
    assert_forgotten(world, photo, made)


COMMAND = """
import sys
from relight_assets_tests.forgetting.world import die_before_change
die_before_change(int(sys.argv.pop(1)))
from relight_assets.__main__ import main
sys.exit(main())
"""


def relight(world: World, *arguments: str, nth: int = 10**9) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, which dies before its ``nth`` change."""
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", COMMAND, str(nth), *arguments],
        cwd=world.root,
        env={**clean_environment(), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_itself(world: World, changes: int) -> None:
    photo, made = world.sha256, world.made_of(world.sha256)
    killed = relight(world, "forget", str(world.photos / PHOTO), nth=changes // 3)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = relight(world, "forget")
    assert finished.returncode == 0, finished.stderr
    assert "proof: in " in finished.stdout
    assert_forgotten(world, photo, made)


def test_a_disk_that_takes_nothing_more(world: World, tmp_path: Path) -> None:
    """What the system refuses is one sentence each; the record that tells whose the rest is stays."""
    photo, made = world.sha256, world.made_of(world.sha256)
    refused = refusing(tmp_path, ("unlink", "00001_albedo.png", errno.EROFS))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in refused.items():
            patch.setenv(name, value)
        left = relight(world, "forget", photo)
    assert left.returncode == 1, left.stdout
    assert "00001_albedo.png: Read-only file system" in left.stderr
    assert "Traceback" not in left.stderr
    assert world.layout().record(NUMBER).exists()
    assert not world.layout().png(NUMBER, "input").exists()
    assert relight(world, "forget").returncode == 0
    assert_forgotten(world, photo, made)


def test_an_output_folder_that_takes_no_list_is_left_as_it_is(world: World, tmp_path: Path) -> None:
    before = world.files()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in refusing(tmp_path, ("rename", "forgotten.csv", errno.EROFS)).items():
            patch.setenv(name, value)
        refused = relight(world, "forget", world.sha256)
    assert refused.returncode == 2
    assert "forgotten.csv cannot be written: Read-only file system. Nothing was removed." in refused.stderr
    after = world.files()
    assert {name: after[name] for name in before} == before
