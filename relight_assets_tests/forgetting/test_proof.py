"""The proof finds what is left: a sha256 in a text, a file with a recorded sha256, a pair in a shard."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.forgetting.proof import Proof
from relight_assets.forgetting.snapshots import Snapshot, snapshots_in
from relight_assets_tests.forgetting.world import SHARDS, TREES, World

PHOTO, PICTURE = "a" * 64, b"a picture"


def found(folder: Path) -> list[str]:
    proof = Proof({PHOTO}, {sha256_hex(PICTURE): len(PICTURE)})
    proof.search([folder])
    return [left.path.name for left in proof.left]


@pytest.mark.parametrize("text", [f'{{"sha256": "{PHOTO}"}}', f"x,{PHOTO.upper()},y\n", PHOTO, sha256_hex(PICTURE)])
@pytest.mark.parametrize("name", ["deep/x.json", "x.csv", "x.html", "x.js", ".thumbnails/x.jpg", ".x.tmp", "x"])
def test_a_sha256_in_a_text(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"before {text} behind")
    assert found(tmp_path) == [path.name]


def test_a_file_with_a_recorded_sha256(tmp_path: Path) -> None:
    (tmp_path / "copy.bin").write_bytes(PICTURE)
    (tmp_path / "other.bin").write_bytes(PICTURE[::-1])
    assert found(tmp_path) == ["copy.bin"]


@pytest.mark.parametrize("text", ["b" * 64, "a" * 65, f"1{PHOTO}", "a" * 63, ""])
def test_what_is_none_of_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    (tmp_path / "link").symlink_to("/dev/zero")
    assert found(tmp_path) == []


def snapshot_of(world: World, layout: str) -> Snapshot:
    return next(each for each in snapshots_in(world.settings.export_folder / layout) if each.split == "train")


@pytest.mark.parametrize("layout", [*TREES, *SHARDS])
def test_a_pair_that_only_the_tables_have_lost_is_found(world: World, layout: str) -> None:
    snapshot = snapshot_of(world, layout)
    world.forget("0" * 64)  # of nothing that is there
    proof = Proof({world.sha256}, {})
    proof.search_pairs(snapshot, ["000001"])
    assert len({left.path for left in proof.left}) >= (2 if layout in SHARDS else 6)
    holding = {left.path.suffix for left in proof.left}
    assert (".tar" if layout == "webdataset" else ".parquet" if layout == "parquet" else ".png") in holding
    world.forget(world.sha256)
    after = Proof({world.sha256}, {})
    after.search_pairs(snapshot, ["000001"])
    assert after.left == []


def test_a_shard_of_the_same_number_is_not_the_pair(world: World) -> None:
    snapshot = snapshot_of(world, "webdataset")
    shard, listed = next(snapshot.folder.glob("*.tar")), snapshot.folder / "files.csv"
    listed.write_text(listed.read_text().replace(shard.name, "train-000009.tar"))
    shard.rename(shard.with_name("train-000009.tar"))
    proof = Proof({world.sha256}, {})
    proof.search_pairs(snapshot, ["000009"])
    assert proof.left == []


def test_a_shard_that_cannot_be_read_proves_nothing(world: World) -> None:
    snapshot = snapshot_of(world, "webdataset")
    shard = next(snapshot.folder.glob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:700])
    proof = Proof(Tombstones().reasons.keys(), {})
    proof.search_pairs(snapshot, ["000009"])
    assert [left.path for left in proof.left] == [shard]
    shutil.rmtree(snapshot.folder)
    gone = Proof((), {})
    gone.search_pairs(replace(snapshot, spec=None), ["000009"])
    assert gone.left == []


def test_a_picture_that_another_photo_has_too_is_none_of_it(world: World) -> None:
    """As a background that is transparent all over: the record of the other says so."""
    own, other = (world.layout().png(number, "background") for number in (1, 0))
    record = world.layout().record(1)
    was, stays = (json.loads(world.layout().record(n).read_bytes()) for n in (1, 0))
    shutil.copyfile(other, own)
    text = record.read_text()
    mine, theirs = (each["stages"]["masks"]["files"]["background"]["sha256"] for each in (was, stays))
    body = text.replace(mine, theirs).rpartition(',\n "sha256"')[0]
    record.write_text(f'{body},\n "sha256": "{sha256_hex(body.encode())}"\n}}\n')
    assert world.forget(world.sha256).left == []
    assert other.exists()
