"""Snapshots lose the pairs of a photo and stay what their trainers take; what cannot be judged is named."""

import json
import tarfile
from pathlib import Path

import pytest

from relight_assets.exports.cards.write import card_files
from relight_assets.exports.read_back import read_back
from relight_assets.exports.snapshot import MANIFEST, read_files, read_manifest
from relight_assets_tests.conftest import PORTRAITS, sha256
from relight_assets_tests.forgetting.world import SHARDS, TREES, World


def train_of(world: World, layout: str) -> Path:
    return (world.settings.export_folder / layout / "train").resolve()


@pytest.mark.usefixtures("croissant_too")
@pytest.mark.parametrize("layout", [*TREES, *SHARDS])
def test_what_stays_is_byte_for_byte_what_it_was(world: World, layout: str) -> None:
    folder = train_of(world, layout)
    before = {file.path: file.sha256 for file in read_files(folder)}
    world.forget(world.sha256)
    after = {file.path: file.sha256 for file in read_files(folder)}
    assert read_back(folder).faults == []
    assert all(sha256(folder / path) == found for path, found in after.items())
    gone = before.keys() - after.keys()
    cards = set(card_files())
    assert gone >= cards, "they count the pair"
    assert not any((folder / path).exists() for path in gone)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest["licences"] == {"none given": manifest["pairs"]}
    gone -= cards
    changed = {path for path in after if after[path] != before[path]}
    if layout in TREES:
        assert {Path(path).name[:6] for path in gone} == {"000001"}
        assert len(gone) == 4
        assert {Path(path).suffix for path in changed} <= {".csv", ".jsonl"}
    else:
        # The shards without a pair of it are not touched.
        assert len(before) - 1 >= 2
        assert len(gone) + len(changed - {"samples.csv"}) == 1
    assert not list(folder.rglob("000001*"))


def test_other_pairs_of_a_shard_keep_their_pictures(world: World) -> None:
    world.write_csv("both", [PORTRAITS[0], PORTRAITS[1], PORTRAITS[2]])
    world.run("both")
    folder = world.export("webdataset", "both").folder
    (shard,) = folder.glob("*.tar")

    def members() -> dict[str, bytes]:
        with tarfile.open(shard) as tar:
            return {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]

    before = members()
    world.forget(world.sha256)
    assert members() == {name: data for name, data in before.items() if not name.startswith("000001")}
    assert read_back(folder).faults == []


def test_a_later_export_takes_no_rewritten_shard_for_the_former_one(world: World) -> None:
    world.write_csv("both", [PORTRAITS[0], PORTRAITS[1]])
    world.run("both")
    first = world.export("webdataset", "both").folder
    made_of = {file.path: file.made_of for file in read_files(first)}
    world.forget(world.sha256)
    assert {file.path: file.made_of for file in read_files(first)}["both-000000.tar"] != made_of["both-000000.tar"]
    second = world.export("webdataset", "both").folder
    assert (second != first, read_back(second).faults) == (True, [])


def test_pairs_without_an_answer_are_no_longer_named(world: World) -> None:
    folder = train_of(world, "imagefolder")
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["unanswered"] = [{"stem": "000001", "reason": "x"}, {"stem": "000002", "reason": "y"}]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    world.forget(world.sha256)
    found = read_manifest(folder)
    assert found is not None
    assert found["unanswered"] == [{"stem": "000002", "reason": "y"}]


@pytest.mark.parametrize("damage", [None, b"", b"stem\n1\n", b'stem,source_sha256\n1,"', b"x"])
def test_a_snapshot_whose_table_says_nothing_is_named_and_left(world: World, damage: bytes | None) -> None:
    folder = train_of(world, "imagefolder")
    table = (folder / "samples.csv").read_text()
    if damage is None:
        (folder / "samples.csv").unlink()
    elif damage == b"x":  # cut off
        (folder / "samples.csv").write_text("".join(table.splitlines(keepends=True)[:2]))
    else:
        (folder / "samples.csv").write_bytes(damage)
    done = world.forget(world.sha256)
    assert folder / "samples.csv" in [left.path for left in done.left]
    assert any("nobody can tell whose pairs it has" in left.reason for left in done.left)
    assert (folder / "image" / "000000.png").exists()


def test_a_damaged_shard_is_named_and_its_table_still_says_whose_it_is(world: World) -> None:
    folder = train_of(world, "webdataset")
    for shard in folder.glob("*.tar"):
        shard.write_bytes(shard.read_bytes()[:700])
    done = world.forget(world.sha256)
    assert {left.path.suffix for left in done.left} >= {".tar"}
    assert str(world.photos / PORTRAITS[1]) in (folder / "samples.csv").read_text()


def test_a_layout_that_is_no_longer_known_is_named(world: World) -> None:
    folder = train_of(world, "imagefolder")
    manifest = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"layout": "of another version"}))
    assert folder in [left.path for left in world.forget(world.sha256).left]


def test_what_a_killed_export_left_goes(world: World) -> None:
    left = world.settings.export_folder / "imagefolder" / f".train-{'0' * 12}.somewhere.1.partial"
    (left / "image").mkdir(parents=True)
    (left / "image" / "000001.png").write_bytes(b"half")
    other = left.with_name(f".train-x-{'0' * 12}.somewhere.1.partial")
    other.mkdir()
    world.forget(world.sha256)
    assert not left.exists()
    assert other.exists()  # of another split, which may be exporting


@pytest.mark.parametrize("stem", ["../../../mine", "/mine", ""])
def test_a_forged_table_removes_nothing_elsewhere(world: World, stem: str) -> None:
    folder = train_of(world, "imagefolder")
    mine = world.settings.output_root / "exports" / "mine.png"
    mine.write_bytes(b"mine")
    table = (folder / "samples.csv").read_text()
    (folder / "samples.csv").write_text(table.replace("\n000001,", f"\n{stem},"))
    done = world.forget(world.sha256)
    assert any("a stem in it is none" in left.reason for left in done.left)
    assert mine.read_bytes() == b"mine"


def test_a_forged_list_has_nothing_written_elsewhere(world: World) -> None:
    folder = train_of(world, "imagefolder")
    mine = folder.parent / "mine.jsonl"
    text = '{"stem": "000001", "image": "mine"}\n'
    mine.write_text(text)
    with (folder / "files.csv").open("a") as file:
        file.write(f"../mine.jsonl,{'0' * 64},5,index\n{mine},{'0' * 64},5,index\n")
    world.forget(world.sha256)
    assert mine.read_text() == text
    assert "mine.jsonl" not in (folder / "files.csv").read_text()
