"""Trees that are published: which there are, and removing one as a whole."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from relight_assets.config.datasets.publish import Destination
from relight_assets.core.hashing import sha256_hex
from relight_assets.errors import DestinationError, InterruptedRunError
from relight_assets.publishing.bucket import Bucket, Present, at_once
from relight_assets.publishing.plan import UPLOADS, read_uploads
from relight_assets.publishing.stores import AMAZON, StoreOptions
from relight_assets.publishing.trees import FILES, MANIFEST, files_sha256, listed_files

_NAME = re.compile(r"[^/\\]+(/[^/\\]+)?")
"""Of a tree: a split's folder, or an export and a split."""


@dataclass(frozen=True)
class Withdrawn:
    """What withdrawing a tree did, or would do."""

    name: str
    removed: Sequence[str]
    """Paths of the objects that publications wrote."""
    left: Sequence[str]
    """Paths of what others wrote there."""


def published_trees(destination: Destination, store: StoreOptions = AMAZON) -> list[str]:
    """The names of all trees that are published at a destination, each by its manifest.

    Raises:
        UserError: a package is missing.
        DestinationError, PublishStoppedError: the destination cannot be asked.
        InterruptedRunError: somebody pressed Ctrl-C.
    """

    async def ask() -> list[str]:
        with Bucket(destination, store, create=False) as bucket:
            return await _trees_in(bucket)

    try:
        return asyncio.run(ask())
    except KeyboardInterrupt:
        raise InterruptedRunError("stopped; nothing was changed") from None


def withdraw_tree(
    name: str, destination: Destination, store: StoreOptions = AMAZON, *, dry_run: bool = False
) -> Withdrawn:
    """Remove what publications have written of a tree: first the manifest, so that nothing is published of it any more.

    What others wrote there stays.  After a kill the same call removes the rest.

    Args:
        name: of the tree.
        destination: where it lies.
        store: of a store that speaks S3.
        dry_run: only tell what would go.

    Raises:
        UserError: a package is missing.
        DestinationError: nothing is published there under the name, or the destination cannot be used.
        PublishStoppedError: it failed half way; the same call goes on from there.
        InterruptedRunError: somebody pressed Ctrl-C.
    """
    if not _NAME.fullmatch(name) or {".", ".."} & {*name.split("/")}:
        raise DestinationError(f"{name!r} is no name of a published tree: give EXPORT/SPLIT, or data-SPLIT")
    destination.refuse_link(name)

    async def remove() -> Withdrawn:
        with Bucket(destination, store, create=False) as bucket:
            return await _withdraw(name, bucket, dry_run=dry_run)

    try:
        return asyncio.run(remove())
    except KeyboardInterrupt:
        raise InterruptedRunError(f"stopped; call it again, which removes the rest of {name}") from None


async def _trees_in(bucket: Bucket) -> list[str]:
    found: list[str] = []
    folders = await bucket.folders("")

    async def look(folder: str) -> None:
        for name in (folder, *(await bucket.folders(folder))):
            manifest = await bucket.read(f"{name}/{MANIFEST}")
            if manifest is not None and files_sha256(manifest) is not None:
                found.append(name)

    await at_once(look, folders)
    return sorted(found)


async def _withdraw(name: str, bucket: Bucket, *, dry_run: bool) -> Withdrawn:
    present = await bucket.listing(name)
    ours = await _ours(name, bucket, present)
    if not ours:
        there = await _trees_in(bucket)
        raise DestinationError(
            f"{bucket.destination} has nothing that was published as {name}"
            f"{'; there are: ' if there else ', nor anything else'}{', '.join(there)}"
        )
    if not dry_run:
        # The list of uploads goes last: in a folder it alone tells what is ours.
        for paths in _in_turn(ours):
            await bucket.remove([f"{name}/{path}" for path in paths])
    return Withdrawn(name, sorted(ours), sorted(present.keys() - ours))


def _in_turn(paths: set[str]) -> Iterator[list[str]]:
    first, last = {MANIFEST}, {FILES, UPLOADS}
    yield from (sorted(group) for group in (paths & first, paths - first - last, paths & last) if group)


async def _ours(name: str, bucket: Bucket, present: Mapping[str, Present]) -> set[str]:
    """What publications wrote: objects of which a list says so, or that have a sha256 beside them."""
    uploads = await read_uploads(bucket, name) if UPLOADS in present else {}
    found = {path for path, upload in uploads.items() if path in present and upload.is_still(present[path])}
    listed = await _listed(name, bucket, present)
    if uploads or listed:
        found |= present.keys() & {MANIFEST, FILES, UPLOADS}

    async def ask(path: str) -> None:
        recorded = await bucket.recorded(f"{name}/{path}")
        sha256 = recorded.sha256 if recorded is not None else None
        if sha256 is not None and (bucket.keeps_sha256 or listed.get(path) == sha256):
            found.add(path)

    unknown = present.keys() - found
    await at_once(ask, unknown if bucket.keeps_sha256 else unknown & listed.keys())
    return found


async def _listed(name: str, bucket: Bucket, present: Mapping[str, Present]) -> dict[str, str]:
    """The sha256 of each file of the published list, where the manifest says that it is this one."""
    if not {MANIFEST, FILES} <= present.keys():
        return {}
    manifest, data = await bucket.read(f"{name}/{MANIFEST}"), await bucket.read(f"{name}/{FILES}")
    if manifest is None or data is None or files_sha256(manifest) != sha256_hex(data):
        return {}
    return {row.path: row.sha256 for row in listed_files(data) or ()}
