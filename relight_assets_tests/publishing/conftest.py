"""What is published, where, and how it is asked for."""

from datetime import timedelta
from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.publishing import stores
from relight_assets.publishing.export_trees import ExportedSplit
from relight_assets.publishing.stores import StoreOptions
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy
from relight_assets_tests.publishing.s3 import PAIRS, export_of


@pytest.fixture
def bucket(s3_bucket: TestBucket) -> TestBucket:
    return s3_bucket


@pytest.fixture
def proxy(s3_proxy: FaultProxy) -> FaultProxy:
    return s3_proxy


@pytest.fixture
def destination(bucket: TestBucket) -> Destination:
    return Destination.parse(f"s3://{bucket.name}/some/prefix")


@pytest.fixture
def store(proxy: FaultProxy, bucket: TestBucket, monkeypatch: pytest.MonkeyPatch) -> StoreOptions:
    """The server by way of the proxy; what fails is tried again three times, at once."""
    quick = {"init_backoff": timedelta(milliseconds=5), "max_backoff": timedelta(milliseconds=20)}
    monkeypatch.setattr(stores, "RETRY", {"max_retries": 3, "retry_timeout": timedelta(seconds=20), "backoff": quick})
    return StoreOptions(endpoint=proxy.url)


@pytest.fixture
def exported(tmp_path: Path) -> ExportedSplit:
    return export_of(tmp_path / "exports" / "pairs", {**PAIRS, "metadata.jsonl": b"{}\n"})
