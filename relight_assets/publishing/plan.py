"""What must be uploaded: one listing and the list of earlier uploads tell; only for the rest each object is asked."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from relight_assets.publishing.bucket import Bucket, Present, at_once
from relight_assets.publishing.trees import Tree, TreeFile

UPLOADS = "uploads.csv"
"""Which upload of each object has which sha256.  It may be removed: then each object is asked for its own."""
_COLUMNS = ("path", "sha256", "size", "tag")


class Upload(NamedTuple):
    """An upload: size in bytes, sha256, and the tag that the store gave it, if it gives any."""

    size: int
    sha256: str
    tag: str | None

    def is_still(self, present: Present) -> bool:
        """Whether what a listing shows is this upload; without a tag nobody knows."""
        return self.tag is not None and (self.size, self.tag) == present


@dataclass(frozen=True)
class Plan:
    """How a tree and what is published of it differ."""

    present: Mapping[str, Present]
    uploads: Mapping[str, Upload]
    """What is known of the objects that are there, by path."""
    new: list[TreeFile] = field(default_factory=list)
    """Files that are not there."""
    changed: list[TreeFile] = field(default_factory=list)
    """Files that are there with other bytes."""
    unchanged: list[TreeFile] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Objects that the tree does not have."""
    manifest_holds: bool = False
    """The manifest is there, and the same."""
    asked: int = 0
    """Objects that were asked for their sha256."""

    @property
    def is_done(self) -> bool:
        """Whether all is there and the same."""
        return self.manifest_holds and not self.new and not self.changed

    @property
    def to_upload(self) -> list[TreeFile]:
        """Files that are new or changed."""
        return [*self.new, *self.changed]


async def make_plan(tree: Tree, bucket: Bucket) -> Plan:
    """Compare a tree with what is published of it.

    Raises:
        DestinationError, PublishStoppedError: the destination cannot be asked.
    """
    present = await bucket.listing(tree.name)
    uploads = await read_uploads(bucket, tree.name) if UPLOADS in present else {}
    known = {path: each for path, each in uploads.items() if path in present and each.is_still(present[path])}
    files = [*tree.files, tree.manifest]
    unknown = [each.path for each in files if _may_be_same(each, present) and each.path not in known]

    async def ask(path: str) -> None:
        found = await bucket.recorded(f"{tree.name}/{path}")
        if found is not None and found.sha256 is not None:
            known[path] = Upload(found.size, found.sha256, present[path].tag)

    await at_once(ask, unknown)

    def is_there(file: TreeFile) -> bool:
        return file.path in known and (known[file.path].size, known[file.path].sha256) == (file.size, file.sha256)

    plan = Plan(
        present,
        known,
        left=sorted(present.keys() - {each.path for each in files} - {UPLOADS}),
        manifest_holds=is_there(tree.manifest),
        asked=len(unknown),
    )
    for each in tree.files:
        group = plan.unchanged if is_there(each) else plan.changed if each.path in present else plan.new
        group.append(each)
    return plan


def _may_be_same(file: TreeFile, present: Mapping[str, Present]) -> bool:
    found = present.get(file.path)
    return found is not None and found.size == file.size


async def read_uploads(bucket: Bucket, name: str) -> dict[str, Upload]:
    """The list of uploads of a tree; nothing of it where it is damaged."""
    data = await bucket.read(f"{name}/{UPLOADS}")
    try:
        text = (data or b"").decode("utf-8")
        return {
            row["path"]: Upload(int(row["size"]), row["sha256"], row["tag"])
            for row in csv.DictReader(io.StringIO(text, newline=""))
        }
    except (ValueError, KeyError, TypeError, csv.Error):
        return {}


def uploads_csv(uploads: Iterable[tuple[str, Upload]]) -> bytes:
    """The list of uploads as it is kept beside them, without those that have no tag."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows((path, each.sha256, each.size, each.tag) for path, each in uploads if each.tag is not None)
    return text.getvalue().encode()
