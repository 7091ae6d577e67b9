"""A finished split is what its records say; and every way in which it may not be is found."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from filelock import FileLock
from msgspec.structs import replace

from relight_assets.config.loader import load_recipe
from relight_assets.config.quality import Quality
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.experiments import experiment_recipe
from relight_assets.engine.publish import mapping_path, write_split_mapping
from relight_assets.engine.state.load import digests_of
from relight_assets.errors import OutputFolderError
from relight_assets.imaging.png import encode_png
from relight_assets.quality.statistics import recorded_metrics
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets.stages.albedo.evaluation import albedo_tags
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import ALL_FILES, PORTRAITS, Bench, computed, read_rgb, recipe_with, stamp_of_output


@pytest.fixture
def bench(finished: Bench, tmp_path: Path) -> Bench:
    """A finished split of one's own: four images done, one without a person, one broken, one blank."""
    made = Bench(tmp_path, finished.photos)
    made.write_csv([*PORTRAITS, "cat.png", "broken.png", ""])
    shutil.copytree(finished.layout.folder, made.layout.folder)
    write_split_mapping(made.state(), made.settings, None)
    return made


def verified(
    bench: Bench, recipe: Recipe | None = None, sample: int | None = None, quality: Quality | None = None
) -> Verification:
    return verify_split(bench.split(), recipe or Recipe(), bench.settings, quality=quality, sample=sample)


def verified_by(bench: Bench, settings: Settings, loaded: LoadedRecipe, experiment: str | None = None) -> Verification:
    """What the commands and the job `verify` do: the thresholds are those of settings and recipe file."""
    quality = settings.quality_of(loaded)
    return verify_split(bench.split(), loaded.recipe, settings, quality=quality, experiment=experiment)


def verified_experiment(bench: Bench, settings: Settings, name: str) -> Verification:
    return verified_by(bench, settings, experiment_recipe("train", settings, name), name)


def codes(found: Verification) -> list[tuple[str, str]]:
    return [(fault.code, fault.file.name) for fault in found.faults]


def test_a_finished_split_is_as_it_must_be(bench: Bench) -> None:
    before = {path: path.stat().st_mtime_ns for path in bench.layout.folder.iterdir()}
    found = verified(bench)
    assert found.faults == []
    assert (found.images, found.files) == (4, 24)
    assert found.rows == {"done": 4, "failed": 2, "rejected": 1}
    assert found.mib > 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_sample_is_spread_over_the_split(bench: Bench) -> None:
    bench.layout.png(2, "albedo").unlink()
    assert codes(verified(bench, sample=2)) == [("missing", "00002_albedo.png"), ("stale", mapping_name(bench))]
    assert verified(bench, sample=2).images == 2
    assert verified(bench, sample=99).images == 4


def mapping_name(bench: Bench) -> str:
    return mapping_path(bench.state(), bench.settings, None).name


def test_a_file_that_was_altered_under_its_old_size_and_time_is_found(bench: Bench) -> None:
    path = bench.layout.png(1, "degraded_fg")
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = verified(bench)
    assert codes(found) == [("altered", "00001_degraded_fg.png")]
    assert "its record says" in found.faults[0].text


def test_a_background_that_is_off_by_one_level_is_found(bench: Bench) -> None:
    path = bench.layout.png(0, "output")
    pixels = read_rgb(path)
    alpha = read_rgb(bench.layout.png(0, "degraded_fg"))[..., 3]
    row, column = next(zip(*(alpha == 0).nonzero(), strict=True))
    pixels[row, column, 2] += 1
    path.write_bytes(encode_png(pixels))
    record = read_record(bench.layout.record(0))
    assert record is not None
    record.stages["composites"].files["output"] = stamp_of_output(path)  # the record says so, and yet
    write_record(bench.layout, record)
    found = verified(bench)
    assert codes(found) == [("background", "00000_output.png"), ("replay", "00000_output.png")]
    assert "1 pixels beside the person are not exactly [128, 128, 128]" in found.faults[0].text


def test_another_gray_that_was_not_run_yet_is_no_fault_of_the_files(bench: Bench) -> None:
    found = verified(bench, recipe_with(background={"gray_color": [10, 20, 30]}))
    assert {code for code, _ in codes(found)} == {"stale"}  # the mapping names composites that are not current
    assert found.verdict.startswith("stale: ")
    assert not found.wrong
    assert not found.passed
    assert found.rows["pending"] == 4


def test_the_photos_own_background_is_held_against_the_photo(bench: Bench) -> None:
    recipe = recipe_with(background={"use_gray": False})
    bench.run(recipe)
    write_split_mapping(bench.state(recipe), bench.settings, None)
    assert verified(bench, recipe).faults == []


