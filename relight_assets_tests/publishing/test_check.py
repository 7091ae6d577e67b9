"""What is published is checked from what lies there alone."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.errors import DestinationError
from relight_assets.publishing.check import Checked, check_tree
from relight_assets.publishing.export_trees import ExportedSplit
from relight_assets.publishing.publish import PublishOptions, publish_tree
from relight_assets.publishing.stores import AMAZON, StoreOptions
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import HALF_ANSWER, FaultProxy, Refusal
from relight_assets_tests.publishing.s3 import export_of

PREFIX = "some/prefix/pairs/train/"
Check = Callable[..., Checked]


@pytest.fixture
def check(exported: ExportedSplit, destination: Destination, store: StoreOptions, proxy: FaultProxy) -> Check:
    """Checks what is published: ``check(download=True)``."""
    publish_tree(exported.tree(), destination, PublishOptions(store))
    proxy.forget()
    return lambda *, download=False: check_tree("pairs/train", destination, store, download=download)


def faults(found: Checked) -> dict[str, str]:
    return {fault.path: fault.what for fault in found.faults}


@pytest.mark.parametrize("download", [False, True])
def test_all_is_well(check: Check, proxy: FaultProxy, download: bool) -> None:
    found = check(download=download)
    assert (found.files, found.size, faults(found)) == (21, 20_003, {})
    assert proxy.methods == ({"GET": 23} if download else {"GET": 2, "HEAD": 21})


def test_what_is_wrong_with_each_object_is_said(check: Check, bucket: TestBucket) -> None:
    sha256 = bucket.sha256(f"{PREFIX}image/000003.png")
    assert sha256 is not None
    bucket.client.delete_object(Bucket=bucket.name, Key=f"{PREFIX}image/000000.png")
    bucket.put(f"{PREFIX}image/000001.png", b"short", sha256=sha256)
    bucket.put(f"{PREFIX}image/000002.png", b"x" * 1000)
    bucket.put(f"{PREFIX}image/000003.png", b"y" * 1000, sha256=sha256)  # bytes that nobody would notice
    bucket.put(f"{PREFIX}image/000004.png", b"y" * 1000, sha256="0" * 64)
    assert faults(check()) == {
        "image/000000.png": "it is not there",
        "image/000001.png": "it has 5 bytes, not 1000",
        "image/000002.png": "no sha256 is recorded beside it: something else wrote it; --download reads its bytes",
        "image/000004.png": "it has other bytes than the list says",
    }
    assert faults(check(download=True)) == {
        "image/000000.png": "it is not there",
        "image/000001.png": "it has 5 bytes, not 1000",
        **dict.fromkeys((f"image/00000{n}.png" for n in (2, 3, 4)), "it has other bytes than the list says"),
    }


def test_without_a_manifest_nothing_is_published(check: Check, bucket: TestBucket) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key=f"{PREFIX}manifest.json")
    assert faults(check()) == {"manifest.json": "it is not there: nothing, or not all, is published"}


@pytest.mark.parametrize(
    ("key", "data"), [("files.csv", b"path,sha256,size,made_of\n"), ("manifest.json", b"{"), ("manifest.json", b"[]")]
)
def test_a_list_that_the_manifest_does_not_name_is_a_fault(
    check: Check, bucket: TestBucket, key: str, data: bytes
) -> None:
    bucket.put(PREFIX + key, data)
    assert faults(check()) == {"files.csv": "it is not the list that the manifest names; publish again"}


def test_a_connection_that_breaks_in_the_middle_of_an_object_is_tried_again(check: Check, proxy: FaultProxy) -> None:
    proxy.choose = lambda method, _, count: HALF_ANSWER if method == "GET" and count in {4, 5, 9} else None
    assert faults(check(download=True)) == {}


def test_a_store_that_refuses_is_one_sentence(check: Check, proxy: FaultProxy) -> None:
    proxy.choose = lambda method, *_: Refusal(403, "AccessDenied") if method == "HEAD" else None
    with pytest.raises(DestinationError, match="no permission to read"):
        check()


@pytest.mark.parametrize("data", [b"path,size\n", b"path,sha256,size\na.png,ab,many\n", b"\xff\xfe"])
def test_a_list_that_says_nothing_is_a_fault_although_the_manifest_names_it(
    check: Check, bucket: TestBucket, data: bytes
) -> None:
    bucket.put(f"{PREFIX}files.csv", data)
    bucket.put(f"{PREFIX}manifest.json", json.dumps({"files_sha256": hashlib.sha256(data).hexdigest()}).encode())
    assert faults(check()) == {"files.csv": "it is no list of published files, although its sha256 is right"}


def test_pairs_of_forgotten_photos_are_a_fault(
    tmp_path: Path, destination: Destination, store: StoreOptions, bucket: TestBucket
) -> None:
    photo = "ab" * 32
    samples = f"stem,source_sha256\n000000,{photo}\n000001,{'cd' * 32}\n000002,{photo}\n".encode()
    export = export_of(tmp_path / "exports" / "pairs", {"samples.csv": samples})
    publish_tree(export.tree(), destination, PublishOptions(store))
    barred = Tombstones({photo: "requested"})
    found = check_tree("pairs/train", destination, store, download=False, tombstones=barred)
    assert list(faults(found)) == ["samples.csv"]
    assert faults(found)["samples.csv"].startswith("2 pairs of photos that are forgotten: run `relight forget`, export")
    others = Tombstones({"ef" * 32: "requested"})
    bucket.put(f"{PREFIX}samples.csv", b"stem\n000000\n", sha256=hashlib.sha256(samples).hexdigest())
    found = check_tree("pairs/train", destination, store, download=True, tombstones=others)
    assert "nobody can tell whether it has forgotten photos: it cannot be read" in [each.what for each in found.faults]
    bucket.put(f"{PREFIX}samples.csv", samples, sha256=hashlib.sha256(samples).hexdigest())
    assert faults(check_tree("pairs/train", destination, store, download=False, tombstones=others)) == {}


def test_in_a_folder_files_are_read(exported: ExportedSplit, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sets")
    to = Destination.parse(str(folder))
    assert faults(check_tree("pairs/train", to, AMAZON, download=False)).keys() == {"manifest.json"}
    publish_tree(exported.tree(), to, PublishOptions())
    assert faults(check_tree("pairs/train", to, AMAZON, download=False)) == {}
    (folder / "pairs" / "train" / "image" / "000003.png").write_bytes(b"x" * 1000)
    found = check_tree("pairs/train", to, AMAZON, download=False)
    assert faults(found) == {"image/000003.png": "it has other bytes than the list says"}
