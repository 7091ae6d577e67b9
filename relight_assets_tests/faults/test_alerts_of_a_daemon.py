"""A real `relight dev` with a webhook: its daemon tells of a failed run, of failed checks and of a dead run."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from relight_assets.defs.jobs.jobs import jobs_of
from relight_assets_tests.conftest import Project, make_project
from relight_assets_tests.faults.dagster_process import RelightDev, started
from relight_assets_tests.faults.processes import files_of_now, require_servers, wait_until
from relight_assets_tests.receiver import SECRETS, Receiver, receiving

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    require_servers()
    made = make_project(tmp_path_factory.mktemp("alerting"), photos)
    (made.root / "config" / "platform.yaml").write_text("cpu_workers: 1\nthreads: 1\nwatch: false\n")
    made.write_csv("train", ["cat.png"])
    made.write_csv("gone", ["cat.png"])
    return made


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[str, Receiver]]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def dev(project: Project, receiver: tuple[str, Receiver]) -> Iterator[RelightDev]:
    reported = {"RELIGHT_ALERT_WEBHOOK": receiver[0], "NO_PROXY": "127.0.0.1"}
    with started(RelightDev(project.root, reported)) as made:
        yield made
    assert made.exit_code == 0, made.tail()


def arrived(receiver: Receiver, run: str, event: str) -> list[dict[str, Any]]:
    return [document for document in receiver.documents if (document["run_id"], document["event"]) == (run, event)]


def begun(project: Project) -> bool:
    """Whether both sensors had their first tick: they tell of what happens after it."""
    with dg.DagsterInstance.from_config(str(project.root / ".dagster_home")) as instance:
        states = {state.name: state.instigator_data for state in instance.all_instigator_state()}
        return all(getattr(states.get(name), "cursor", None) for name in ("alert_run_failed", "alert_check_failed"))


def test_a_failed_run_and_a_failed_check_arrive(
    dev: RelightDev, project: Project, receiver: tuple[str, Receiver]
) -> None:
    _, received = receiver
    assert wait_until(lambda: begun(project)) is not None, dev.tail()
    (project.data / "gone_images.csv").unlink()
    failing, warning = dev.launch("gone"), dev.launch("train")
    ended: dict[str, float] = {}
    for run, status, event in ((failing, "FAILURE", "run_failed"), (warning, "SUCCESS", "check_failed")):
        assert wait_until(lambda run=run, status=status: dev.status(run) == status) is not None, dev.messages(run)
        ended[run] = time.monotonic()
        assert wait_until(lambda run=run, event=event: arrived(received, run, event)) is not None, dev.tail()
        print(f"{event}: reported {time.monotonic() - ended[run]:.1f} s after the run was seen to have ended")
    (of_run,) = arrived(received, failing, "run_failed")
    assert (of_run["split"], of_run["job"]) == ("gone", "__ASSET_JOB")
    assert of_run["message"].startswith("the split `gone` has no CSV in")
    (of_check,) = arrived(received, warning, "check_failed")
    assert of_check["split"] == "train"
    (check,) = of_check["checks"]
    assert (check["name"], check["severity"]) == ("failure_rate", "WARN")
    assert check["numbers"] == {"failed_share": 1.0, "failures_by_code": {"no_person": 1}}
    assert len(received.documents) == 2


def test_a_run_whose_process_is_gone_is_closed_and_reported(
    dev: RelightDev, project: Project, receiver: tuple[str, Receiver]
) -> None:
    home = project.root / ".dagster_home"
    (verify,) = (job for job in jobs_of() if job.name == "verify")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        dead = instance.create_run_for_job(
            verify, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "train"}
        ).run_id
    (home / "relight_runs" / f"{dead}.steps.lock").touch()  # what a kill -9 leaves behind
    left = time.monotonic()
    assert wait_until(lambda: dev.status(dead) == "FAILURE") is not None, dev.tail()
    print(f"a dead run was closed after {time.monotonic() - left:.1f} s")
    _, received = receiver
    assert wait_until(lambda: arrived(received, dead, "run_failed")) is not None, dev.tail()
    print(f"and reported after {time.monotonic() - left:.1f} s")
    assert "The process of this run is gone" in arrived(received, dead, "run_failed")[0]["message"]


def test_neither_its_log_nor_its_home_shows_the_address(
    dev: RelightDev, project: Project, receiver: tuple[str, Receiver]
) -> None:
    kept = files_of_now(project.root / ".dagster_home")
    assert "runs.db" in {path.name for path in kept}
    for path in (dev.log, *kept):
        with suppress(FileNotFoundError):  # gone since it was listed
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in SECRETS), path
