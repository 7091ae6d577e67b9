"""Opening a destination: credentials, and what is missing."""

import importlib.util
from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError, UserError
from relight_assets.publishing.publish import PublishOptions, publish_tree
from relight_assets.publishing.stores import AMAZON, StoreOptions, need_packages, open_store
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy
from relight_assets_tests.publishing.s3 import SECRET, export_of

S3 = Destination.parse("s3://photos/sets")


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight_assets.publishing.stores.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"needs obstore and boto3: pip install 'relight_assets\[publish\]'"):
        need_packages(S3)
    with pytest.raises(UserError, match=r"needs obstore: pip install"):
        need_packages(Destination.parse("/mnt/sets"))
    monkeypatch.undo()
    assert importlib.util.find_spec("obstore") is not None
    need_packages(S3)


def test_no_credentials_is_a_sentence_with_what_to_do(
    s3_credentials: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(DestinationError, match=r"there are no credentials for S3: log in .* or set AWS_PROFILE"):
        open_store(S3, AMAZON, create=True)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(DestinationError, match=r"boto3 gives no credentials for S3 \(ProfileNotFound\)"):
        open_store(S3, AMAZON, create=True)


def test_a_profile_gives_credentials_and_region(
    bucket: TestBucket, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    (tmp_path / "no credentials").write_text(f"[sets]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key={SECRET}\n")
    (tmp_path / "no config").write_text("[profile sets]\nregion=eu-west-3\n")
    monkeypatch.setenv("AWS_PROFILE", "sets")
    exported = export_of(tmp_path / "exports" / "a", {"a.png": b"a"})
    destination = Destination.parse(f"s3://{bucket.name}")
    publish_tree(exported.tree(), destination, PublishOptions(StoreOptions(proxy.url)))
    signed = proxy.headers[-1]["authorization"]
    assert "AKIAPROFILE" in signed
    assert "/eu-west-3/s3/" in signed
    names = ("a.png", "files.csv", "manifest.json", "uploads.csv")
    assert sorted(bucket.names()) == [f"a/train/{name}" for name in names]
    publish_tree(exported.tree(), destination, PublishOptions(StoreOptions(proxy.url, "ap-south-1")))
    assert "/ap-south-1/s3/" in proxy.headers[-1]["authorization"]
    assert not any(SECRET in str(headers) for headers in proxy.headers)


def test_nothing_of_a_secret_is_in_what_is_opened(s3_credentials: None) -> None:
    assert SECRET not in repr(open_store(S3, AMAZON, create=True))


def test_a_folder_is_made_only_to_be_written(tmp_path: Path) -> None:
    there = Destination.parse(str(tmp_path / "a" / "b"))
    open_store(there, AMAZON, create=False)
    assert not (tmp_path / "a").exists()
    open_store(there, AMAZON, create=True)
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("address", ["gs://photos/sets", "az://account/container/sets"])
def test_other_clouds_are_opened_without_a_request(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    assert open_store(Destination.parse(address), AMAZON, create=True).access_key is None
