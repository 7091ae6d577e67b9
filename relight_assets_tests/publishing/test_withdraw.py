"""Which trees are published, and taking one away: in a bucket and in a folder."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError, PublishStoppedError
from relight_assets.publishing.export_trees import ExportedSplit
from relight_assets.publishing.publish import PublishOptions, publish_tree
from relight_assets.publishing.stores import AMAZON, StoreOptions
from relight_assets.publishing.withdraw import published_trees, withdraw_tree
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy, Refusal
from relight_assets_tests.publishing.s3 import PAIRS, export_of

PREFIX = "some/prefix/pairs/train/"
FILES = sorted([*PAIRS, "metadata.jsonl", "files.csv", "manifest.json", "uploads.csv"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sets"


@pytest.fixture(params=["bucket", "folder"])
def place(request: pytest.FixtureRequest, folder: Path) -> tuple[Destination, StoreOptions]:
    """A bucket, and a folder."""
    if request.param == "folder":
        return Destination.parse(str(folder)), AMAZON
    return request.getfixturevalue("destination"), request.getfixturevalue("store")


@pytest.fixture
def publish(place: tuple[Destination, StoreOptions]) -> Callable[[ExportedSplit], None]:
    def run(export: ExportedSplit) -> None:
        publish_tree(export.tree(), place[0], PublishOptions(place[1]))

    return run


def test_trees_are_found_by_their_manifests(
    publish: Callable[[ExportedSplit], None], place: tuple[Destination, StoreOptions], exported: ExportedSplit
) -> None:
    assert published_trees(*place) == []
    publish(exported)
    publish(export_of(exported.link.parents[1] / "other", {"a/manifest.json": b"{}"}, "val"))
    assert published_trees(*place) == ["other/val", "pairs/train"]


def test_all_that_was_published_of_a_tree_goes(
    publish: Callable[[ExportedSplit], None], place: tuple[Destination, StoreOptions], exported: ExportedSplit
) -> None:
    publish(exported)
    publish(export_of(exported.link.parent, {"a.png": b"newer"}))  # what the first has left belongs to it
    publish(export_of(exported.link.parents[1] / "other", {"a.png": b"a"}))
    rehearsed = withdraw_tree("pairs/train", *place, dry_run=True)
    assert published_trees(*place) == ["other/train", "pairs/train"]
    done = withdraw_tree("pairs/train", *place)
    assert done == rehearsed
    assert (done.removed, done.left) == (sorted([*FILES, "a.png"]), [])
    assert published_trees(*place) == ["other/train"]
    with pytest.raises(DestinationError, match="has nothing that was published as pairs/train; there are: other/train"):
        withdraw_tree("pairs/train", *place)


def test_what_others_wrote_stays(destination: Destination, store: StoreOptions, bucket: TestBucket) -> None:
    bucket.put(f"{PREFIX}notes.txt", b"of somebody")
    with pytest.raises(DestinationError, match="nothing that was published as pairs/train, nor anything else"):
        withdraw_tree("pairs/train", destination, store)
    bucket.put(f"{PREFIX}a.png", b"x", sha256="0" * 64)  # of a publication that was interrupted
    done = withdraw_tree("pairs/train", destination, store)
    assert (done.removed, done.left) == (["a.png"], ["notes.txt"])
    assert bucket.names() == [f"{PREFIX}notes.txt"]


def test_the_manifest_goes_first_and_a_second_call_removes_the_rest(
    exported: ExportedSplit, destination: Destination, store: StoreOptions, bucket: TestBucket, proxy: FaultProxy
) -> None:
    publish_tree(exported.tree(), destination, PublishOptions(store))
    proxy.forget()
    denied = Refusal(403, "AccessDenied")
    proxy.choose = lambda method, *_: (
        denied if method in {"POST", "DELETE"} and "manifest.json" not in bucket.names(PREFIX) else None
    )
    with pytest.raises((DestinationError, PublishStoppedError)):
        withdraw_tree("pairs/train", destination, store)
    assert "manifest.json" not in bucket.names(PREFIX)
    assert published_trees(destination, store) == []
    proxy.choose = lambda *_: None
    withdraw_tree("pairs/train", destination, store)
    assert bucket.names() == []


def test_a_folder_keeps_no_empty_folders_and_others_files(exported: ExportedSplit, folder: Path) -> None:
    to = Destination.parse(str(folder))
    publish_tree(exported.tree(), to, PublishOptions())
    (folder / "pairs" / "train" / "mine.txt").write_text("mine")
    done = withdraw_tree("pairs/train", to)
    assert done.left == ["mine.txt"]
    assert [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))] == [
        "pairs", "pairs/train", "pairs/train/mine.txt"
    ]  # fmt: skip


def test_a_copy_of_a_folder_is_known_by_its_list(exported: ExportedSplit, folder: Path, tmp_path: Path) -> None:
    publish_tree(exported.tree(), Destination.parse(str(folder)), PublishOptions())
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "pairs" / "train" / "image" / "000003.png").write_bytes(b"edited")
    done = withdraw_tree("pairs/train", Destination.parse(str(copy)))
    assert done.left == ["image/000003.png"]


def test_a_folder_of_somebody_else_is_left_alone(folder: Path) -> None:
    other = folder / "web" / "app"
    other.mkdir(parents=True)
    (other / "manifest.json").write_text('{"name": "app"}')
    assert published_trees(Destination.parse(str(folder))) == []
    with pytest.raises(DestinationError, match="nothing that was published as web/app"):
        withdraw_tree("web/app", Destination.parse(str(folder)))
    assert (other / "manifest.json").exists()


def test_a_list_that_says_nothing_is_no_traceback(folder: Path) -> None:
    other = folder / "pairs" / "train"
    other.mkdir(parents=True)
    (other / "files.csv").write_bytes(b"\xff")
    sha256 = hashlib.sha256(b"\xff").hexdigest()
    (other / "manifest.json").write_text(json.dumps({"files_sha256": sha256}))
    with pytest.raises(DestinationError, match="has nothing that was published as pairs/train"):
        withdraw_tree("pairs/train", Destination.parse(str(folder)))


@pytest.mark.parametrize("name", ["", "..", "a/..", "a/b/c", "../x", "a\\b", "/a"])
def test_a_name_is_that_of_a_tree(folder: Path, name: str) -> None:
    with pytest.raises(DestinationError, match="is no name of a published tree: give EXPORT/SPLIT"):
        withdraw_tree(name, Destination.parse(str(folder)))
