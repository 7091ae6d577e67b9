"""What two projects in one instance see of each other: nothing, though their splits and CSVs are alike."""

from collections.abc import Iterator

import dagster as dg
import pytest

from relight_assets.defs.automation.dead_runs import close_abandoned_runs
from relight_assets.defs.automation.run_requests import RUN_KEY, LastRequest
from relight_assets.defs.names import JOBS, OWN, Names
from relight_assets.defs.runs.unfinished import is_under_way, latest_run

STUDIO, STREET = Names("studio"), Names("street")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def run_of(instance: dg.DagsterInstance, names: Names, **tags: str) -> dg.DagsterRun:
    @dg.job(name=names.of("relight_split"))
    def empty() -> None: ...

    return instance.create_run_for_job(empty, tags={"dagster/partition": "train", **tags})


def test_a_prefix_begins_every_name_and_without_one_names_are_plain() -> None:
    assert (STUDIO.of("sweep"), STUDIO.key("recipe", "masks").path) == ("studio_sweep", ["studio", "recipe", "masks"])
    assert (OWN.of("sweep"), OWN.key("recipe", "masks").path) == ("sweep", ["recipe", "masks"])
    assert (STUDIO.pool, OWN.pool) == ("gpu", "gpu")


@pytest.mark.parametrize("job", JOBS)
def test_a_run_of_a_job_is_of_the_project_of_its_prefix(job: str) -> None:
    run = dg.DagsterRun(job_name=STUDIO.of(job))
    assert [names.owns(run) for names in (STUDIO, STREET, OWN)] == [True, False, True]


def test_a_run_of_assets_is_of_the_project_of_their_prefix() -> None:
    run = dg.DagsterRun(job_name="__ASSET_JOB", asset_selection={STUDIO.key("masks")})
    assert [names.owns(run) for names in (STUDIO, STREET, OWN)] == [True, False, True]
    assert not STUDIO.owns(dg.DagsterRun(job_name="__ASSET_JOB"))


def test_a_run_of_another_project_keeps_no_split_of_the_same_name_back(instance: dg.DagsterInstance) -> None:
    mine = run_of(instance, STREET)
    instance.report_run_canceled(mine)
    for _ in range(25):  # more than are read at once
        theirs = run_of(instance, STUDIO)
    assert [is_under_way(instance, "train", names) for names in (STUDIO, STREET)] == [True, False]
    assert [latest_run(instance, "train", names) for names in (STUDIO, STREET)] == [theirs.run_id, mine.run_id]
    assert latest_run(instance, "train", Names("other")) is None


def test_a_csv_of_the_same_content_is_requested_by_both(instance: dg.DagsterInstance) -> None:
    request = LastRequest("0" * 64)
    instance.report_run_canceled(run_of(instance, STUDIO, **{RUN_KEY: request.key("train", STUDIO)}))
    assert request.unused(instance, "train", STUDIO).generation == 2
    assert request.unused(instance, "train", STREET) == request
    assert request.for_dagster("train", STREET).run_key == f"street_train:{'0' * 16}:1"


def test_dead_runs_of_others_are_left_to_them(instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.set_concurrency_slots("gpu", 2)
    ended = {names.prefix: run_of(instance, names) for names in (STUDIO, STREET)}
    for run in ended.values():
        assert instance.event_log_storage.claim_concurrency_slot("gpu", run.run_id, "relight_images").is_claimed
        instance.report_run_canceled(run)
    close_abandoned_runs(instance, STUDIO)
    assert instance.event_log_storage.get_concurrency_info("gpu").active_run_ids == {ended["street"].run_id}
