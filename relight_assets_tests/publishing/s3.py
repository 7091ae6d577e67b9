"""A real S3 server in this process, a proxy before it that can fail, credentials, and small exports: for all tests."""

import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from relight_assets.exports.snapshot import FILES, Snapshots, WrittenFile, write_files, write_manifest
from relight_assets.publishing.export_trees import ExportedSplit
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy, faulty

SECRET, TOKEN = "s3cr3tAccessKeyValue", "t0kenOfTheSession"
"""What nothing may show."""


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, int]]:
    """A real S3 server of this process: host and port."""
    from moto.server import ThreadedMotoServer  # not where no test needs it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def s3_proxy(s3_server: tuple[str, int]) -> Iterator[FaultProxy]:
    with faulty(s3_server) as made:
        yield made


@pytest.fixture
def s3_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials in the environment, and none of the machine's own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def s3_bucket(s3_server: tuple[str, int], s3_credentials: None) -> TestBucket:
    """A new, empty bucket, which is looked at with boto3."""
    return TestBucket.make(s3_server, f"bucket-{secrets.token_hex(4)}")


def export_of(root: Path, files: Mapping[str, bytes], split: str = "train") -> ExportedSplit:
    """A snapshot of these files, as an export writes it, and the newest."""
    snapshots = Snapshots(root, split)
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    with snapshots.new(digest) as folder:
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        listed = [
            WrittenFile(path, hashlib.sha256(data).hexdigest(), len(data), "test") for path, data in files.items()
        ]
        write_files(folder, listed)
        files_sha256 = hashlib.sha256((folder / FILES).read_bytes()).hexdigest()
        write_manifest(folder, {"digest": digest, "pairs": len(files), "files_sha256": files_sha256})
    return ExportedSplit(root.name, split, snapshots.newest)


PAIRS = {f"image/{number:06d}.png": bytes([number]) * 1000 for number in range(20)}
"""Pictures, as far as publishing is concerned."""


def assert_manifest_fits(bucket: TestBucket, prefix: str) -> None:
    """What lies in the bucket is what its manifest says, by the sha256 of all bytes."""
    objects = bucket.objects(prefix)
    manifest = json.loads(objects["manifest.json"])
    assert hashlib.sha256(objects["files.csv"]).hexdigest() == manifest["files_sha256"]
    for line in objects["files.csv"].decode().splitlines()[1:]:
        path, sha256, size, _ = line.split(",")
        assert (len(objects[path]), hashlib.sha256(objects[path]).hexdigest()) == (int(size), sha256), path
