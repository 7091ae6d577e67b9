"""What lies under numbers whose rows are gone is removed when somebody asks, and only when it is sure."""

import shutil
from pathlib import Path

import pytest

from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.index import load
from relight_assets.dataset.origin import Origin, write_origin
from relight_assets.engine.prune import Orphans, csv_is_gone, find_orphans, prune
from relight_assets.engine.publish import write_split_mapping
from relight_assets.errors import OtherPhotosError, OutputFolderError, UserError
from relight_assets.reports.gallery.gallery import write_gallery
from relight_assets_tests.conftest import PORTRAITS, Bench, assert_records_tell_the_truth, recipe_with
from relight_assets_tests.faults.one_file import put


@pytest.fixture
def ran(bench: Bench) -> Bench:
    """Three portraits and a cat, of which the CSV names the second alone by now."""
    bench.write_csv([*PORTRAITS[:3], "cat.png"])
    write_split_mapping(bench.run().state, bench.settings)
    bench.write_csv([PORTRAITS[1]])
    return bench


def found(bench: Bench) -> Orphans:
    return find_orphans(bench.split(), Recipe(), bench.settings)


def test_orphans_are_listed_and_nothing_is_changed(ran: Bench) -> None:
    before = sorted(path.name for path in ran.layout.folder.iterdir())
    orphans = found(ran)
    assert orphans.numbers == (0, 2, 3)
    assert len(orphans.files) == 7 + 7 + 1 + 3
    assert orphans.files[:3] == tuple(ran.layout.thumbnail(number) for number in orphans.numbers)
    assert orphans.size == sum(path.stat().st_size for path in orphans.files)
    assert sorted(path.name for path in ran.layout.folder.iterdir()) == before
    assert ran.state().orphans == 3


def test_they_are_removed_with_what_mappings_say_of_them_and_their_numbers_stay_theirs(ran: Bench) -> None:
    kept = {path.name: path.read_bytes() for path in ran.layout.folder.glob("00001_*")}
    assert prune(ran.split(), Recipe(), ran.settings).numbers == (0, 2, 3)
    assert {path.name: path.read_bytes() for path in ran.layout.folder.glob("0*")} == kept
    assert ran.layout.thumbnail_numbers() == {1}
    assert ran.state().orphans == 0
    lines = (ran.folder / "train_images_with_relighting_outputs.csv").read_text().splitlines()[1:]
    assert [bool(line.rpartition(",")[2]) for line in lines] == [False, True, False, False]
    ran.write_csv([PORTRAITS[1], PORTRAITS[3], PORTRAITS[0]])
    summary = ran.run()
    assert summary.tally.computed_images == 2
    numbers = load(ran.layout)
    assert [numbers[str(ran.photos / name)] for name in (PORTRAITS[0], PORTRAITS[1], PORTRAITS[3])] == [0, 1, 4]
    assert_records_tell_the_truth(ran.layout)


def test_the_light_that_was_kept_goes_with_them(bench: Bench) -> None:
    recipe = recipe_with(keep_light=True)
    bench.write_csv(PORTRAITS[:2])
    write_split_mapping(bench.run(recipe).state, bench.settings)
    bench.write_csv(PORTRAITS[:1])
    assert len(list(bench.layout.folder.glob("00001_*"))) == 7 + 4
    assert prune(bench.split(), recipe, bench.settings).numbers == (1,)
    assert list(bench.layout.folder.glob("00001_*")) == []
    assert bench.layout.artifact(0, "light.exr").is_file()


def test_the_gallery_that_shows_them_goes_with_them(ran: Bench) -> None:
    page = write_gallery(ran.state(), ran.settings, DEFAULT_QUALITY).page
    prune(ran.split(), Recipe(), ran.settings)
    assert not page.exists()
    page = write_gallery(ran.state(), ran.settings, DEFAULT_QUALITY).page
    assert prune(ran.split(), Recipe(), ran.settings).numbers == ()
    assert page.is_file()


