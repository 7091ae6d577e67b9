"""Which exports there are, and which of their files are published."""

import csv
import hashlib
from pathlib import Path

import pytest

from relight_assets.dataset.tombstones import Tombstones
from relight_assets.errors import ChangedOutputError, OutputFolderError, UserError
from relight_assets.exports.snapshot import write_manifest
from relight_assets.publishing.export_trees import ExportedSplit, exported_splits
from relight_assets_tests.publishing.s3 import export_of


def names(root: Path, *exports: str, split: str | None = None) -> list[str]:
    return [each.name for each in exported_splits(root, exports, split)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, split in (("kontext", "train"), ("kontext", "val"), ("shards", "train")):
        export_of(tmp_path / name, {"a.png": b"a"}, split)
    (tmp_path / "empty").mkdir()
    (tmp_path / "kontext" / "elsewhere").symlink_to("/tmp")
    (tmp_path / "kontext" / "gone").symlink_to("gone-0123456789ab")
    (tmp_path / "kontext" / ".captions-x.jsonl").write_text("")
    return tmp_path


def test_every_export_of_every_split_with_a_snapshot(root: Path) -> None:
    assert names(root) == ["kontext/train", "kontext/val", "shards/train"]
    assert names(root, "kontext") == ["kontext/train", "kontext/val"]
    assert names(root, split="train") == ["kontext/train", "shards/train"]
    assert names(root, "shards", split="train") == ["shards/train"]


def test_mistakes_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no export `kontxt` .* did you mean `kontext`\? There are: kontext, shards"):
        names(root, "kontxt")
    with pytest.raises(UserError, match=r"no export `shards` in .* of the split `val`.* There are: kontext"):
        names(root, "shards", split="val")
    with pytest.raises(UserError, match=r"no export in .* of the split `test`: run `relight export` first"):
        names(root, split="test")
    with pytest.raises(UserError, match="no export in"):
        names(tmp_path / "none")
    with pytest.raises(UserError, match=rf"kontext is the folder of one export: give the folder above it, {tmp_path}"):
        names(tmp_path / "kontext")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFolderError, match="cannot be read: Not a directory"):
        names(tmp_path / "file")


def test_files_are_those_of_the_list_the_list_and_the_cards(root: Path) -> None:
    (each,) = exported_splits(root, ["shards"])
    (each.link / "README.md").write_text("# A card\n")
    (each.link / "a.npz").write_bytes(b"a cache of a trainer")
    tree = each.tree()
    assert [file.path for file in tree.files] == ["a.png", "files.csv", "README.md"]
    assert tree.manifest.path == "manifest.json"
    assert tree.unlisted == 1
    for file in tree.files:
        assert hashlib.sha256(Path(file.source).read_bytes()).hexdigest() == file.sha256


def test_an_export_during_publishing_changes_nothing(root: Path) -> None:
    (each,) = exported_splits(root, ["shards"])
    tree = each.tree()
    export_of(root / "shards", {"a.png": b"newer"})
    assert Path(tree.files[0].source).read_bytes() == b"a"


def test_a_snapshot_that_is_not_whole_is_refused(root: Path) -> None:
    (each,) = exported_splits(root, ["shards"])
    (each.link / "a.png").unlink()
    with pytest.raises(ChangedOutputError, match="lacks files of its list"):
        each.tree()


@pytest.mark.parametrize(
    "path", ["../../kontext/train/a.png", "/etc/hostname", "b/../a.png", "a\nb.png", "link.png", "b//c.png"]
)
def test_what_leads_out_of_the_snapshot_is_refused(root: Path, path: str) -> None:
    (each,) = exported_splits(root, ["shards"])
    (each.link / "b").mkdir()
    (each.link / "b" / "c.png").write_bytes(b"a")
    (each.link / "a\nb.png").write_bytes(b"a")
    (each.link / "link.png").symlink_to("/etc/hostname")
    size = (each.link / path).stat().st_size
    with (each.link / "files.csv").open("a", newline="") as stream:
        csv.writer(stream).writerow((path, "0" * 64, size, "x"))
    write_manifest(each.link, {"files_sha256": hashlib.sha256((each.link / "files.csv").read_bytes()).hexdigest()})
    with pytest.raises(ChangedOutputError, match=r"does not lie in the export|is a link"):
        each.tree()


def test_a_name_that_splits_have_is_refused(tmp_path: Path) -> None:
    export_of(tmp_path / "data-train", {"a.png": b"a"})
    (each,) = exported_splits(tmp_path)
    with pytest.raises(UserError, match="`data-train` has a name of a published split: rename its folder"):
        each.tree()


def test_a_link_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputFolderError, match="gone cannot be read"):
        ExportedSplit("a", "gone", tmp_path / "gone").tree()


def test_a_pair_of_a_forgotten_photo_is_not_published(tmp_path: Path) -> None:
    export_of(tmp_path / "pairs", {"a.png": b"a", "samples.csv": b"stem,source_sha256\n0,%s\n1,x\n" % (b"0" * 64)})
    (each,) = exported_splits(tmp_path)
    assert each.tree(Tombstones({"1" * 64: "requested"})).name == each.name
    with pytest.raises(UserError, match="has 1 pair of photos that are forgotten: run `relight forget`"):
        each.tree(Tombstones({"0" * 64: "requested"}))
