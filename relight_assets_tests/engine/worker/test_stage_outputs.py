"""The numbers of records, on real portraits through real worker processes."""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from relight_assets.stages.albedo.evaluation import albedo_tags
from relight_assets.stages.albedo.evaluation.albedo_metrics import AlbedoMetrics
from relight_assets_tests.conftest import PORTRAITS, Bench, read_rgb, recipe_with

pytestmark = pytest.mark.usefixtures("worker_processes")

OF_THIS_RUN = {"timings_ms", "mtime_ns", "token", "record_sha256"}
"""Keys of what is of the clock or of the file system, and not of the images."""


def record_of(bench: Bench, index: int) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(bench.layout.record(index).read_text(encoding="utf-8"))
    del record["sha256"]  # of itself, and so of the times that it took
    return record


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lasting(each) for key, each in value.items() if key not in OF_THIS_RUN}
    return [lasting(each) for each in value] if isinstance(value, list) else value


def floats(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield path, value
    for key, each in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from floats(each, f"{path}/{key}")


@pytest.fixture(scope="module")
def many_lights(tmp_path_factory: pytest.TempPathFactory, photos: Any) -> list[Bench]:
    """The same portraits under three lights each, run twice: by one worker, and by two of two threads."""
    made = [Bench(tmp_path_factory.mktemp(name), photos) for name in ("one_worker", "two_workers")]
    for bench, (workers, threads) in zip(made, ((1, 1), (2, 2)), strict=True):
        bench.settings = bench.settings.model_copy(update={"threads": threads})
        bench.write_csv(PORTRAITS)
        bench.run(recipe_with(variants=3), workers=workers)
    return made


def test_the_same_photos_have_the_same_records_whoever_made_them(many_lights: list[Bench], finished: Bench) -> None:
    one, other = many_lights
    for index in range(len(PORTRAITS)):
        assert lasting(record_of(one, index)) == lasting(record_of(other, index))
        first_light = record_of(one, index)["stages"]["degraded"]["numbers"]["variants"][0]
        assert first_light == record_of(finished, index)["stages"]["degraded"]["numbers"]


def test_every_number_of_a_record_has_at_most_6_decimals(many_lights: list[Bench], finished: Bench) -> None:
    for bench in (*many_lights, finished):
        for index in range(len(PORTRAITS)):
            record = record_of(bench, index)
            parts = [record["light_direction"], record["timings_ms"]]
            parts += [entry["numbers"] for entry in record["stages"].values()]
            found = list(floats(parts))
            assert len(found) > 50
            assert [(path, value) for path, value in found if value != round(value, 6)] == []


def test_a_photo_that_is_turned_away_has_a_rounded_lightness(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(photo_qa={"min_sharpness": 100.0}))
    failure = json.loads(bench.layout.failure(0).read_text(encoding="utf-8"))
    assert failure["code"] == "blurred"
    assert failure["skin_lightness"] == round(failure["skin_lightness"], 6)


def test_a_rotated_photo_and_a_negative_are_rejected_as_such(bench: Bench, tmp_path: Path) -> None:
    photo = cv2.imread(str(bench.photos / PORTRAITS[0]))
    cv2.imwrite(str(tmp_path / "rotated.png"), cv2.rotate(photo, cv2.ROTATE_180))
    cv2.imwrite(str(tmp_path / "negative.png"), cv2.bitwise_not(photo))
    bench.write_csv([str(tmp_path / "rotated.png"), str(tmp_path / "negative.png")])
    assert bench.run().tally.codes == {"rotated": 1, "negative": 1}


def test_the_record_says_what_showed_a_person_and_persons_that_touch_are_separated(
    bench: Bench, finished: Bench, tmp_path: Path
) -> None:
    for index in range(len(PORTRAITS)):
        alone = record_of(finished, index)["stages"]["masks"]["numbers"]
        assert (alone["shown_by"], alone["pose_score"], alone["separated"]) == ("face", None, False)
        assert alone["person_evidence"] > 1
        assert abs(alone["head_roll"]) < 60
    one, other = (cv2.imread(str(bench.photos / name)) for name in ("collins_close.png", "hopper_square.png"))
    assert one is not None
    assert other is not None
    both = np.hstack([one[:256, :256], other[:256, :256]])
    cv2.imwrite(str(tmp_path / "both.png"), cv2.resize(both, None, fx=2, fy=2))
    bench.write_csv([str(tmp_path / "both.png")])
    for persons in ("largest", "union"):
        bench.run(recipe_with(masks={"persons": persons}))
        numbers = record_of(bench, 0)["stages"]["masks"]["numbers"]
        assert numbers["second_person"]
        alpha = read_rgb(bench.layout.folder / "00000_foreground.png")[..., 3]
        halves = [float((half > 127).mean()) for half in np.hsplit(alpha, 2)]
        assert (min(halves) < 0.1) == (persons == "largest")
        assert max(halves) > 0.3


def test_a_small_head_is_asked_for_again_and_a_large_one_is_not(bench: Bench, tmp_path: Path) -> None:
    photo = cv2.imread(str(bench.photos / PORTRAITS[1]))
    height, width = photo.shape[:2]
    far = np.full((4 * height, 4 * width, 3), 150, np.uint8)
    far[2 * height :, width : 3 * width] = cv2.resize(photo, None, fx=2, fy=2)
    own = tmp_path / "photos"
    own.mkdir()
    cv2.imwrite(str(own / "far.png"), far)
    cv2.imwrite(str(own / "near.png"), photo)
    bench.photos = own
    bench.write_csv(["far.png", "near.png"])
    anything = {"max_undecided": 1, "max_soft_edge": 1, "min_sharpness": 0}
    bench.run(recipe_with(photo_qa=anything), workers=1)
    assert record_of(bench, 0)["stages"]["masks"]["numbers"]["second_look"] is True
    assert record_of(bench, 1)["stages"]["masks"]["numbers"]["second_look"] is False


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (0.7, 0.87, 1.0)])
def test_a_gray_or_sepia_photo_is_rejected_and_let_in_if_asked_for(
    bench: Bench, tmp_path: Path, tint: tuple[float, float, float]
) -> None:
    gray = cv2.imread(str(bench.photos / PORTRAITS[2]), cv2.IMREAD_GRAYSCALE)
    own = tmp_path / "photos"
    own.mkdir()
    cv2.imwrite(str(own / "gray.png"), np.rint(gray[..., None] * tint))
    bench.photos = own
    bench.write_csv(["gray.png"])
    summary = bench.run(workers=1)
    assert summary.tally.codes == {"monochrome": 1}
    assert summary.state.row_counts()["rejected"] == 1
    failure = json.loads(bench.layout.failure(0).read_text(encoding="utf-8"))
    assert "photo_qa.monochrome: take" in failure["message"]
    assert failure["skin_lightness"] > 20
    bench.run(recipe_with(photo_qa={"monochrome": "take"}), workers=1)
    stages = record_of(bench, 0)["stages"]
    assert stages["masks"]["numbers"]["monochrome"] is True
    assert set(stages) == {"masks", "albedo", "degraded", "composites"}


def test_the_record_has_what_is_measured_of_an_albedo_and_its_tags(finished: Bench) -> None:
    for index in range(4):
        numbers = record_of(finished, index)["stages"]["albedo"]["numbers"]
        found = {each.name: numbers[each.name] for each in fields(AlbedoMetrics)}
        assert found["mid_contrast"] > 0.4
        assert 0 <= found["newly_clipped"] < 0.01
        assert {name: numbers[name] for name in albedo_tags.NAMES} == albedo_tags.tags(AlbedoMetrics(**found))
