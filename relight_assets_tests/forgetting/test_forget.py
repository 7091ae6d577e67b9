"""A photo is forgotten in all splits, experiments and exports; and stays so."""

import csv
import shutil
import threading
from pathlib import Path

import pytest

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.derived.gallery_files import gallery_files
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.index import load
from relight_assets.dataset.records import read_failure, read_record
from relight_assets.dataset.tombstones import FORGOTTEN
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.scan import is_unchanged, of_this_run
from relight_assets.errors import OutputFolderError
from relight_assets.exports.export import export_split
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout
from relight_assets.exports.snapshot import read_manifest
from relight_assets.forgetting.forget import forget
from relight_assets.forgetting.request import Lookup, Request
from relight_assets_tests.conftest import PORTRAITS, recipe_with
from relight_assets_tests.faults.driver import wait_for
from relight_assets_tests.faults.one_file import put
from relight_assets_tests.forgetting.world import (
    EXPERIMENT,
    NUMBER,
    OTHER_NAME,
    PHOTO,
    World,
    assert_forgotten,
    pairs_of,
)


def mapping(world: World, split: str = "train") -> dict[str, str]:
    with (world.data / f"{split}_images_with_relighting_outputs.csv").open(encoding="utf-8", newline="") as file:
        return {Path(row["image_path"]).name: row["output_image_path"] for row in csv.DictReader(file)}


def test_all_of_it_goes_and_nothing_else(world: World) -> None:
    made, before = world.made_of(world.sha256), world.files()
    done = world.forget(str(world.photos / PHOTO))
    assert (done.photos, done.new, done.found, done.left, done.strangers) == (1, 1, 1, [], [])
    assert_forgotten(world, world.sha256, made)
    assert (world.settings.output_root / FORGOTTEN).read_text() == f"sha256,reason\n{world.sha256},requested\n"
    assert mapping(world)[PHOTO] == ""
    assert all(mapping(world)[name] for name in PORTRAITS if name != PHOTO)
    assert mapping(world, "val") == {OTHER_NAME: ""}
    others = {
        name for name in before if Path(name).name.startswith(("00000_", "00002_", "00003_")) and "data-val" not in name
    }
    after = world.files()
    assert len(others) == 2 * 3 * 7
    assert {name: after.get(name) for name in others} == {name: before[name] for name in others}
    for snapshot in world.snapshots():
        assert {Path(name).name for name in pairs_of(snapshot)} <= {*PORTRAITS} - {PHOTO}
    assert {path.parent.name for path in world.snapshots()} == {
        *("imagefolder", "diffsynth", "onetrainer", "parquet", "webdataset", "jsonl-x"),
    }
    assert not any(path.name.startswith("val-") for path in world.snapshots())  # it had no other pair


def test_its_thumbnails_and_every_gallery_that_shows_it_go(world: World) -> None:
    folders = [world.layout(), world.layout(experiment=EXPERIMENT), world.layout("val")]
    for folder in folders:
        assert any(world.sha256.encode() in path.read_bytes() for path in gallery_files(folder))
    number = world.layout().thumbnail(NUMBER)
    thumbnail = number.read_bytes()
    world.forget(str(world.photos / PHOTO))
    assert [gallery_files(folder) for folder in folders] == [[], [], []]
    assert [sorted(folder.thumbnail_numbers()) for folder in folders] == [[0, 2, 3, 4], [0, 2, 3, 4], []]
    number.write_bytes(thumbnail)  # as from a copy of the folder
    stranger = world.layout().thumbnail(77)
    stranger.write_bytes(thumbnail)
    (left,) = world.forget().left
    assert (left.path, number.exists()) == (stranger, False)


def test_only_its_number_its_name_and_a_rejection_stay(world: World) -> None:
    world.forget(world.sha256)
    for folder in (world.layout(), world.layout(experiment=EXPERIMENT)):
        assert [path.name for path in folder.folder.glob("00001_*")] == ["00001_failure.json"]
        failure = read_failure(folder.failure(NUMBER))
        assert failure is not None
        assert (failure.code, failure.rejected, failure.source, failure.traceback) == ("forgotten", True, None, None)
        assert load(folder)[str(world.photos / PHOTO)] == NUMBER
        assert not (folder.folder / "contact_sheet.jpg").exists()
        assert not (folder.folder / "comparison.jpg").exists()


