"""One destination, asked many things at a time."""

import asyncio
import hashlib

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError, PublishStoppedError
from relight_assets.publishing.bucket import AT_ONCE, Bucket, Present, Recorded, at_once
from relight_assets.publishing.stores import StoreOptions
from relight_assets.publishing.trees import PART
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import HALF_ANSWER, FaultProxy, Refusal


def test_keys_are_below_the_prefix_and_trees_do_not_mix(
    destination: Destination, store: StoreOptions, bucket: TestBucket
) -> None:
    bucket.put("some/prefix/pairs/train-old/a.txt", b"other", sha256="x")
    bucket.put("some/prefix/pairs/train", b"an object of the same name")

    async def run() -> None:
        open_bucket = Bucket(destination, store, create=False)
        assert await open_bucket.listing("pairs/train") == {}
        tag = await open_bucket.put("pairs/train/image/a b+ü.txt", b"text", "0" * 64)
        assert await open_bucket.listing("pairs/train") == {"image/a b+ü.txt": Present(4, tag)}
        assert await open_bucket.recorded("pairs/train/image/a b+ü.txt") == Recorded(4, "0" * 64)
        assert await open_bucket.read("pairs/train/image/a b+ü.txt") == b"text"
        await open_bucket.remove(["pairs/train/image/a b+ü.txt", "pairs/train/gone"])
        assert await open_bucket.read("pairs/train/image/a b+ü.txt") is None
        assert await open_bucket.recorded("pairs/train/gone") is None
        assert await open_bucket.hashed("pairs/train/gone") is None

    asyncio.run(run())
    assert bucket.names() == ["some/prefix/pairs/train", "some/prefix/pairs/train-old/a.txt"]


def test_a_listing_has_more_than_one_page(destination: Destination, store: StoreOptions, bucket: TestBucket) -> None:
    for number in range(1005):
        bucket.put(f"some/prefix/pairs/train/{number:06d}.txt", b"")

    async def run() -> int:
        return len(await Bucket(destination, store, create=False).listing("pairs/train"))

    assert asyncio.run(run()) == 1005


def test_objects_that_stand_for_folders_are_none_of_the_tree_and_odd_keys_are_named(
    destination: Destination, store: StoreOptions, bucket: TestBucket
) -> None:
    bucket.put("some/prefix/pairs/train/", b"")
    bucket.put("some/prefix/pairs/train/a.txt", b"")

    async def run() -> list[str]:
        return list(await Bucket(destination, store, create=False).listing("pairs/train"))

    assert asyncio.run(run()) == ["a.txt"]
    bucket.put("some/prefix/pairs/train//b.txt", b"")
    with pytest.raises(DestinationError, match="an object lies there whose key is no path"):
        asyncio.run(run())


def test_a_large_object_is_read_in_ranges_and_each_is_tried_again(
    destination: Destination, store: StoreOptions, bucket: TestBucket, proxy: FaultProxy
) -> None:
    data = bytes(range(256)) * (5 * PART // 512) + b"end"
    bucket.put("some/prefix/a.tar", data)
    proxy.choose = lambda _, __, count: HALF_ANSWER if count in {1, 3} else None

    async def run() -> None:
        open_bucket = Bucket(destination, store, create=False)
        assert await open_bucket.hashed("a.tar") == Recorded(len(data), hashlib.sha256(data).hexdigest())
        assert await open_bucket.read("a.tar") == data

    asyncio.run(run())
    ranges = [headers["range"] for headers in proxy.headers if "range" in headers]
    assert f"bytes={2 * PART}-{len(data) - 1}" in ranges


def test_no_bucket_is_one_sentence(store: StoreOptions, bucket: TestBucket) -> None:
    other = Destination.parse(f"s3://no-{bucket.name}/x")

    async def list_it() -> None:
        await Bucket(other, store, create=False).listing("pairs/train")

    async def read_it() -> None:
        await Bucket(other, store, create=False).read("pairs/train/manifest.json")

    for run in (list_it, read_it):
        with pytest.raises(DestinationError, match=f"there is no bucket `no-{bucket.name}`"):
            asyncio.run(run())


def test_nobody_answers(destination: Destination, store: StoreOptions) -> None:
    async def run() -> None:
        await Bucket(destination, StoreOptions("http://127.0.0.1:9"), create=False).listing("pairs/train")

    with pytest.raises(PublishStoppedError, match="the store cannot be reached"):
        asyncio.run(run())


def test_expired_credentials_that_are_still_the_same_end_it_at_once(
    destination: Destination, store: StoreOptions, proxy: FaultProxy
) -> None:
    proxy.choose = lambda *_: Refusal(400, "ExpiredToken")

    async def run() -> None:
        await Bucket(destination, store, create=False).listing("pairs/train")

    with pytest.raises(PublishStoppedError, match="the credentials have expired"):
        asyncio.run(run())
    assert proxy.methods == {"GET": 1}


def test_many_at_a_time_and_the_first_error_ends_all() -> None:
    started: list[int] = []
    ended: list[int] = []

    async def work(item: int) -> None:
        started.append(item)
        await asyncio.sleep(0)
        if item == 3:
            raise ValueError("three")
        await asyncio.sleep(60 if item < AT_ONCE else 0)
        ended.append(item)

    with pytest.raises(ValueError, match="three"):
        asyncio.run(at_once(work, range(1000)))
    assert started == list(range(AT_ONCE))
    assert ended == []


def test_all_of_many_are_done() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        await asyncio.sleep(0)
        done.append(item)

    asyncio.run(at_once(work, range(100)))
    assert sorted(done) == list(range(100))
