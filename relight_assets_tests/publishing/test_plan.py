"""What is to be uploaded, told by a listing, by the list of earlier uploads, and by the objects themselves."""

import asyncio
from dataclasses import replace

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.publishing.bucket import Bucket, Present
from relight_assets.publishing.export_trees import ExportedSplit
from relight_assets.publishing.plan import UPLOADS, Plan, Upload, make_plan, uploads_csv
from relight_assets.publishing.publish import PublishOptions, publish_tree
from relight_assets.publishing.stores import StoreOptions
from relight_assets.publishing.trees import Tree
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy

PREFIX = "some/prefix/pairs/train/"


@pytest.fixture
def tree(exported: ExportedSplit, destination: Destination, store: StoreOptions, proxy: FaultProxy) -> Tree:
    """A tree that is published."""
    tree = exported.tree()
    publish_tree(tree, destination, PublishOptions(store))
    proxy.forget()
    return tree


def plan_of(tree: Tree, destination: Destination, store: StoreOptions) -> Plan:
    async def run() -> Plan:
        return await make_plan(tree, Bucket(destination, store, create=False))

    return asyncio.run(run())


def paths(plan: Plan) -> tuple[list[str], list[str]]:
    return [file.path for file in plan.new], [file.path for file in plan.changed]


def test_nothing_is_to_do(tree: Tree, destination: Destination, store: StoreOptions) -> None:
    plan = plan_of(tree, destination, store)
    assert plan.is_done
    assert (paths(plan), plan.asked, plan.left) == (([], []), 1, [])


def test_an_object_that_is_gone_is_new(
    tree: Tree, destination: Destination, store: StoreOptions, bucket: TestBucket
) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key=f"{PREFIX}image/000001.png")
    plan = plan_of(tree, destination, store)
    assert paths(plan) == (["image/000001.png"], [])
    assert plan.manifest_holds
    assert not plan.is_done


def test_another_upload_of_the_same_size_is_asked_for_its_sha256(
    tree: Tree, destination: Destination, store: StoreOptions, bucket: TestBucket, proxy: FaultProxy
) -> None:
    bucket.put(f"{PREFIX}image/000001.png", b"y" * 1000)
    bucket.put(f"{PREFIX}image/000002.png", b"z" * 1000, sha256="0" * 64)
    plan = plan_of(tree, destination, store)
    assert paths(plan) == ([], ["image/000001.png", "image/000002.png"])
    assert sorted(path.rpartition("/")[2] for path in proxy.paths("HEAD")) == [
        "000001.png", "000002.png", "manifest.json",
    ]  # fmt: skip


def test_without_its_list_of_uploads_each_object_is_asked(
    tree: Tree, destination: Destination, store: StoreOptions, bucket: TestBucket, proxy: FaultProxy
) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key=PREFIX + UPLOADS)
    assert plan_of(tree, destination, store).is_done
    assert proxy.methods["HEAD"] == 23
    publish_tree(tree, destination, PublishOptions(store))
    proxy.forget()
    assert plan_of(tree, destination, store).is_done
    assert proxy.methods["HEAD"] == 0


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"path,sha256\nimage/000001.png,1\n", b"", b'path,"\n'])
def test_a_damaged_list_of_uploads_counts_as_none(
    tree: Tree, destination: Destination, store: StoreOptions, bucket: TestBucket, damage: bytes
) -> None:
    bucket.put(PREFIX + UPLOADS, damage)
    plan = plan_of(tree, destination, store)
    assert plan.is_done
    assert plan.asked == 23


def test_a_forged_list_of_uploads_vouches_for_no_other_upload(
    tree: Tree, destination: Destination, store: StoreOptions, bucket: TestBucket
) -> None:
    wanted = next(file for file in tree.files if file.path == "image/000001.png")
    bucket.put(f"{PREFIX}image/000001.png", b"y" * 1000)
    bucket.put(PREFIX + UPLOADS, uploads_csv([(wanted.path, Upload(1000, wanted.sha256, "another tag"))]))
    assert paths(plan_of(tree, destination, store)) == ([], ["image/000001.png"])


def test_an_upload_is_the_same_by_size_and_tag() -> None:
    upload = Upload(5, "0" * 64, '"tag"')
    assert upload.is_still(Present(5, '"tag"'))
    assert not upload.is_still(Present(5, '"other"'))
    assert not upload.is_still(Present(6, '"tag"'))
    assert not upload.is_still(Present(5, None))


def test_a_tree_of_which_nothing_is_there_is_new(
    exported: ExportedSplit, destination: Destination, store: StoreOptions, proxy: FaultProxy
) -> None:
    tree = replace(exported.tree(), name="pairs/other")
    plan = plan_of(tree, destination, store)
    assert [file.path for file in plan.new] == [file.path for file in tree.files]
    assert proxy.methods == {"GET": 1}