@pytest.mark.parametrize("use_gray", [True, False])
def test_layers_of_linear_light_are_held_against_the_photo_in_linear_light(bench: Bench, *, use_gray: bool) -> None:
    recipe = recipe_with(background={"blend": "linear", "use_gray": use_gray})
    bench.run(recipe)
    write_split_mapping(bench.state(recipe), bench.settings, None)
    found = verified(bench, recipe)
    assert found.passed, (found.faults, failed(found))
    assert [each.metrics.recomposition <= 2 for each in found.measured] == [True] * 4
    measured = [each for image in bench.recorded(recipe) for each in recorded_metrics(image)]
    assert [each.metrics.recomposition <= 2 for each in measured] == [True] * 4


def test_an_experiment_in_linear_light_is_verified_by_its_own_recipe(bench: Bench) -> None:
    bench.run(recipe_with(background={"blend": "linear"}), experiment="linear")
    found = verified_experiment(bench, bench.settings, "linear")
    assert len(found.measured) == 4
    assert failed(found) == failed(verified(bench)) == []


def test_a_mapping_that_is_not_there_is_found(bench: Bench) -> None:
    mapping_path(bench.state(), bench.settings, None).unlink()
    assert "is not there" in verified(bench).faults[0].text


def test_a_split_that_was_never_run_is_not_given_a_folder(tmp_path: Path, finished: Bench) -> None:
    made = Bench(tmp_path, finished.photos)
    made.write_csv(PORTRAITS[:1])
    assert codes(verified(made)) == [("mapping", mapping_name(made))]
    assert not made.layout.folder.exists()


def test_a_split_that_is_being_written_is_not_verified(bench: Bench) -> None:
    with FileLock(bench.layout.lock), pytest.raises(OutputFolderError, match="is being written"):
        verified(bench)


def test_images_are_whole_for_other_readers_too(bench: Bench) -> None:
    images = sorted(bench.layout.folder.glob("*.png"))
    assert len(images) == len(ALL_FILES) * len(bench.layout.numbers("metadata.json")) > 0
    assert [path for path in images if cv2.imread(str(path)) is None] == []


def test_what_is_whole_is_measured_and_held_against_the_thresholds(bench: Bench) -> None:
    found = verified(bench)
    assert found.passed
    assert [each.index for each in found.measured] == [0, 1, 2, 3]
    assert all(40 < (each.skin_lightness or 0) < 90 for each in found.measured)
    assert {verdict.metric for verdict in found.verdicts} >= {"identity", "crushed", "identity, median"}
    plain = json.loads(json.dumps(found.plain()))
    assert plain["passed"] is True
    assert plain["rows"] == {"done": 4, "failed": 2, "rejected": 1}
    assert len(plain["measured"]) == 4


def test_a_bound_that_no_image_meets_fails_without_a_fault(bench: Bench) -> None:
    found = verified(bench, quality=Quality(strength_range=(1.9, 2.0)))
    assert found.faults == []
    assert not found.passed
    assert [verdict.metric for verdict in found.verdicts if not verdict.passed] == ["weakest"]


def test_thresholds_in_the_projects_recipe_hold_and_recompute_nothing(
    bench: Bench,
) -> None:
    file = bench.folder / "old.yaml"
    file.write_text("quality: {strength_range: [1.9, 2.0]}\n")
    assert computed(bench.run(load_recipe(file).recipe)) == dict.fromkeys(stage_names(), 0)
    assert failed(verified_by(bench, bench.settings, load_recipe(file))) == ["weakest"]
    file.write_text("")
    assert failed(verified_by(bench, bench.settings, load_recipe(file))) == []
    strict = bench.settings.model_copy(update={"quality": Quality(max_lit_apart=0, rim_range=(1.5, 1.7))})
    assert failed(verified_by(bench, strict, load_recipe(file))) == ["dark rim"]


def test_an_experiment_of_before_is_held_against_the_thresholds_beside_its_recipe(bench: Bench) -> None:
    bench.run(recipe_with(seed=5), experiment="old")
    written = SplitLayout(split_folder(bench.settings.output_root, "train", "old")).recipe
    settings = bench.settings.model_copy(update={"quality": Quality(strength_range=(1.9, 2.0))})
    with_it = {**yaml.safe_load(written.read_text()), "quality": Quality().model_dump(mode="json")}
    assert "weakest" in failed(verified_experiment(bench, settings, "old"))
    written.write_text(yaml.safe_dump(with_it))
    assert "weakest" not in failed(verified_experiment(bench, settings, "old"))


def failed(found: Verification) -> list[str]:
    return [verdict.metric for verdict in found.verdicts if not verdict.passed]