def test_it_does_not_come_back_from_its_csv_nor_from_another(world: World, tmp_path: Path) -> None:
    made = world.made_of(world.sha256)
    world.forget(world.sha256)
    assert world.state().row_counts() == {"done": 3, "rejected": 1, "failed": 1}
    state = world.run(retry_failed=True)
    assert state.row_counts() == {"done": 3, "rejected": 1, "failed": 1}
    shutil.copyfile(world.photos / PHOTO, tmp_path / "yet_another.png")
    world.write_csv("new", [str(tmp_path / "yet_another.png"), PORTRAITS[0]])
    found = world.run("new")
    assert found.row_counts() == {"done": 1, "rejected": 1}
    assert [path.name for path in world.layout("new").folder.glob("00000_*")] == ["00000_failure.json"]
    assert world.run("new").row_counts() == {"done": 1, "rejected": 1}
    with (world.data / "new_images_failures.csv").open(encoding="utf-8") as file:
        assert [row["code"] for row in csv.DictReader(file)] == ["forgotten"]
    world.export("jsonl", "new")
    assert_forgotten(world, world.sha256, made)
    assert world.forget().left == []


def test_a_second_call_finds_nothing_and_changes_nothing(world: World) -> None:
    world.forget(world.sha256)
    before = world.files()
    done = world.forget()
    assert (done.photos, done.new, done.found, done.went, done.left) == (1, 0, 0, {}, [])
    assert world.files() == before


def test_a_rehearsal_says_the_same_and_changes_nothing(world: World) -> None:
    before = world.files()
    rehearsed = world.forget(world.sha256, dry_run=True)
    assert world.files() == before
    done = world.forget(world.sha256)
    assert (rehearsed.went, rehearsed.found, rehearsed.places) == (done.went, done.found, done.places)
    assert done.places == {str(world.photos / PHOTO), str(world.photos / OTHER_NAME)}


def test_a_photo_that_failed_leaves_no_word_of_why(world: World) -> None:
    before = (world.data / "train_images_failures.csv").read_text()
    assert "no_person" in before
    assert world.forget(str(world.photos / "cat.png")).left == []
    failure = read_failure(world.layout().failure(4))
    assert failure is not None
    assert (failure.code, failure.source) == ("forgotten", None)
    after = (world.data / "train_images_failures.csv").read_text()
    assert ("no_person" in after, "forgotten,masks" in after) == (False, True)


def test_a_sha256_of_which_nothing_is_there_is_barred_all_the_same(world: World) -> None:
    before = world.files()
    done = world.forget("AB" * 32)
    assert (done.new, done.found, done.went, done.left) == (1, 0, {}, [])
    after = world.files()
    assert after.keys() - before.keys() == {"data/outputs/forgotten.csv", "data/outputs/.forgotten.lock"}
    assert {name: after[name] for name in before} == before
    assert "ab" * 32 in after["data/outputs/forgotten.csv"].decode()


def test_the_photo_may_be_gone_already(world: World) -> None:
    made, photo = world.made_of(world.sha256), world.sha256
    with world.without_photos():
        assert world.forget(str(world.photos / OTHER_NAME)).left == []
    assert_forgotten(world, photo, made)


def test_of_a_row_that_is_gone_the_name_goes_too_and_the_number_is_not_given_again(world: World) -> None:
    world.write_csv("train", [name for name in PORTRAITS if name != PHOTO])
    world.forget(world.sha256)
    assert PHOTO not in world.layout().index_csv.read_text()
    assert not list(world.layout().folder.glob("00001_*"))
    world.write_csv("train", [*(name for name in PORTRAITS if name != PHOTO), "cat.png", "broken.png"])
    state = world.run()
    assert {Path(key).name: image.index for key, image in state.images.items()} == {
        PORTRAITS[0]: 0, PORTRAITS[2]: 2, PORTRAITS[3]: 3, "cat.png": 4, "broken.png": 5
    }  # fmt: skip


def test_a_row_that_goes_later_takes_its_name_along_at_the_next_call(world: World) -> None:
    world.forget(world.sha256)
    world.write_csv("train", [name for name in PORTRAITS if name != PHOTO])
    done = world.forget()
    assert sum(counts["names in the index"] for counts in done.went.values()) == 2
    for folder in (world.layout(), world.layout(experiment=EXPERIMENT)):
        assert PHOTO not in folder.index_csv.read_text()
        assert not list(folder.folder.glob("00001_*"))
    assert world.forget().went == {}


def test_a_row_whose_csv_is_away_keeps_its_name(world: World) -> None:
    csv_file = world.data / "train_images.csv"
    csv_file.write_text("image_path\n\x00")
    assert world.forget(world.sha256).left == []
    assert load(world.layout())[str(world.photos / PHOTO)] == NUMBER


