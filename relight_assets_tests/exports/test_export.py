"""What an export holds, that it is a snapshot, and that nothing is lost when it fails."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.origin import read_origin
from relight_assets.errors import ChangedOutputError, OutputFolderError, UserError
from relight_assets.exports import export as module
from relight_assets.exports import snapshot
from relight_assets.exports.cards.write import card_files
from relight_assets.exports.export import export_split
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout
from relight_assets.exports.rows.labels import columns
from relight_assets.exports.snapshot import Snapshots
from relight_assets_tests.conftest import PORTRAITS, Bench, read_rgb, recipe_with, sha256
from relight_assets_tests.exports.conftest import Export

SIZES = {
    "collins_close": (256, 256),
    "hopper_square": (256, 256),
    "collins_head": (256, 256),
    "hopper_tall": (256, 320),
}


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("croissant_too")
def test_the_tree(export: Export, own: Bench) -> None:
    found = export()
    assert (found.pairs, found.left_out, found.changed) == (4, {"failed": 2}, True)
    stems = [f"{number:06d}" for number in range(4)]
    files = {f"{place}/{stem}.png" for stem in stems for place in ("image", "conditioning_image", "mask")}
    texts = {f"image/{stem}.txt" for stem in stems}
    beside = {"metadata.jsonl", "samples.csv", "files.csv", "manifest.json", *card_files()}
    assert tree(found.folder) == files | texts | beside
    link = own.folder / "exports" / "imagefolder" / "train"
    assert link.readlink().name == found.folder.name
    for stem, name in zip(stems, PORTRAITS, strict=True):
        target, condition = (
            cv2.imread(str(found.folder / p / f"{stem}.png"), cv2.IMREAD_UNCHANGED)
            for p in ("image", "conditioning_image")
        )
        mask = cv2.imread(str(found.folder / "mask" / f"{stem}.png"), cv2.IMREAD_UNCHANGED)
        assert target is not None
        assert condition is not None
        assert mask is not None
        assert target.shape == condition.shape
        assert mask.shape == target.shape[:2]
        assert all(side % 64 == 0 for side in mask.shape), name


def test_the_photo_is_the_target_and_the_degraded_picture_the_condition(export: Export, own: Bench) -> None:
    folder = export(resolution="source").folder
    assert sha256(folder / "image" / "000000.png") == sha256(own.layout.png(0, "input"))
    assert sha256(folder / "conditioning_image" / "000000.png") == sha256(own.layout.png(0, "output"))
    alpha = read_rgb(own.layout.png(0, "foreground"))[..., 3]
    mask = cv2.imread(str(folder / "mask" / "000000.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(mask, alpha)
    other = export(resolution="source", direction="degrade").folder
    assert sha256(other / "image" / "000000.png") == sha256(own.layout.png(0, "output"))
    assert sha256(other / "conditioning_image" / "000000.png") == sha256(own.layout.png(0, "input"))


def test_unchanged_pictures_are_links_and_copies_where_asked(export: Export, own: Bench) -> None:
    folder = export(resolution="source").folder
    assert (folder / "image" / "000000.png").samefile(own.layout.png(0, "input"))
    copied = export("jsonl", resolution="source", link="copy").folder
    assert not (copied / "image" / "000000.png").samefile(own.layout.png(0, "input"))
    assert sha256(copied / "image" / "000000.png") == sha256(own.layout.png(0, "input"))


def test_on_gray_both_sides_have_the_same_background(export: Export, own: Bench) -> None:
    folder = export(resolution="source", target="photo_on_gray", background="gray").folder
    alpha = read_rgb(own.layout.png(0, "foreground"))[..., 3]
    target, condition = (read_rgb(folder / place / "000000.png") for place in ("image", "conditioning_image"))
    assert (target[alpha == 0] == 128).all()
    assert (condition[alpha == 0] == 128).all()
    photo = read_rgb(own.layout.png(0, "input"))
    assert np.array_equal(target[alpha == 255], photo[alpha == 255])
    albedo = export(resolution="source", target="albedo").folder
    assert np.array_equal(
        read_rgb(albedo / "image" / "000000.png")[alpha == 255], read_rgb(own.layout.png(0, "albedo"))[alpha == 255]
    )
    original = export(resolution="source", background="original").folder
    assert np.array_equal(read_rgb(original / "conditioning_image" / "000000.png")[alpha == 0], photo[alpha == 0])


def test_nothing_new_nothing_done(export: Export) -> None:
    first = export()
    times = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    again = export()
    assert (again.folder, again.changed, again.linked, again.written) == (first.folder, False, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == times


def test_a_later_export_is_another_snapshot_and_links_what_stayed(export: Export, own: Bench) -> None:
    first = export()
    own.run(recipe_with(background={"gray_color": [64, 80, 96]}))
    state_of_before = tree(first.folder)
    link = own.folder / "exports" / "imagefolder" / "train"

    second = export(recipe=recipe_with(background={"gray_color": [64, 80, 96]}))
    assert second.folder != first.folder
    assert link.readlink().name == second.folder.name
    assert tree(first.folder) == state_of_before
    assert (second.folder / "mask" / "000000.png").samefile(first.folder / "mask" / "000000.png")
    assert not (second.folder / "conditioning_image" / "000000.png").samefile(
        first.folder / "conditioning_image" / "000000.png"
    )
    assert read_back(first.folder).passed


def test_what_was_changed_in_the_snapshot_before_is_made_anew(export: Export, own: Bench) -> None:
    first = export()
    mask = first.folder / "mask" / "000000.png"
    mask.write_bytes(mask.read_bytes()[:-1] + b"x")
    second = export(caption="none")
    assert second.folder != first.folder
    assert read_back(second.folder).passed


def test_other_options_make_other_shards(export: Export) -> None:
    first, second = export("webdataset"), export("webdataset", target="photo_on_gray", background="gray")
    assert second.written == 1
    names = "train-000000.tar"
    assert sha256(first.folder / names) != sha256(second.folder / names)
    assert read_back(second.folder).passed


def test_copies_where_there_were_links(export: Export, own: Bench) -> None:
    first = export(resolution="source")
    second = export(resolution="source", link="copy")
    assert second.folder != first.folder
    assert not (second.folder / "image" / "000000.png").samefile(own.layout.png(0, "input"))


def test_a_damaged_snapshot_is_written_again(export: Export) -> None:
    first = export()
    (first.folder / "mask" / "000001.png").unlink()
    again = export()
    assert (again.folder, again.changed) == (first.folder, True)
    assert read_back(again.folder).passed


@pytest.mark.parametrize("name", ["files.csv", "metadata.jsonl"])
def test_a_snapshot_without_its_lists_is_written_again(export: Export, name: str) -> None:
    first = export()
    (first.folder / name).unlink()
    assert export().changed is True
    assert read_back(first.folder).passed


def test_a_killed_export_goes_with_the_next_and_a_live_one_of_another_machine_stays(export: Export, own: Bench) -> None:
    root = own.folder / "exports" / "imagefolder"
    killed = root / f".train-{'0' * 12}.{snapshot._HOST}.{2**22 + 1}.partial"
    others = root / f".train-{'0' * 12}.elsewhere.{2**22 + 1}.partial"
    for folder in (killed, others):
        (folder / "image").mkdir(parents=True)
    export()
    assert not killed.exists()
    assert others.is_dir()


def test_a_moved_folder_is_written_again_for_its_configurations(export: Export, own: Bench) -> None:
    first = export("musubi-tuner").folder
    (own.folder / "exports").rename(own.folder / "moved")
    state = own.state()
    second = export_split(state, layout("musubi-tuner"), ExportOptions(), own.folder / "moved" / "musubi-tuner").folder
    assert str(first.parent) not in (second / "musubi-tuner.toml").read_text()


def test_nobody_prunes_what_may_be_in_use(export: Export, own: Bench) -> None:
    export()
    snapshots = Snapshots(own.folder / "exports" / "imagefolder", "train")
    assert snapshots.old() == []
    snapshots.newest.unlink()
    with pytest.raises(UserError, match="leads to no snapshot"):
        snapshots.old()


def test_every_light_is_a_row_with_a_stem_of_its_own(export: Export, own: Bench) -> None:

    recipe = recipe_with(variants=2)
    own.run(recipe)
    found = export("jsonl", recipe=recipe, resolution="source")
    rows = [json.loads(line) for line in (found.folder / "pairs.jsonl").read_text().splitlines()]
    assert [row["stem"] for row in rows] == [f"{number:06d}" for number in range(8)]
    assert sha256(found.folder / "conditioning_image" / "000003.png") == sha256(own.layout.png(1, "v2_output"))
    assert sha256(found.folder / "image" / "000003.png") == sha256(own.layout.png(1, "input"))
    with (found.folder / "samples.csv").open(newline="") as stream:
        samples = list(csv.DictReader(stream))
    assert [row["variant"] for row in samples] == ["0", "1"] * 4
    assert samples[0]["photo_light_azimuth_deg"] == samples[1]["photo_light_azimuth_deg"]
    assert samples[0]["light_azimuth_deg"] != samples[1]["light_azimuth_deg"]
    for name in ("softness", "warmth"):  # of the photo's own light, where it is reliable
        sure = float(samples[0][f"degraded_source_light_{name}_reliability"])
        assert (samples[0][f"degraded_source_light_{name}"] != "") == (sure >= 0.5)


def test_another_light_is_the_target(export: Export, own: Bench) -> None:
    recipe = recipe_with(variants=2)
    own.run(recipe)
    folder = export("jsonl", recipe=recipe, resolution="source", target="variant").folder
    for stem, target, condition in (("000002", "v2_output", "v1_output"), ("000003", "v1_output", "v2_output")):
        assert sha256(folder / "image" / f"{stem}.png") == sha256(own.layout.png(1, target))
        assert sha256(folder / "conditioning_image" / f"{stem}.png") == sha256(own.layout.png(1, condition))
    with (folder / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["target_variant"] for row in rows[:2]] == ["1", "0"]
    for name in ("family", "light_azimuth_deg", "light_direction_word"):
        assert [row[f"target_{name}"] for row in rows[:2]] == [rows[1][name], rows[0][name]]
    assert rows[0]["caption_source"] == "drawn"
    assert rows[0]["target_light_direction_word"] in rows[0]["caption"]
    on_gray = export("jsonl", recipe=recipe, resolution="source", target="variant", background="gray").folder
    assert read_rgb(on_gray / "image" / "000002.png")[0, 0].tolist() == [128, 128, 128]
    assert read_back(folder).passed
    assert read_back(on_gray).passed


def test_another_light_needs_several(export: Export) -> None:
    with pytest.raises(UserError, match="this split has one of each: set `variants`"):
        export(target="variant")


def test_a_light_without_its_pattern_is_the_target(export: Export, own: Bench) -> None:
    patterns = {"soft_shading": {"weight": 0}, "hard_shadow": {"kinds": {"none": 0}}, "mixture_probability": 0}
    recipe = recipe_with(ladder=[0.5], no_gobo=True, degradation=patterns)
    own.run(recipe)
    every = export("jsonl", recipe=recipe, resolution="source")
    with (every.folder / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    lights = [row for row in rows if row["degraded_no_gobo"]]
    assert every.left_out["same light"] == 4 - len(lights)
    assert every.pairs == 12 - every.left_out["same light"]
    assert {row["degraded_amount"] for row in rows if row["degraded_variant_kind"] == "mix"} == {"0.5"}
    assert export("jsonl", recipe=recipe, resolution="source", best=99).pairs == every.pairs - 4  # no mixes
    found = export("jsonl", recipe=recipe, resolution="source", target="no_gobo")
    assert 0 < found.pairs == len(lights)
    assert (found.left_out["same light"], found.left_out["no pattern"]) == (4 - len(lights), 8)
    for row in lights:
        image = int(row["number"])
        target, condition = (found.folder / name / f"{row['stem']}.png" for name in ("image", "conditioning_image"))
        assert sha256(target) == sha256(own.layout.png(image, "v3_output"))
        assert sha256(condition) == sha256(own.layout.png(image, "v1_output"))
    assert read_back(found.folder).passed
    with pytest.raises(UserError, match="set `no_gobo: true` in the recipe"):
        export(recipe=recipe_with(ladder=[0.5]), target="no_gobo")


def test_the_best(export: Export, own: Bench) -> None:
    recipe = recipe_with(variants=2)
    own.run(recipe)
    every = export("jsonl", recipe=recipe)
    found = export("jsonl", recipe=recipe, best=3)
    assert (every.pairs, found.pairs, found.left_out["best"]) == (8, 3, 5)
    with (every.folder / "samples.csv").open(newline="") as stream:
        best = max(csv.DictReader(stream), key=lambda row: float(row["quality"]))
    assert (found.folder / "image" / f"{best['stem']}.png").is_file()
    assert export("jsonl", recipe=recipe, best=3, where=f"stem <> '{best['stem']}'").pairs == 3


def test_another_seed_changes_no_caption(own: Bench, export: Export) -> None:
    before = [row["text"] for row in _rows(export().folder)]
    recipe = recipe_with(seed=99)
    own.run(recipe)

    after = export(recipe=recipe)
    assert [row["text"] for row in _rows(after.folder)] == before
    assert len(set(before)) > 1


def _rows(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


def test_samples(export: Export, own: Bench) -> None:
    folder = export().folder
    with (folder / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == columns()
    assert [row["stem"] for row in rows] == ["000000", "000001", "000002", "000003"]
    record = own.recorded()[0].record
    assert rows[0]["source_sha256"] == record.source.sha256
    assert float(rows[0]["masks_coverage"]) == record.stages["masks"].numbers["coverage"]
    assert rows[0]["family"] == record.degradation_type
    assert rows[0]["target"] == "image/000000.png"
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["pairs"] == 4
    assert manifest["csv_sha256"] == own.split().sha256


def test_rows_are_chosen(export: Export, own: Bench) -> None:
    first = own.recorded()[0].record
    assert export(where="number >= 2").pairs == 2
    assert export(max_rows=3).left_out["max_rows"] == 1
    assert export(taken={first.source.sha256}).left_out["in another split"] == 1
    assert export(dropped={first.source.sha256}).left_out["review"] == 1
    assert export(dropped={first.image_path}).pairs == 3
    assert export(where="number > 100").pairs == 0
    assert not (own.folder / "exports" / "imagefolder" / "train").resolve().name.endswith("partial")


def test_stale_rows_stay(export: Export, own: Bench) -> None:
    own.layout.png(2, "output").unlink()
    found = export()
    assert (found.pairs, found.left_out["pending"]) == (3, 1)


def test_a_file_that_changes_meanwhile_ends_it_and_leaves_the_one_before(
    export: Export, own: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = export()
    state = own.state(Recipe())
    data = own.layout.png(1, "foreground").read_bytes()
    own.layout.png(1, "foreground").write_bytes(data[:-20] + b"x" * 20)

    root = own.folder / "exports" / "imagefolder"
    with pytest.raises(ChangedOutputError, match=r"00001_foreground\.png is not what its record says"):
        export(state=state, target="photo_on_gray")
    assert (root / "train").resolve() == first.folder
    assert {path.name for path in root.iterdir()} == {"train", first.folder.name}


def test_a_full_disk_leaves_the_one_before(export: Export, own: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = export()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_manifest", full)
    with pytest.raises(OutputFolderError, match=r"No space left on device\. What was exported before is unchanged"):
        export(caption="none")
    root = own.folder / "exports" / "imagefolder"
    assert (root / "train").resolve() == first.folder
    assert {path.name for path in root.iterdir()} == {"train", first.folder.name}
    assert read_back(first.folder).passed


def test_somebody_elses_files_are_left_alone(export: Export, own: Bench) -> None:
    theirs = own.folder / "exports" / "imagefolder" / "train"
    theirs.mkdir(parents=True)
    (theirs / "a.png").touch()
    with pytest.raises(UserError, match="is no link of an export: it is somebody else's"):
        export()
    assert [path.name for path in theirs.iterdir()] == ["a.png"]


def test_a_caption_column(export: Export, own: Bench) -> None:
    folder = export(caption_column="note").folder
    assert (folder / "image" / "000001.txt").read_text() == f"note, {PORTRAITS[1]}\n"
    with pytest.raises(UserError, match="has no column `caption`"):
        export(caption="column")
    assert not list(export(caption="none").folder.glob("image/*.txt"))


def test_the_split_knows_where_its_pairs_went(export: Export, own: Bench) -> None:
    def known() -> tuple[str, ...]:
        origin = read_origin(own.layout)
        assert origin is not None
        return origin.exports

    folders = [str(export(name).folder.parent) for name in ("jsonl", "imagefolder", "jsonl")]
    assert known() == tuple(folders[:2])
    own.run()
    assert known() == tuple(folders[:2])
    export_split(own.state(), layout("jsonl"), ExportOptions(), own.settings.output_root / "exports" / "jsonl")
    assert known() == tuple(folders[:2])  # what lies in the output folder is found there