def test_a_damaged_file_is_not_measured(bench: Bench) -> None:
    bench.layout.png(1, "albedo").write_bytes(b"damaged")
    assert [each.index for each in verified(bench).measured] == [0, 2, 3]


@pytest.mark.parametrize(
    ("name", "pixels", "reported"),
    [
        ("degraded_fg", np.zeros((30, 40, 4), np.uint8), "`degraded_fg` has the shape"),
        ("foreground", None, "`foreground` has the shape"),
        ("albedo", b"no image", "claims what no run has written"),
    ],
)
def test_a_record_that_claims_images_which_do_not_fit_is_a_fault_and_no_traceback(
    bench: Bench, name: str, pixels: np.ndarray | bytes | None, reported: str
) -> None:
    path = bench.layout.png(0, name)
    if pixels is None:
        pixels = read_rgb(path)[..., :3].copy()  # without its alpha
    path.write_bytes(pixels if isinstance(pixels, bytes) else encode_png(pixels))
    record = read_record(bench.layout.record(0))
    assert record is not None
    stage = next(stage for stage, entry in record.stages.items() if name in entry.files)
    record.stages[stage].files[name] = stamp_of_output(path)  # the record says so, and yet
    for later, entry in record.stages.items():
        digest = digests_of(Recipe(), bench.settings)
        files = {n: s.sha256 for e in record.stages.values() for n, s in e.files.items()}
        record.stages[later] = replace(entry, digest=digest.of(later, record.source.sha256, files))
    write_record(bench.layout, record)
    found = verified(bench)
    assert [each.index for each in found.measured] == [1, 2, 3]
    assert any(reported in fault.text for fault in found.faults), found.faults


def test_a_number_that_is_none_is_no_skin(bench: Bench) -> None:
    record = read_record(bench.layout.record(0))
    assert record is not None
    record.stages["masks"].numbers["skin_lightness"] = "fair"
    write_record(bench.layout, record)
    assert verified(bench).measured[0].skin_lightness is None


def test_duplicates_are_listed_and_are_no_fault(finished: Bench, tmp_path: Path) -> None:
    made = Bench(tmp_path, finished.photos)
    (tmp_path / "copy.png").write_bytes((made.photos / PORTRAITS[0]).read_bytes())
    made.write_csv([PORTRAITS[0], str(tmp_path / "copy.png")])
    made.run()
    write_split_mapping(made.state(), made.settings, None)
    found = verified(made)
    assert found.faults == []  # the same photo, so the same image
    assert found.plain()["duplicates"] == [{"image": 1, "other_image": 0, "bits": None}]
    of_photos = {"second_person", "truncated", "padded", "monochrome", "blocky", "rolled", "squashed", "negative"}
    assert set(found.plain()["tags"]) == of_photos | set(albedo_tags.NAMES)


def test_an_output_with_the_bytes_of_another_is_a_fault(bench: Bench) -> None:
    record, other = (read_record(bench.layout.record(number)) for number in (0, 1))
    assert record is not None
    assert other is not None
    bench.layout.png(1, "output").write_bytes(bench.layout.png(0, "output").read_bytes())
    other.stages["composites"].files["output"] = stamp_of_output(bench.layout.png(1, "output"))
    write_record(bench.layout, other)
    assert ("duplicate", "00001_output.png") in codes(verified(bench))


@pytest.mark.parametrize(
    ("name", "value"), [("strength", 99.0), ("light_direction", True), ("metrics", {"rim": "none"})]
)
def test_a_metric_that_does_not_fit_is_named_and_its_image_stays(bench: Bench, name: str, value: object) -> None:
    record = read_record(bench.layout.record(1))
    assert record is not None
    record.stages["degraded"].numbers[name] = value
    write_record(bench.layout, record)
    found = verified(bench)
    assert codes(found) == [("metric", "00001_metadata.json")]
    assert found.faults[0].text.startswith(f"`degraded.{name}")
    assert found.rows["done"] == 4
    assert len(found.measured) == 4


def test_a_cat_that_the_former_rule_lets_in_is_no_person(finished: Bench, tmp_path: Path) -> None:
    made = Bench(tmp_path, finished.photos)
    made.write_csv([PORTRAITS[0], "cat.png"])
    loose = recipe_with(
        masks={"min_score": 0.9},
        photo_qa={"person": "score", "max_coverage": 1, "max_soft_edge": 1, "max_undecided": 1, "min_sharpness": 0},
    )
    made.run(loose)
    write_split_mapping(made.state(loose), made.settings, None)
    found = verify_split(made.split(), loose, made.settings)
    (verdict,) = (each for each in found.verdicts if each.metric == "person evidence")
    assert (verdict.passed, verdict.worst[0]) == (False, 1)
    assert verdict.worst_values[0] < 1 < verdict.worst_values[1]