def test_somebody_writes_in_a_folder(world: World) -> None:
    with locked_folder(world.layout()):
        done = world.forget(world.sha256)
    assert [left.path for left in done.left if "is being written" in left.reason] == [world.layout().folder]
    assert any("recorded of the photo" in left.reason for left in done.left)
    assert world.layout().record(NUMBER).exists()
    assert not world.layout("val").record(0).exists()  # the others go all the same
    assert world.state().row_counts()["rejected"] == 1  # and no run, no export takes it meanwhile
    assert world.forget().left == []


def test_who_writes_may_be_waited_for(world: World) -> None:
    listed, held = world.settings.output_root / FORGOTTEN, threading.Event()

    def write() -> None:
        with locked_folder(world.layout()):
            held.set()
            wait_for(listed.exists)  # until the other has begun

    writer = threading.Thread(target=write)
    writer.start()
    held.wait()
    assert world.forget(world.sha256, wait_s=120.0).left == []
    writer.join()


def test_two_calls_at_once(world: World) -> None:
    lock = world.settings.output_root / ".forgotten.lock"
    storage = world.layout().storage
    with storage.lock(lock), pytest.raises(OutputFolderError, match="another `relight forget` is at work"):
        world.forget(world.sha256)
    assert not (world.settings.output_root / FORGOTTEN).exists()


def test_what_cannot_be_removed_is_left_and_named_and_its_record_stays(world: World) -> None:
    blocked = world.layout().png(NUMBER, "output")
    put("a folder that is not empty", blocked)
    done = world.forget(world.sha256)
    assert blocked in [left.path for left in done.left]
    assert read_record(world.layout().record(NUMBER)) is not None
    assert not world.layout().png(NUMBER, "input").exists()
    shutil.rmtree(blocked)
    assert world.forget().left == []
    assert not world.layout().record(NUMBER).exists()


def test_a_copy_of_a_picture_under_another_name_is_found_by_the_proof(world: World) -> None:
    copy = world.settings.export_folder / "imagefolder" / "mine.png"
    shutil.copyfile(world.layout().png(NUMBER, "input"), copy)
    done = world.forget(world.sha256)
    assert [left.path for left in done.left] == [copy]


def test_a_damaged_list_stops_runs_exports_and_forgetting(world: World) -> None:
    (world.settings.output_root / FORGOTTEN).write_text("sha256,reason\nabc,why\n")
    for work in (world.run, world.state, world.forget):
        with pytest.raises(OutputFolderError, match=r"forgotten.csv cannot be used: line 2"):
            work()


def test_a_finished_image_whose_photo_is_in_the_list_is_never_done(world: World) -> None:
    """As where the list was brought from another machine: nothing is removed, and nothing leaves."""
    (world.settings.output_root / FORGOTTEN).write_text(f"sha256,reason\n{world.sha256},elsewhere\n")
    assert world.state().row_counts() == {"done": 3, "rejected": 1, "failed": 1}
    assert world.export("jsonl").left_out["rejected"] == 1
    world.run()
    assert mapping(world)[PHOTO] == ""
    assert world.layout().record(NUMBER).exists()
    assert world.forget().found == 1


def test_whoever_takes_it_off_the_list_may_process_it_again(world: World) -> None:
    world.forget(world.sha256)
    (world.settings.output_root / FORGOTTEN).write_text("sha256,reason\n")
    assert world.run().row_counts() == {"done": 4, "failed": 1}


def test_exports_that_were_made_elsewhere_are_known_and_others_are_given(world: World) -> None:
    moved = world.root / "moved"
    world.elsewhere.rename(moved)
    done = world.forget(world.sha256)
    assert done.away == [world.elsewhere / "jsonl-x"]
    assert done.left == []
    assert PHOTO in " ".join(pairs_of(next(moved.glob("*/train-*"))))
    assert world.forget(exports=[moved]).found == 1
    assert PHOTO not in " ".join(pairs_of(next(moved.glob("*/train-*"))))


def test_captions_of_its_pictures_go(world: World) -> None:
    record = read_record(world.layout().record(NUMBER))
    other = read_record(world.layout().record(0))
    assert record is not None
    assert other is not None
    sha256s = [each.stages["masks"].files["input"].sha256 for each in (record, other)]
    kept = world.settings.export_folder / "imagefolder" / ".captions-0123456789ab.jsonl"
    kept.write_text("".join(f'{{"sha256": "{each}", "text": "a person"}}\n' for each in sha256s))
    assert world.forget(world.sha256).left == []
    assert kept.read_text() == f'{{"sha256": "{sha256s[1]}", "text": "a person"}}\n'


