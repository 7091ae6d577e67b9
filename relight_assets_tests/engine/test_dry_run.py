"""What a dry run says: it names the cause, a run does what it says, and it writes nothing."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.dry_run import RENAMED, DryRun, dry_run
from relight_assets.engine.run import RunOptions
from relight_assets.errors import OtherPhotosError
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, recipe_with, rewrite_record


def planned(bench: Bench, recipe: Recipe | None = None, **options: Any) -> DryRun:
    before = contents(bench.folder)
    found = dry_run(bench.split(), recipe or Recipe(), bench.settings, RunOptions(**options))
    assert contents(bench.folder) == before
    return found


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def reasons(found: DryRun) -> dict[Stage, dict[str, int]]:
    return {stage: dict(counts) for stage, counts in found.reasons.items() if counts}


def test_new_rows_are_new_photos_and_nothing_is_written(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    found = planned(bench)
    assert reasons(found) == {stage: {"new photo": 2} for stage in stage_names()}
    assert (found.images, found.rows, found.mapping_is_current) == (2, 2, False)
    assert not bench.layout.folder.exists()


def test_a_finished_split_has_nothing_to_do(own: Bench) -> None:
    found = planned(own)
    assert (found.images, reasons(found)) == (0, {})


def test_a_key_of_the_recipe_is_named_as_the_recipe_has_it_with_both_values(own: Bench) -> None:
    gray = recipe_with(background={"gray_color": [90, 100, 110]})
    found = planned(own, gray)
    why = "recipe: background.gray_color [128, 128, 128] -> [90, 100, 110]"
    assert reasons(found) == {"composites": {why: 4}}
    assert computed(own.run(gray)) == {"masks": 0, "albedo": 0, "degraded": 0, "composites": 4}
    linear = planned(own, recipe_with(background={"blend": "linear", "gray_color": [90, 100, 110]}))
    assert reasons(linear)["masks"]['recipe: background.blend "srgb" -> "linear"'] == 4  # part of the masks, too
    assert set(reasons(linear)["albedo"]) >= {"follows masks"}


def test_a_stage_that_follows_is_named_with_what_it_follows(own: Bench) -> None:
    found = reasons(planned(own, recipe_with(seed=7)))
    assert found["degraded"] == {"recipe: seed 0 -> 7": 4}
    assert found["composites"] == {"follows degraded": 4}


def test_only_the_first_keys_are_named_and_the_others_counted(own: Bench) -> None:
    sections = {"soft_shading": {"weight": 0.4}, "hard_shadow": {"weight": 0.2, "min_strength": 0.4}}
    (why,) = reasons(planned(own, recipe_with(seed=7, degradation=sections)))["degraded"]
    assert why.count(" -> ") == 3
    assert why.startswith("recipe: ")
    assert why.endswith(" and 1 keys more")


def test_another_code_version_is_named(own: Bench) -> None:
    rewrite_record(own.layout.record(1), lambda data: data["stages"]["albedo"].update(code="0", digest="0" * 64))
    found = reasons(planned(own))
    (why,) = found["albedo"]
    assert why.startswith("code version 0 -> ")
    assert found["degraded"] == {"follows albedo": 1}


def test_a_file_that_is_gone_is_named(own: Bench) -> None:
    own.layout.png(2, "degraded_fg").unlink()
    found = planned(own)
    assert reasons(found) == {
        "degraded": {"its files (degraded_fg.png) are gone or were changed": 1},
        "composites": {"follows degraded": 1},
    }
    assert found.images == 1


def test_files_with_other_times_are_hashed_first(own: Bench) -> None:
    os.utime(own.layout.png(0, "albedo"), (1, 1))
    ((why, count),) = reasons(planned(own))["albedo"].items()
    assert (why, count) == ("files have other times than were recorded: they are hashed, and what is equal is kept", 1)


def test_a_changed_photo_and_a_failure_that_is_tried_again(bench: Bench, tmp_path: Path) -> None:
    photo = tmp_path / "mine.png"
    photo.write_bytes((bench.photos / PORTRAITS[0]).read_bytes())
    bench.write_csv(["cat.png", "broken.png", str(photo)])
    bench.run()
    photo.write_bytes((bench.photos / PORTRAITS[1]).read_bytes())
    assert reasons(planned(bench))["masks"] == {"the photo has changed": 1}
    again = reasons(planned(bench, retry_failed=True))["masks"]
    assert again == {
        "the photo has changed": 1,
        "tried again after no_person": 1,
        "tried again after image_corrupt": 1,
    }
    other = reasons(planned(bench, recipe_with(masks={"min_coverage": 0.06})))["masks"]
    assert other["it failed before, under another recipe or other code"] >= 1


def test_a_photo_that_may_stand_under_another_name_is_no_new_one(bench: Bench, tmp_path: Path) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    moved = tmp_path / "renamed.png"
    moved.write_bytes((bench.photos / PORTRAITS[0]).read_bytes())
    bench.write_csv([str(moved), PORTRAITS[1]])
    assert reasons(planned(bench))["masks"] == {RENAMED: 1}
    assert computed(bench.run())["masks"] == 0


def test_an_experiment_takes_over_what_the_split_has(own: Bench) -> None:
    found = planned(own, recipe_with(seed=7), experiment="other")
    failures = {"new photo": 2}  # the experiment's own to find
    assert reasons(found) == {
        "masks": failures,
        "albedo": failures,
        "degraded": {"recipe: seed 0 -> 7": 4, **failures},
        "composites": {"follows degraded": 4, **failures},
    }


def test_stages_that_are_not_selected_leave_images_waiting(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    found = planned(bench, stages=["albedo"])
    assert found.reasons == {"albedo": Counter()}


def test_a_csv_that_a_run_would_refuse_is_refused(own: Bench) -> None:
    own.write_csv([*PORTRAITS[:3], str(own.photos / "cat.png")])  # and the folder is another CSV's
    with pytest.raises(OtherPhotosError):
        planned(own)
