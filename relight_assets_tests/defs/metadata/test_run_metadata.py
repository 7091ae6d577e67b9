"""What a materialization says of its run, by the numbers of a run that is made up and of a split that was run."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from relight_assets import __version__
from relight_assets.config.recipe.degradation import family_names
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import canonical_digest
from relight_assets.dataset.records import read_record
from relight_assets.defs.metadata.run_metadata import (
    RunRecords,
    counts,
    data_version,
    numbers,
    provenance,
    row_numbers,
    totals,
)
from relight_assets.defs.metadata.warnings import Warnings
from relight_assets.engine.run import RunSummary
from relight_assets.engine.tally import DeviceTally, Tally
from relight_assets.quality import sample
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import Bench, recipe_with


class Log:
    def __init__(self) -> None:
        self.reported: list[str] = []

    def warning(self, text: str) -> None:
        self.reported.append(text)


@pytest.fixture
def summary(finished: Bench) -> RunSummary:
    """Of a run of two images on two devices, one of which was lost, after which the split stands as it does."""
    tally = Tally()
    for outcome, code in (("computed", None), ("computed", None), ("reused", None), ("failed", "no_person")):
        tally.add(dict.fromkeys(stage_names(), outcome), code)
    devices = {
        "gpu 0": DeviceTally(2, Counter({"decode": 0.5, "segment": 1.0, "masks": 2.0}), 1, False, 900, 4000),
        "gpu 1": DeviceTally(0, Counter(), 3, True, 1100, 3000),
    }
    return RunSummary(tally, finished.state(), num_samples=None, wall_s=4.0, devices=devices, threads=2)


def total(summary: RunSummary) -> dict[str, Any]:
    log = Log()
    found = totals(summary, RunRecords.of(summary), Warnings(log))
    assert log.reported == []
    return found


def test_counts_are_those_of_the_stage_with_every_outcome(summary: RunSummary) -> None:
    expected = {"images": 4, "computed": 2, "reused": 1, "failed": 1, "rejected": 0, "pending": 0}
    assert counts(summary, "masks") == expected | {"failures_by_code": {"no_person": 1}}
    del summary.tally.codes["no_person"]
    assert counts(summary, "masks") == expected


@pytest.fixture
def sums() -> RunRecords:
    """What the records of two images say."""
    records = RunRecords()
    for coverage, family, strength in ((0.2, "specular", 0.25), (0.3, "hard_shadow", 0.5)):
        records.sums.stages["masks"].add({"coverage": coverage})
        records.sums.stages["degraded"].add({"degradation_type": family, "strength": strength})
        records.sums.families[family] += 1
    return records


def test_means_are_over_the_images_that_have_the_number(sums: RunRecords) -> None:
    assert numbers(sums, "masks")["mean_coverage"] == 0.25
    assert numbers(sums, "degraded")["mean_strength"] == 0.375


def test_every_family_has_its_share_and_one_that_was_not_drawn_has_none(sums: RunRecords) -> None:
    shares = {name: value for name, value in numbers(sums, "degraded").items() if name.startswith("share_")}
    drawn = {"hard_shadow": 0.5, "specular": 0.5}
    assert shares == {f"share_{name}": drawn.get(name, 0.0) for name in family_names()}
    assert not [name for name in numbers(sums, "masks") if name.startswith("share_")]
    sums.sums.families.clear()
    assert not [name for name in numbers(sums, "degraded") if name.startswith("share_")]


def test_the_means_are_those_of_the_records_that_the_run_was_asked_for(summary: RunSummary, finished: Bench) -> None:
    found = [read_record(finished.layout.record(index)) for index in range(4)]
    coverages = [record.stages["masks"].numbers["coverage"] for record in found if record is not None]
    whole, first = RunRecords.of(summary), RunRecords.of(replace(summary, num_samples=2))
    assert numbers(whole, "masks")["mean_coverage"] == pytest.approx(sum(coverages) / 4, abs=1e-4)
    assert numbers(first, "masks")["mean_coverage"] == pytest.approx(sum(coverages[:2]) / 2, abs=1e-4)


def test_of_many_images_statistics_are_of_a_sample_and_counts_and_versions_of_all(
    summary: RunSummary, finished: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RunRecords.of(summary)
    assert "statistics" not in total(summary)
    monkeypatch.setattr(sample, "SAMPLE_IMAGES", 2)
    found = RunRecords.of(summary)
    records = [read_record(finished.layout.record(index)) for index in found.sample.numbers]
    coverages = [record.stages["masks"].numbers["coverage"] for record in records if record is not None]
    assert len(coverages) == 2
    assert numbers(found, "masks")["mean_coverage"] == pytest.approx(sum(coverages) / 2, abs=1e-4)
    assert {each.index for each in found.measured} == found.sample.numbers
    assert total(summary)["statistics"] == (
        "of a random sample of 2 of 4 images: means, shares, tags, seconds, charts and worst images"
    )
    for stage in stage_names():
        assert data_version(found, stage) == data_version(whole, stage)
    spent = sum(sum(record.timings_ms.values()) for record in records if record is not None)
    assert sum(total(summary)["seconds_by_stage"].values()) == pytest.approx(2 * spent / 1000, abs=0.1)
    first = RunRecords.of(replace(summary, num_samples=1))
    assert first.sums.stages["masks"].counts["coverage"] == 1, "of the rows that were asked for there are few"


def test_rows_times_and_memory_are_those_of_the_split_and_the_run(summary: RunSummary, finished: Bench) -> None:
    found, rows = total(summary), row_numbers(summary)
    assert (rows["rows"], rows["rows_done"], rows["rows_failed"], rows["rows_rejected"]) == (7, 4, 2, 1)
    assert rows["rows"] == sum(value for name, value in rows.items() if name.startswith("rows_"))
    assert (found["orphans"], found["workers"]) == (0, 1)  # of two places one was lost
    assert (found["images_per_s"], found["wall_s"]) == (0.5, 4.0)  # two were computed
    assert (found["worker_peak_mib"], found["gpu_peak_mib"]) == (1100, 4000)
    assert found["output_folder"].value == str(finished.layout.folder)


def test_seconds_are_those_of_the_records_whenever_they_were_made(summary: RunSummary, finished: Bench) -> None:
    records = [read_record(finished.layout.record(index)) for index in finished.layout.numbers("metadata.json")]
    spent: Counter[str] = Counter()
    for record in records:
        assert record is not None
        spent.update(record.timings_ms)
    assert len(records) == 4
    found = total(summary)["seconds_by_stage"]
    assert found == {name: pytest.approx(milliseconds / 1000, abs=0.006) for name, milliseconds in spent.items()}
    assert set(found) >= {"decode", *stage_names(), "encode"}


def test_the_lines_of_devices_show_one_that_lags_behind_and_one_that_was_lost(summary: RunSummary) -> None:
    # Of 4 s, the segmenter was busy for 1 s, and two threads for 2 s together.
    assert total(summary)["devices"].value.splitlines() == [
        "- gpu 0: 2 images, 0.50 images/s, segmenter busy 25%, threads 25%, replaced 1 time, 900 MiB, GPU 4,000 MiB",
        (
            "- gpu 1 (lost): 0 images, 0.00 images/s, segmenter busy 0%, threads 0%, replaced 3 times, 1,100 MiB, "
            "GPU 3,000 MiB"
        ),
    ]


def test_a_run_with_nothing_to_do_has_no_devices_and_no_memory(summary: RunSummary) -> None:
    found = total(replace(summary, devices={}, wall_s=0.0))
    assert found["workers"] == found["images_per_s"] == 0
    assert not {"devices", "worker_peak_mib", "gpu_peak_mib"} & found.keys()


def test_the_data_version_of_a_stage_changes_with_what_is_current(finished: Bench, summary: RunSummary) -> None:
    other = replace(summary, state=finished.state(recipe_with(background={"gray_color": [1, 2, 3]})))
    here, there = RunRecords.of(summary), RunRecords.of(other)
    assert data_version(here, "masks") == data_version(there, "masks")
    assert data_version(there, "composites") == canonical_digest({})  # none is current under the other recipe
    versions = {stage: data_version(here, stage) for stage in stage_names()}
    assert len(set(versions.values())) == len(stage_names())
    assert versions == {stage: data_version(RunRecords.of(summary), stage) for stage in stage_names()}


def test_the_provenance_is_of_the_recipe_the_stage_s_part_of_it_and_its_models(finished: Bench) -> None:
    def of(stage: str, recipe: Recipe) -> dict[str, Any]:
        return provenance([stage], recipe, finished.settings)

    gray, other = Recipe(), recipe_with(background={"gray_color": [1, 2, 3]})
    assert of("masks", gray)["package_version"] == __version__
    assert of("masks", gray)["recipe_digest"] == of("composites", gray)["recipe_digest"]
    assert of("masks", gray)["recipe_digest"] != of("masks", other)["recipe_digest"]
    assert of("masks", gray)["stage_recipe_digest"] == of("masks", other)["stage_recipe_digest"]
    assert of("composites", gray)["stage_recipe_digest"] != of("composites", other)["stage_recipe_digest"]
    assert [stage for stage in stage_names() if "model_digest" in of(stage, gray)] == ["masks", "albedo", "degraded"]
    assert of("masks", gray)["model_digest"] != of("degraded", gray)["model_digest"]