def test_what_trainers_left_goes_by_its_stem_and_the_rest_is_named(world: World) -> None:
    (link,) = (world.settings.export_folder / "diffsynth").glob("train-*")
    latents, other = link / "image" / "000001_0512_flux.npz", link / "image" / "000002.npz"
    for path in (latents, other, link / "cache.bin"):
        path.write_bytes(b"latents")
    done = world.forget(world.sha256)
    assert not latents.exists()
    assert done.strangers == [link / "cache.bin", other]
    assert done.left == []


def test_the_newest_link_of_a_snapshot_that_is_gone_leads_nowhere(world: World) -> None:
    folder = world.settings.export_folder / "imagefolder"
    assert (folder / "val").is_symlink()
    world.forget(world.sha256)
    assert not (folder / "val").is_symlink()
    assert (folder / "train" / "manifest.json").is_file()
    manifest = read_manifest(folder / "train")
    assert manifest is not None
    assert (manifest["pairs"], manifest["photos"], manifest["captions"]) == (3, 3, {"measured": 3})
    assert read_back(folder / "train").passed


def test_a_state_that_was_scanned_before_is_no_longer_believed(world: World) -> None:
    state = of_this_run(world.state(), Recipe())
    assert is_unchanged(state)
    world.forget(world.sha256)
    assert not is_unchanged(state)


def test_every_variant_of_a_photo_goes(world: World) -> None:
    recipe = recipe_with(variants=2, ladder=[0.5], no_gobo=True, keep_light=True)
    read = list_csvs(world.data, "*_images.csv").read("val")
    state = run_split(read, recipe, world.settings, RunOptions(experiment="lights")).state
    write_split_mapping(state, world.settings, "lights")
    folder = world.layout("val", "lights").folder
    variants = folder.parent / "val_images_variants.csv"
    assert len(list(folder.glob("00000_*"))) == 17 + 6 * 4  # each with its light
    assert len(variants.read_text().splitlines()) == 7
    exported = export_split(
        state, layout("webdataset"), ExportOptions(), world.settings.export_folder / "lights"
    ).folder
    assert world.forget(world.sha256).left == []
    assert [path.name for path in folder.glob("00000_*")] == ["00000_failure.json"]
    assert len(variants.read_text().splitlines()) == 1
    assert not exported.exists()


def test_what_of_a_photo_lies_below_an_image_root_is_found_by_its_place(world: World) -> None:
    settings = world.settings.model_copy(update={"image_root": world.photos, "output_root": world.root / "rooted"})
    csv_file = world.data / "rooted_images.csv"
    csv_file.write_text(f"image_path\n{PHOTO}\n{PORTRAITS[0]}\n")
    run_split(list_csvs(world.data, "*_images.csv").read("rooted"), Recipe(), settings, RunOptions())
    request = Request()
    Lookup(settings).add(request, PHOTO, "")
    assert request.reasons == {world.sha256: ""}
    assert forget(settings, request).left == []
    folder = settings.output_root / "data-rooted"
    assert len(list(folder.glob("00000_*"))) == 1
    assert len(list(folder.glob("00001_*"))) == 7
    assert not list(world.layout().folder.glob("00001_failure.json"))  # another output folder has a list of its own


def test_captions_stay_where_a_folder_could_not_be_looked_at(world: World) -> None:
    kept = world.settings.export_folder / "imagefolder" / ".captions-0123456789ab.jsonl"
    kept.write_text(f'{{"sha256": "{"c" * 64}", "text": "a person"}}\n')
    with locked_folder(world.layout("val")):
        assert world.forget("0" * 64).left
    assert kept.read_text()
    assert world.forget().left == []
    assert kept.read_text() == ""


def test_pictures_of_which_nobody_knows_whose_they_are_are_named(world: World) -> None:
    """Their record is damaged, and the photo is gone: they may be of it."""
    layout = world.layout("val")
    (number, *_) = sorted(layout.numbers("metadata.json"))
    layout.record(number).write_bytes(b"damaged")
    layout.record_cache.unlink(missing_ok=True)
    done = world.forget("0" * 64)
    assert [str(left.path) for left in done.left] == [str(layout.folder / f"{number:05d}_*.png")]
    assert "nobody can tell whose pictures these are" in done.left[0].reason
    world.run("val")
    assert world.forget("0" * 64).left == []


def test_a_forgotten_photo_that_is_deleted_stays_rejected(world: World) -> None:
    world.forget(world.sha256)
    world.run("val")
    with world.without_photos():
        state = world.run("val")
    rejected = [image for image in state.images.values() if image.status == "rejected"]
    assert [image.failure.code for image in rejected if image.failure is not None] == ["forgotten"]
    assert state.row_counts()["failed"] == 0
