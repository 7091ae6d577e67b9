"""A bucket of the test's server, looked at with another client than the one that is tested."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TestBucket:
    """A bucket and a client of boto3."""

    __test__ = False  # no class of tests
    name: str
    client: Any

    @classmethod
    def make(cls, server: tuple[str, int], name: str) -> "TestBucket":
        import boto3

        client = boto3.client("s3", endpoint_url="http://{}:{}".format(*server), region_name="us-east-1")
        client.create_bucket(Bucket=name)
        return cls(name, client)

    def names(self, prefix: str = "") -> list[str]:
        """All keys, without the prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", [])]

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """The bytes of all objects, by their keys without the prefix."""
        return {key: self.read(prefix + key) for key in self.names(prefix)}

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def sha256(self, key: str) -> str | None:
        """The sha256 that is recorded beside an object."""
        return self.client.head_object(Bucket=self.name, Key=key)["Metadata"].get("sha256")

    def put(self, key: str, data: bytes, **metadata: str) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data, Metadata=metadata)

    def uploads_under_way(self) -> list[str]:
        """Keys of uploads in parts that were neither finished nor given up."""
        found = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [each["Key"] for each in found]