def test_nothing_is_removed_for_a_csv_that_is_another(ran: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copyfile(ran.csv_path, other / "train_images.csv")
    (other / "train_images.csv").write_text("image_path\nx.png\n")
    ran.folder = other
    with pytest.raises(OtherPhotosError):
        prune(ran.split(), Recipe(), ran.settings)


def test_nothing_is_removed_while_a_row_may_be_an_orphan_under_another_name(ran: Bench, tmp_path: Path) -> None:
    moved = tmp_path / "moved.png"
    shutil.copyfile(ran.photos / PORTRAITS[0], moved)
    ran.write_csv([PORTRAITS[1], str(moved)])
    with pytest.raises(UserError, match=r"1 rows, for instance .*moved.png"):
        prune(ran.split(), Recipe(), ran.settings)
    ran.run()
    assert found(ran).numbers == (2, 3)
    ran.write_csv([PORTRAITS[1], "not there.png"])
    ran.run()
    with pytest.raises(UserError, match="not there"):
        prune(ran.split(), Recipe(), ran.settings)


def test_nothing_is_removed_while_a_row_with_a_number_has_no_images(ran: Bench, tmp_path: Path) -> None:
    moved = tmp_path / "moved.png"
    ran.write_csv([PORTRAITS[1], str(moved)])
    assert ran.run().state.row_counts() == {"done": 1, "failed": 1}
    shutil.copyfile(ran.photos / PORTRAITS[0], moved)  # it comes later
    with pytest.raises(UserError, match=r"1 rows, for instance .*moved.png"):
        prune(ran.split(), Recipe(), ran.settings)
    assert ran.run().tally.computed_images == 0
    assert prune(ran.split(), Recipe(), ran.settings).numbers == (2, 3)


def test_nothing_is_removed_of_a_folder_that_belonged_to_a_csv_that_is_away(ran: Bench) -> None:
    write_origin(ran.layout, Origin("/away/train_images.csv", "0" * 64))
    with pytest.raises(UserError, match="belongs to /away"):
        prune(ran.split(), Recipe(), ran.settings)


def test_a_split_that_was_never_run_has_none(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    for how in (find_orphans, prune):
        assert how(bench.split(), Recipe(), bench.settings).numbers == ()
    assert not bench.settings.output_root.exists()


def test_an_experiment_has_orphans_of_its_own(ran: Bench) -> None:
    ran.write_csv(PORTRAITS[:2])
    other = recipe_with(seed=7)
    ran.run(other, experiment="x")
    ran.write_csv(PORTRAITS[:1])
    assert prune(ran.split(), other, ran.settings, "x").numbers == (1,)
    assert found(ran).numbers == (1, 2, 3)


def test_when_a_csv_is_gone(ran: Bench, tmp_path: Path) -> None:
    ran.write_csv(PORTRAITS[:1])
    ran.run()
    assert not csv_is_gone(ran.settings.output_root, "train")  # it lies elsewhere, perhaps
    ran.csv_path.unlink()
    assert csv_is_gone(ran.settings.output_root, "train")
    assert csv_is_gone(ran.settings.output_root, "never")
    write_origin(ran.layout, Origin(str(tmp_path / "unmounted" / "train_images.csv"), "0" * 64))
    with pytest.raises(UserError, match="whose folder is not there"):
        csv_is_gone(ran.settings.output_root, "train")
    ran.csv_path.symlink_to(ran.csv_path.name)
    write_origin(ran.layout, Origin(str(ran.csv_path), "0" * 64))
    with pytest.raises(UserError, match="cannot be read now"):
        csv_is_gone(ran.settings.output_root, "train")


def test_what_cannot_be_removed_is_named_and_the_others_go(ran: Bench) -> None:
    blocked = ran.layout.png(2, "output")
    put("a folder that is not empty", blocked)
    put("a folder", ran.layout.png(2, "albedo"))
    put("a pipe", ran.layout.png(0, "output"))
    with pytest.raises(OutputFolderError, match="cannot be removed") as reported:
        prune(ran.split(), Recipe(), ran.settings)
    assert str(blocked) in str(reported.value)
    assert {path.name.partition("_")[0] for path in ran.layout.folder.glob("0*")} == {"00001", "00002"}
    assert list(ran.layout.folder.glob("00002*")) == [blocked]
    assert found(ran).numbers == (2,)


def test_a_record_that_cannot_be_removed_keeps_its_images(ran: Bench) -> None:
    put("a folder that is not empty", ran.layout.record(2))
    with pytest.raises(OutputFolderError, match=r"00002_metadata\.json"):
        prune(ran.split(), Recipe(), ran.settings)
    assert ran.layout.png(2, "output").exists()
    assert not ran.layout.png(0, "output").exists()


def test_nothing_is_removed_for_a_csv_without_rows(ran: Bench) -> None:
    before = sorted(path.name for path in ran.layout.folder.glob("0*"))
    ran.write_csv([])
    with pytest.raises(UserError, match="names no photo"):
        prune(ran.split(), Recipe(), ran.settings)
    assert sorted(path.name for path in ran.layout.folder.glob("0*")) == before
