"""The daemon is killed, alone or with all that it started, while a run is at work and another one waits for it.

The workers of the run at work are stopped until we have seen what we came for, so that it is at work all the while.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.conftest import Project
from relight_assets_tests.faults.at_work import SOME, AtWork, Clock, Split, at_work, project_of_splits, send
from relight_assets_tests.faults.dagster_process import RelightDev, ServersByThemselves, started
from relight_assets_tests.faults.processes import processes_of, tree_of, wait_until, workers_in

pytestmark = pytest.mark.servers

MANY, MORE, FEW = "many", "more", "few"
IMAGES = {MANY: 40, MORE: 40, FEW: 4}


@pytest.fixture(scope="module")
def by_dev(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    return project_of_splits(tmp_path_factory.mktemp("by_dev"), photos, {name: IMAGES[name] for name in (MANY, FEW)})


@pytest.fixture(scope="module")
def dev(by_dev: Project) -> Iterator[RelightDev]:
    with started(RelightDev(by_dev.root)) as made:
        yield made


@pytest.fixture(scope="module")
def by_themselves(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    return project_of_splits(tmp_path_factory.mktemp("by_themselves"), photos, IMAGES)


@pytest.fixture(scope="module")
def servers(by_themselves: Project) -> Iterator[ServersByThemselves]:
    with started(ServersByThemselves(by_themselves.root)) as made:
        for name in IMAGES:
            made.add_split(name)
        yield made


def splits_of(project: Project, *names: str) -> list[Split]:
    return [Split(project, name, IMAGES[name]) for name in names]


def test_kill_9_of_the_daemon_of_relight_dev(dev: RelightDev, by_dev: Project) -> None:
    many, few = splits_of(by_dev, MANY, FEW)
    work = at_work(dev, many, then=FEW)
    send(workers_in(work.tree), signal.SIGSTOP)
    session = work.tree[0].session
    clock = Clock("kill -9 of the daemon", dev)

    send([dev.daemon()], signal.SIGKILL)

    assert wait_until(lambda: dev.ended) is not None, dev.tail()  # and the UI with it
    clock.tell("relight dev was gone")
    assert all(process.alive for process in work.tree)  # its code server lives as long as the run does
    dev.start()
    assert [dev.status(run) for run in (work.run, work.queued)] == ["STARTED", "QUEUED"]
    assert dev.pool() == ({work.run}, set())

    clock = Clock("after the start, with the workers going on", dev)
    send(workers_in(work.tree), signal.SIGCONT)
    clock.reaches(work.run, "SUCCESS")
    many.assert_finished()
    clock.reaches(work.queued, "SUCCESS")
    few.assert_finished()
    assert wait_until(lambda: not processes_of(session)) is not None, processes_of(session)
    clock.tell("nothing was left of the servers before")


def launch_two(servers: ServersByThemselves, split: Split, then: str) -> AtWork:
    """A run at work and one that is launched after it, so that it waits in the queue on a new instance too."""
    run = servers.launch(split.name)
    assert wait_until(lambda: len(split.complete()) >= SOME) is not None, servers.tail()
    tree = tree_of(servers.process_of(run))
    send(workers_in(tree), signal.SIGSTOP)
    return AtWork(run, servers.launch(then), tree)


def test_kill_9_of_the_daemon_by_itself(servers: ServersByThemselves, by_themselves: Project) -> None:
    many, few = splits_of(by_themselves, MANY, FEW)
    work = launch_two(servers, many, then=FEW)
    clock = Clock("kill -9 of the daemon by itself", servers)

    send([servers.daemon()], signal.SIGKILL)
    send(workers_in(work.tree), signal.SIGCONT)

    clock.reaches(work.run, "SUCCESS")  # nothing but the daemon is gone
    many.assert_finished()
    assert servers.status(work.queued) == "QUEUED"  # it is the daemon that starts runs
    clock = Clock("after the daemon's start", servers)
    servers.start_daemon()
    clock.moves_on(work)
    clock.reaches(work.queued, "SUCCESS")
    few.assert_finished()


def test_kill_9_of_the_daemon_and_all_it_started(servers: ServersByThemselves, by_themselves: Project) -> None:
    """As a service manager does that ends what is left of a service before it starts it again."""
    (more,) = splits_of(by_themselves, MORE)
    work = launch_two(servers, more, then=MORE)

    servers.kill_daemon_and_its_children()
    assert servers.status(work.run) == "STARTED"
    more.assert_whole()
    clock = Clock("after the daemon's start", servers)
    servers.start_daemon()

    clock.reaches(work.run, "FAILURE")
    assert any("The process of this run is gone" in reported for reported in servers.messages(work.run))
    clock.moves_on(work)
    clock.reaches(work.queued, "SUCCESS")
    more.assert_finished()
