"""The finished images of a split as they are published: of real runs."""

import csv
import io
import json
from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.engine.replay import replay
from relight_assets.errors import ChangedOutputError, OutputFolderError, UserError
from relight_assets.publishing.check import check_tree
from relight_assets.publishing.publish import Published, PublishOptions, publish_tree
from relight_assets.publishing.split_tree import split_tree
from relight_assets.publishing.stores import AMAZON
from relight_assets_tests.conftest import ALL_FILES, PORTRAITS, Bench, recipe_with


@pytest.fixture
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("published")


def publish(bench: Bench, target: Path, recipe: Recipe | None = None, *, partial: bool = False) -> Published:
    with split_tree(bench.split(), recipe or Recipe(), bench.settings, partial=partial) as tree:
        return publish_tree(tree, Destination.parse(str(target)), PublishOptions())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_pictures_records_and_tables_of_the_rows_that_are_done(finished: Bench, target: Path) -> None:
    did = publish(finished, target)
    there = {path.name: path for path in (target / "data-train").iterdir()}
    pictures = {f"{n:05d}_{name}.png" for n in range(4) for name in ALL_FILES}
    records = {f"{n:05d}_metadata.json" for n in range(4)}
    tables = {"train_images_with_relighting_outputs.csv", "samples.csv", "recipe.yaml", "files.csv"}
    assert there.keys() == pictures | records | tables | {"manifest.json", "uploads.csv"}
    assert did.objects == len(there) - 1
    for name in pictures | records:
        assert there[name].read_bytes() == (finished.layout.folder / name).read_bytes()
    manifest = json.loads(there["manifest.json"].read_text())
    assert manifest["rows"] == {"done": 4, "failed": 2, "rejected": 1}
    assert manifest["images"] == 4
    assert check_tree("data-train", Destination.parse(str(target)), AMAZON, download=True).faults == []
    assert publish(finished, target).changed is False


def test_the_light_that_was_kept_is_published_too(bench: Bench, target: Path) -> None:
    recipe = recipe_with(keep_light=True)
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe)
    publish(bench, target, recipe)
    folder = target / "data-train"
    assert (folder / "00000_light.exr").read_bytes() == bench.layout.artifact(0, "light.exr").read_bytes()
    assert {path.name for path in folder.glob("00000_*")} == {
        *(f"00000_{name}.png" for name in (*ALL_FILES, "normals", "skin", "visibility")),
        "00000_light.exr",
        "00000_metadata.json",
    }
    assert check_tree("data-train", Destination.parse(str(target)), AMAZON, download=True).faults == []


def test_tables_name_the_files_beside_them(finished: Bench, target: Path) -> None:
    publish(finished, target)
    folder = target / "data-train"
    mapping = rows((folder / "train_images_with_relighting_outputs.csv").read_text())
    assert [row["output_image_path"] for row in mapping] == [*(f"{n:05d}_output.png" for n in range(4)), "", "", ""]
    assert [row["note"] for row in mapping] == [row["note"] for row in rows(finished.csv_path.read_text())]
    samples = rows((folder / "samples.csv").read_text())
    assert [row["condition"] for row in samples] == [f"{n:05d}_output.png" for n in range(4)]
    assert all((folder / row["target"]).is_file() for row in samples)


def test_a_published_image_can_be_recomputed_from_its_record(finished: Bench, target: Path) -> None:
    publish(finished, target)
    made = replay(target / "data-train" / "00001_metadata.json")
    assert [each.same for each in made] == [True, True, True]


def test_pending_rows_are_refused_unless_somebody_says_so(bench: Bench, target: Path) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    bench.write_csv(PORTRAITS[:3])
    with pytest.raises(UserError, match=r"the split `train` has 2 pending rows: run it first, or .*--partial"):
        publish(bench, target)
    assert not (target / "data-train").exists()
    assert publish(bench, target, partial=True).objects == 1 + 7 + 4
    manifest = json.loads((target / "data-train" / "manifest.json").read_text())
    assert manifest["rows"] == {"done": 1, "pending": 2}


def test_a_split_without_a_finished_row_is_refused(own: Bench, target: Path) -> None:
    for path in own.layout.folder.glob("*_metadata.json"):
        path.unlink()
    with pytest.raises(UserError, match="no row of the split `train` is done"):
        publish(own, target, partial=True)


def test_a_run_that_is_writing_is_not_disturbed(own: Bench, target: Path) -> None:
    with locked_folder(own.layout), pytest.raises(OutputFolderError, match="is being written by"):
        publish(own, target)


def test_the_lock_is_not_held_while_files_are_uploaded_and_a_changed_picture_is_noticed(
    own: Bench, target: Path
) -> None:
    with split_tree(own.split(), Recipe(), own.settings, partial=False) as tree:
        with locked_folder(own.layout):
            picture = own.layout.png(2, "output")
            picture.write_bytes(picture.read_bytes()[:-1] + b"x")
        with pytest.raises(ChangedOutputError, match=r"00002_output.png has other bytes"):
            publish_tree(tree, Destination.parse(str(target)), PublishOptions())
    assert not (target / "data-train" / "manifest.json").exists()


def test_a_new_gray_uploads_only_what_it_changes(bench: Bench, target: Path) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    publish(bench, target)
    recipe = recipe_with(background={"gray_color": (90, 90, 90)})
    bench.run(recipe)
    did = publish(bench, target, recipe)
    changed = {f"{n:05d}_{name}" for n in range(2) for name in ("output.png", "metadata.json")}
    assert set(did.uploaded) == changed | {"samples.csv", "recipe.yaml", "files.csv"}
